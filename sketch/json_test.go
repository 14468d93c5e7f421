package sketch_test

import (
	"encoding/json"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/haldane-canary/haldane/sketch"
)

func TestHistogramSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := histogram().Draw(t, "h")
		b, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		var got sketch.Histogram
		if err := json.Unmarshal(b, &got); err != nil || !same(got, h) {
			t.Fatalf("%s read as %v, %v; want %v", b, got, err, h)
		}
	})
}

func TestHistogramOnTheWire(t *testing.T) {
	var h sketch.Histogram
	if b, _ := json.Marshal(h); string(b) != "null" {
		t.Errorf("an empty histogram is %s, want null", b)
	}
	h.Add(-638, 2)
	h.Add(-636, 1)
	if b, _ := json.Marshal(h); string(b) != `{"scale":6,"offset":-638,"counts":[2,0,1]}` {
		t.Errorf("got %s", b)
	}
}

func TestUnmarshalRefusesWhatIsNoHistogram(t *testing.T) {
	for name, text := range map[string]string{
		"another scale":        `{"scale":5,"offset":0,"counts":[1]}`,
		"no scale":             `{"offset":0,"counts":[1]}`,
		"below the range":      `{"scale":6,"offset":-1281,"counts":[1]}`,
		"above the range":      `{"scale":6,"offset":767,"counts":[1,1]}`,
		"far above the range":  `{"scale":6,"offset":9223372036854775807,"counts":[1]}`,
		"far below, no counts": `{"scale":6,"offset":-9223372036854775808,"counts":[]}`,
	} {
		var h sketch.Histogram
		if err := json.Unmarshal([]byte(text), &h); !errors.Is(err, sketch.ErrHistogram) {
			t.Errorf("%s: error %v, want ErrHistogram", name, err)
		}
	}
	for name, text := range map[string]string{
		"negative count": `{"scale":6,"offset":0,"counts":[-1]}`,
		"fraction":       `{"scale":6,"offset":0,"counts":[1.5]}`,
		"a list":         `[1,2]`,
	} {
		var h sketch.Histogram
		if err := json.Unmarshal([]byte(text), &h); err == nil {
			t.Errorf("%s was read as %v", name, h)
		}
	}
}

func FuzzHistogram(f *testing.F) {
	for _, seed := range []string{`null`, `{"scale":6,"offset":-638,"counts":[2,0,1]}`, `{"scale":6,"offset":-1280,"counts":[0,0]}`,
		`{"scale":7}`, `{"scale":6,"offset":1e9,"counts":[1]}`, `[]`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h sketch.Histogram
		if json.Unmarshal(b, &h) != nil {
			return
		}
		again, err := json.Marshal(h)
		if err != nil {
			t.Fatalf("read %q, cannot write it: %v", b, err)
		}
		var back sketch.Histogram
		if err := json.Unmarshal(again, &back); err != nil || !same(h, back) {
			t.Fatalf("%q written as %s and read as %v, %v", b, again, back, err)
		}
		for j := range h.Counts {
			if i := h.Offset + j; i < sketch.MinIndex || i > sketch.MaxIndex {
				t.Fatalf("%q has bucket %d", b, i)
			}
		}
	})
}
