package collectors

import (
	"math"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/haldane-canary/haldane/sketch"
)

// classicBounds are the upper bounds in seconds of the classic buckets, for
// dashboards and for Prometheus servers that do not keep native histograms.
var classicBounds = [...]float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// classicIndex returns the classic bucket that a latency belongs to.
func classicIndex(seconds float64) int {
	i, _ := slices.BinarySearch(classicBounds[:], seconds)
	return i
}

// histogram is one scrape of one series: a prometheus.Metric that carries the
// native buckets and, from the same counts, the classic ones.
//
// Prometheus numbers a native bucket by its upper end, sketch by its lower:
//
//	sketch i holds (base^i, base^(i+1)], Prometheus i+1 the same
type histogram struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	value  *dto.Histogram
}

// newHistogram reads s once and returns it as a metric.
func newHistogram(desc *prometheus.Desc, s *series) histogram {
	counts := s.durations.snapshot()
	h := &dto.Histogram{
		SampleCount:      new(counts.Total()),
		SampleSum:        new(float64(s.micros.Load()) / 1e6),
		CreatedTimestamp: timestamppb.New(s.created),
		Schema:           new(int32(sketch.Scale)),
		ZeroThreshold:    new(prometheus.DefNativeHistogramZeroThreshold),
		ZeroCount:        new(uint64(0)),
	}
	h.PositiveSpan, h.PositiveDelta = nativeBuckets(counts)
	h.Bucket = classicBuckets(counts)
	for i := range s.exemplars {
		if e := s.exemplars[i].Load(); e != nil {
			shown := e.dto()
			h.Bucket[i].Exemplar = shown
			h.Exemplars = append(h.Exemplars, shown)
		}
	}
	return histogram{desc: desc, labels: prometheus.MakeLabelPairs(desc, s.labels()), value: h}
}

// Desc implements prometheus.Metric.
func (h histogram) Desc() *prometheus.Desc { return h.desc }

// Write implements prometheus.Metric.
func (h histogram) Write(m *dto.Metric) error {
	m.Label, m.Histogram = h.labels, h.value
	return nil
}

// nativeBuckets returns counts as Prometheus's spans of buckets, each with its
// difference from the bucket before. Gaps of up to two empty buckets are
// written as counts, which is shorter than a new span.
func nativeBuckets(counts sketch.Histogram) (spans []*dto.BucketSpan, deltas []int64) {
	const shortGap = 2
	var last int64
	next := 0 // the index after the last one written; spans count from there
	put := func(n int64) {
		deltas = append(deltas, n-last)
		*spans[len(spans)-1].Length++
		last = n
		next++
	}
	for j, n := range counts.Counts {
		if n == 0 {
			continue
		}
		i := counts.Offset + j + 1
		if len(spans) == 0 || i-next > shortGap {
			spans = append(spans, &dto.BucketSpan{Offset: new(int32(i - next)), Length: new(uint32(0))})
			next = i
		}
		for next < i {
			put(0)
		}
		put(int64(n))
	}
	return spans, deltas
}

// classicBuckets returns counts as cumulative classic buckets, +Inf last. A
// bucket of ours counts where its middle lies, so a latency within 0.55 % of
// a bound may be found on either side of it.
func classicBuckets(counts sketch.Histogram) []*dto.Bucket {
	var per [len(classicBounds) + 1]uint64
	for j, n := range counts.Counts {
		i := counts.Offset + j
		middle := sketch.UpperBound(i) / math.Exp2(0.5/octaveBuckets)
		per[classicIndex(middle)] += n
	}
	buckets := make([]*dto.Bucket, 0, len(per))
	var sum uint64
	for k, n := range per {
		sum += n
		bound := math.Inf(1)
		if k < len(classicBounds) {
			bound = classicBounds[k]
		}
		buckets = append(buckets, &dto.Bucket{CumulativeCount: new(sum), UpperBound: new(bound)})
	}
	return buckets
}

// dto returns e as it is exposed.
func (e *exemplar) dto() *dto.Exemplar {
	return &dto.Exemplar{
		Label:     []*dto.LabelPair{{Name: new("trace_id"), Value: new(e.traceID)}},
		Value:     new(e.seconds),
		Timestamp: timestamppb.New(e.at),
	}
}
