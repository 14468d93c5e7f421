package sketch_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haldane-canary/haldane/sketch"
)

// latency draws a latency of the whole range and beyond, evenly on a
// logarithmic scale.
func latency() *rapid.Generator[float64] {
	return rapid.Map(rapid.Float64Range(-24, 14), math.Exp2)
}

// histogram draws a histogram of a few dozen latencies.
func histogram() *rapid.Generator[sketch.Histogram] {
	return rapid.Custom(func(t *rapid.T) sketch.Histogram {
		var h sketch.Histogram
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			h.Add(sketch.IndexSeconds(latency().Draw(t, "latency")), rapid.Uint64Range(0, 5).Draw(t, "times"))
		}
		return h
	})
}

// same reports whether a and b count the same, however they are stored.
func same(a, b sketch.Histogram) bool {
	a, b = a.Trim(), b.Trim()
	if a.Offset != b.Offset || len(a.Counts) != len(b.Counts) {
		return false
	}
	for j := range a.Counts {
		if a.Counts[j] != b.Counts[j] {
			return false
		}
	}
	return true
}

func TestIndexHoldsItsLatency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := latency().Draw(t, "seconds")
		i := sketch.IndexSeconds(s)
		if i > sketch.MinIndex && s <= sketch.UpperBound(i-1) {
			t.Fatalf("%v s is in bucket %d, but no more than its lower end %v", s, i, sketch.UpperBound(i-1))
		}
		if i < sketch.MaxIndex && s > sketch.UpperBound(i) {
			t.Fatalf("%v s is in bucket %d, but above its upper end %v", s, i, sketch.UpperBound(i))
		}
	})
}

func TestIndexGrowsWithTheLatency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := latency().Draw(t, "a"), latency().Draw(t, "b")
		if a <= b && sketch.IndexSeconds(a) > sketch.IndexSeconds(b) {
			t.Fatalf("%v s is in bucket %d, %v s in %d", a, sketch.IndexSeconds(a), b, sketch.IndexSeconds(b))
		}
	})
}

func TestIndexAtTheBounds(t *testing.T) {
	for i := sketch.MinIndex; i <= sketch.MaxIndex; i++ {
		bound := sketch.UpperBound(i)
		if got := sketch.IndexSeconds(bound); got != i {
			t.Fatalf("upper bound %v of bucket %d is in bucket %d", bound, i, got)
		}
		if got := sketch.IndexSeconds(math.Nextafter(bound, math.Inf(1))); got != min(i+1, sketch.MaxIndex) {
			t.Fatalf("just above the upper bound %v of bucket %d is bucket %d", bound, i, got)
		}
	}
}

func TestIndexOfWhatIsNoLatency(t *testing.T) {
	for name, c := range map[string]struct {
		seconds float64
		want    int
	}{
		"zero":              {0, sketch.MinIndex},
		"negative":          {-1, sketch.MinIndex},
		"not a number":      {math.NaN(), sketch.MinIndex},
		"negative infinity": {math.Inf(-1), sketch.MinIndex},
		"infinity":          {math.Inf(1), sketch.MaxIndex},
		"a day":             {86400, sketch.MaxIndex},
		"a nanosecond":      {1e-9, sketch.MinIndex},
		"denormal":          {5e-324, sketch.MinIndex},
		"one second":        {1, -1}, // (2^(-1/64), 1]
	} {
		if got := sketch.IndexSeconds(c.seconds); got != c.want {
			t.Errorf("%s: bucket %d, want %d", name, got, c.want)
		}
	}
	if got, want := sketch.Index(time.Second), -1; got != want {
		t.Errorf("Index(1s) = %d, want %d", got, want)
	}
}

func TestMergeCommutesAndAssociates(t *testing.T) {
	sum := func(hs ...sketch.Histogram) sketch.Histogram {
		var s sketch.Histogram
		for _, h := range hs {
			s.Merge(h)
		}
		return s
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := histogram().Draw(t, "a"), histogram().Draw(t, "b"), histogram().Draw(t, "c")
		if !same(sum(a, b), sum(b, a)) {
			t.Fatal("a+b is not b+a")
		}
		if !same(sum(sum(a, b), c), sum(a, sum(b, c))) {
			t.Fatal("(a+b)+c is not a+(b+c)")
		}
		if got, want := sum(a, b).Total(), a.Total()+b.Total(); got != want {
			t.Fatalf("the sum counts %d, want %d", got, want)
		}
	})
}

func TestMinusUndoesMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := histogram().Draw(t, "a"), histogram().Draw(t, "b")
		sum := a.Clone()
		sum.Merge(b)
		got, err := sum.Minus(b)
		if err != nil || !same(got, a) {
			t.Fatalf("a+b-b = %v, %v; want %v", got, err, a)
		}
		if b.Total() > 0 && a.Total() == 0 {
			if _, err := a.Minus(b); err == nil {
				t.Fatal("something was taken from nothing")
			}
		}
	})
}

func TestCloneSharesNothing(t *testing.T) {
	var h sketch.Histogram
	h.Observe(time.Second)
	c := h.Clone()
	c.Observe(time.Second)
	if h.Total() != 1 || c.Total() != 2 {
		t.Errorf("totals %d and %d, want 1 and 2", h.Total(), c.Total())
	}
}

func TestQuantileIsWithinABucketOfTheTruth(t *testing.T) {
	const width = 1.0109 // of a bucket: 2^(1/64)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "n")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		var h sketch.Histogram
		for k := 1; k <= n; k++ {
			h.Add(sketch.IndexSeconds(float64(k)/1000), 1)
		}
		truth := max(math.Ceil(q*float64(n)), 1) / 1000
		if got := h.Quantile(q); got < truth/width || got > truth*width {
			t.Fatalf("quantile %v of 1..%d ms = %v, want %v within a bucket", q, n, got, truth)
		}
	})
}

func TestQuantileThatIsNone(t *testing.T) {
	var empty, one sketch.Histogram
	one.Observe(time.Second)
	for name, got := range map[string]float64{
		"of nothing": empty.Quantile(0.5), "below 0": one.Quantile(-0.1),
		"above 1": one.Quantile(1.1), "not a number": one.Quantile(math.NaN()),
	} {
		if !math.IsNaN(got) {
			t.Errorf("%s: %v, want NaN", name, got)
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	b.ReportAllocs()
	latency := time.Microsecond
	for b.Loop() {
		sketch.Index(latency)
		latency = latency*7%time.Second + 1
	}
}
