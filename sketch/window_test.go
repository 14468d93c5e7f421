package sketch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/sketch"
)

// window draws a window of a few observations.
func window() *rapid.Generator[sketch.Window] {
	return rapid.Custom(func(t *rapid.T) sketch.Window {
		w := sketch.Window{Track: haldane.Canary, Route: "/"}
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			class := haldane.Class(rapid.IntRange(0, haldane.NumClasses-1).Draw(t, "class"))
			w.Observe(class, time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "latency")))
		}
		return w
	})
}

func TestWindowCounts(t *testing.T) {
	var w sketch.Window
	for c := range haldane.Class(haldane.NumClasses) {
		w.Observe(c, 5*time.Millisecond)
	}
	if got := w.N(); got != 6 {
		t.Errorf("%d observations, want 6: one was given up by its client", got)
	}
	if got := w.Errors(); got != 4 {
		t.Errorf("%d errors, want 4: server error, timeout, reset, unreachable", got)
	}
	if got := w.Latency.Total(); got != 2 {
		t.Errorf("%d latencies, want 2: ok and client error", got)
	}
}

func TestWindowMinusUndoesMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := window().Draw(t, "a"), window().Draw(t, "b")
		sum := sketch.Window{Track: a.Track, Route: a.Route}
		sum.Merge(a)
		sum.Merge(b)
		if sum.N() != a.N()+b.N() || sum.Errors() != a.Errors()+b.Errors() {
			t.Fatalf("%d of %d, want the sums of %d of %d and %d of %d",
				sum.Errors(), sum.N(), a.Errors(), a.N(), b.Errors(), b.N())
		}
		got, err := sum.Minus(b)
		if err != nil || got.Classes != a.Classes || !same(got.Latency, a.Latency) {
			t.Fatalf("a+b-b = %v, %v; want %v", got, err, a)
		}
	})
}

func TestWindowMinusRefusesAFallenCount(t *testing.T) {
	later := sketch.Window{Classes: [haldane.NumClasses]uint64{3}}
	for name, earlier := range map[string]sketch.Window{
		"of a class":    {Classes: [haldane.NumClasses]uint64{4}},
		"of latencies":  {Classes: [haldane.NumClasses]uint64{3}, Latency: sketch.Histogram{Offset: 1, Counts: []uint64{1}}},
		"of no class 1": {Classes: [haldane.NumClasses]uint64{0, 1}},
	} {
		if _, err := later.Minus(earlier); !errors.Is(err, sketch.ErrRegression) {
			t.Errorf("%s: error %v, want ErrRegression", name, err)
		}
	}
}

func TestReportSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "from"), 7).UTC()
		r := sketch.Report{
			Service: "shop", Rollout: "shop-1.5.0", Proxy: "p", Epoch: rapid.Uint64().Draw(t, "epoch"), Weight: 100,
			From: from, To: from.Add(time.Second), Windows: []sketch.Window{window().Draw(t, "w")}, Traces: []string{"ab"},
		}
		r.Windows[0].Latency = r.Windows[0].Latency.Trim()
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var got sketch.Report
		if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("%s read as %+v, %v; want %+v", b, got, err, r)
		}
	})
}

func TestReportValidate(t *testing.T) {
	now := time.Unix(1e9, 0)
	good := sketch.Report{Service: "s", Rollout: "r", Proxy: "p", Weight: 100, From: now, To: now}
	if err := good.Validate(); err != nil {
		t.Fatalf("a good report: %v", err)
	}
	for name, spoil := range map[string]func(r *sketch.Report){
		"no service":        func(r *sketch.Report) { r.Service = "" },
		"no rollout":        func(r *sketch.Report) { r.Rollout = "" },
		"no proxy":          func(r *sketch.Report) { r.Proxy = "" },
		"weight":            func(r *sketch.Report) { r.Weight = 10001 },
		"backwards in time": func(r *sketch.Report) { r.To = now.Add(-1) },
	} {
		r := good
		spoil(&r)
		if r.Validate() == nil {
			t.Errorf("%s: no fault was found", name)
		}
	}
}

func ExampleWindow() {
	var w sketch.Window
	w.Observe(haldane.OK, 12*time.Millisecond)
	w.Observe(haldane.ServerError, time.Millisecond) // fast, but no answer
	fmt.Println(w.N(), w.Errors(), w.Latency.Total())
	fmt.Printf("median %.1f ms\n", w.Latency.Quantile(0.5)*1000)
	// Output:
	// 2 1 1
	// median 12.0 ms
}
