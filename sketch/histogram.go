package sketch

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Scale is the histogram's scale in OpenTelemetry's sense (the schema of a
// Prometheus native histogram): base 2^(2^-Scale).
const Scale = 6

// perOctave is the number of buckets to a doubling of the latency.
const perOctave = 1 << Scale

// The range of indexes: from 2^-20 s (0.95 µs) to 2^12 s (68 min). A latency
// outside it is counted in the nearest bucket.
const (
	MinIndex   = -20 * perOctave
	MaxIndex   = 12*perOctave - 1
	NumBuckets = MaxIndex - MinIndex + 1
)

// ErrHistogram is returned, wrapped, for counts that are no histogram of ours.
var ErrHistogram = errors.New("not a histogram of this scale and range")

// bounds[k] is 2^(k/64): where, within an octave, bucket k begins.
var bounds = func() (b [perOctave + 1]float64) {
	for k := range b {
		b[k] = math.Exp2(float64(k) / perOctave)
	}
	return b
}()

// Index returns the bucket of a latency: the i for which
// base^i < seconds ≤ base^(i+1), clamped to [MinIndex, MaxIndex]. A latency
// that is not positive belongs to MinIndex. O(1), no allocation.
func Index(latency time.Duration) int { return IndexSeconds(latency.Seconds()) }

// IndexSeconds is Index for a latency in seconds; NaN belongs to MinIndex.
func IndexSeconds(s float64) int {
	if !(s > 0) {
		return MinIndex
	}
	if math.IsInf(s, 1) {
		return MaxIndex
	}
	frac, exp := math.Frexp(s) // s = frac·2^exp, ½ ≤ frac < 1
	m := 2 * frac              // s = m·2^(exp-1), 1 ≤ m < 2
	// A linear guess is never more than six buckets too low; walk up to the first bound ≥ m.
	k := int((m - 1) * perOctave)
	for bounds[k] < m {
		k++
	}
	for k > 0 && bounds[k-1] >= m {
		k--
	}
	// bounds[k-1] < m ≤ bounds[k]: the bucket is k-1, and m = 1 falls in the octave below.
	return min(max((exp-1)*perOctave+k-1, MinIndex), MaxIndex)
}

// UpperBound returns the upper end of bucket i, in seconds.
func UpperBound(i int) float64 { return math.Exp2(float64(i+1) / perOctave) }

// middle returns the geometric middle of bucket i, in seconds.
func middle(i int) float64 { return math.Exp2((float64(i) + 0.5) / perOctave) }

// A Histogram counts latencies. Counts[j] is the count of bucket Offset+j.
// The zero Histogram is empty and ready for use. On the wire its scale goes
// with it, so that a reader of another scale cannot mistake it.
type Histogram struct {
	Offset int
	Counts []uint64
}

// Add counts n latencies in bucket i, which must be in [MinIndex, MaxIndex].
func (h *Histogram) Add(i int, n uint64) {
	if n == 0 {
		return
	}
	h.cover(i, i)
	h.Counts[i-h.Offset] += n
}

// Observe counts one latency.
func (h *Histogram) Observe(latency time.Duration) { h.Add(Index(latency), 1) }

// cover makes room for the buckets lo..hi.
func (h *Histogram) cover(lo, hi int) {
	if len(h.Counts) == 0 {
		h.Offset = lo
		h.Counts = make([]uint64, hi-lo+1)
		return
	}
	end := h.Offset + len(h.Counts) - 1
	if lo >= h.Offset && hi <= end {
		return
	}
	newLo, newHi := min(lo, h.Offset), max(hi, end)
	counts := make([]uint64, newHi-newLo+1)
	copy(counts[h.Offset-newLo:], h.Counts)
	h.Offset, h.Counts = newLo, counts
}

// Merge adds o to h.
func (h *Histogram) Merge(o Histogram) {
	if len(o.Counts) == 0 {
		return
	}
	h.cover(o.Offset, o.Offset+len(o.Counts)-1)
	for j, n := range o.Counts {
		h.Counts[o.Offset-h.Offset+j] += n
	}
}

// Minus returns h less o, or ErrHistogram, wrapped, if o counts more than h
// anywhere: then o is not an earlier state of h.
func (h Histogram) Minus(o Histogram) (Histogram, error) {
	d := h.Clone()
	for j, n := range o.Counts {
		if n == 0 {
			continue
		}
		i := o.Offset + j
		if d.Count(i) < n {
			return Histogram{}, fmt.Errorf("subtract %d from %d in bucket %d: %w", n, d.Count(i), i, ErrHistogram)
		}
		d.Counts[i-d.Offset] -= n
	}
	return d.Trim(), nil
}

// Count returns the count of bucket i.
func (h Histogram) Count(i int) uint64 {
	if j := i - h.Offset; j >= 0 && j < len(h.Counts) {
		return h.Counts[j]
	}
	return 0
}

// Total returns the number of latencies counted.
func (h Histogram) Total() (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Clone returns a copy that shares nothing with h.
func (h Histogram) Clone() Histogram {
	return Histogram{Offset: h.Offset, Counts: append([]uint64(nil), h.Counts...)}
}

// Trim returns h without empty buckets at its ends. It shares h's counts.
func (h Histogram) Trim() Histogram {
	lo, hi := 0, len(h.Counts)
	for lo < hi && h.Counts[lo] == 0 {
		lo++
	}
	for hi > lo && h.Counts[hi-1] == 0 {
		hi--
	}
	if lo == hi {
		return Histogram{}
	}
	return Histogram{Offset: h.Offset + lo, Counts: h.Counts[lo:hi]}
}

// Quantile returns the latency in seconds below which the share q of those
// counted lies, at the middle of its bucket (exact to 0.55 %), or NaN if
// nothing was counted or q is not in [0, 1].
func (h Histogram) Quantile(q float64) float64 {
	total := h.Total()
	if total == 0 || !(q >= 0 && q <= 1) {
		return math.NaN()
	}
	rank := uint64(math.Ceil(q * float64(total)))
	rank = max(rank, 1)
	for j, n := range h.Counts {
		if n >= rank {
			return middle(h.Offset + j)
		}
		rank -= n
	}
	return middle(h.Offset + len(h.Counts) - 1)
}
