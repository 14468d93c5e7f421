package recorded

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
)

func readAll(t *testing.T, in string) ([]Record, error) {
	t.Helper()
	r := NewReader(strings.NewReader(in))
	var out []Record
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, rec)
	}
}

func TestReaderReadsWhatTheFormatAllows(t *testing.T) {
	at := time.Date(2026, 11, 22, 17, 0, 0, 1, time.UTC)
	for name, c := range map[string]struct {
		in   string
		want Record
	}{
		"every field": {
			`{"ts":"2026-11-22T17:00:00.000000001Z","track":"canary","route":"/pay","status":200,"latency_ms":12.3,"weight":0.05,"error":"timeout"}`,
			Record{At: at, Track: haldane.Canary, Failed: true, Latency: 12300 * time.Microsecond, Weight: 0.05},
		},
		"only what is required": {
			`{"ts":"2026-11-22T17:00:00.000000001Z","track":"baseline","latency_ms":0}`,
			Record{At: at, Weight: math.NaN()},
		},
		"a status of 500 is a failure": {
			`{"ts":"2026-11-22T17:00:00.000000001Z","track":"baseline","latency_ms":1,"status":500}`,
			Record{At: at, Failed: true, Latency: time.Millisecond, Weight: math.NaN()},
		},
		"a status of 499 is not": {
			`{"ts":"2026-11-22T17:00:00.000000001Z","track":"baseline","latency_ms":1,"status":499,"error":""}`,
			Record{At: at, Latency: time.Millisecond, Weight: math.NaN()},
		},
		"another time zone, an escape, an exponent, an unknown object": {
			`{"ts":"2026-11-22T18:00:00.000000001+01:00","track":"can\u0061ry","latency_ms":1e0,"more":{"a":[1]}}`,
			Record{At: at, Track: haldane.Canary, Latency: time.Millisecond, Weight: math.NaN()},
		},
		"an error that is an object": {
			`{"ts":"2026-11-22T17:00:00.000000001Z","track":"baseline","latency_ms":1,"error":{"code":7}}`,
			Record{At: at, Failed: true, Latency: time.Millisecond, Weight: math.NaN()},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(t, "\n"+c.in+"\n\n")
			if err != nil || len(got) != 1 {
				t.Fatalf("got %v, %v; want one record", got, err)
			}
			if !same(got[0], c.want) {
				t.Errorf("got %+v, want %+v", got[0], c.want)
			}
		})
	}
}

// same compares records, NaN weights too.
func same(a, b Record) bool {
	if math.IsNaN(a.Weight) && math.IsNaN(b.Weight) {
		a.Weight, b.Weight = 0, 0
	}
	return a == b
}

func TestReaderNamesTheLineAndTheFault(t *testing.T) {
	good := `{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":1}` + "\n"
	for name, c := range map[string]struct{ bad, want string }{
		"no JSON":             {`hello`, "invalid character"},
		"cut off":             {`{"ts":"2026-11-22T17:00:00Z"`, "unexpected end"},
		"missing fields":      {`{"status":200}`, "ts, track, latency_ms missing"},
		"unknown track":       {`{"ts":"2026-11-22T17:00:00Z","track":"blue","latency_ms":1}`, `track "blue"`},
		"no time":             {`{"ts":"yesterday","track":"canary","latency_ms":1}`, `ts "yesterday"`},
		"a negative latency":  {`{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":-1}`, "latency_ms -1"},
		"a latency of text":   {`{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":"x"}`, "latency_ms"},
		"a weight of 5":       {`{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":1,"weight":5}`, "weight 5"},
		"a status of 20":      {`{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":1,"status":20}`, "status 20"},
		"a list":              {`[1]`, "the line is not an object"},
		"a status of text":    {`{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":1,"status":"ok"}`, "status must be a whole number, not string"},
		"half a status":       {`{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":1,"status":200.5}`, "status must be a whole number, not 200.5"},
		"a track of a number": {`{"ts":"2026-11-22T17:00:00Z","track":1,"latency_ms":1}`, "track must be text, not number"},
		"an endless latency":  {`{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":1e999}`, "latency_ms must be a number of a reasonable size, not 1e999"},
		"two objects":         {`{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":1} {}`, "after top-level value"},
		"more than a line is": {`{"a":"` + strings.Repeat("x", maxLine) + `"}`, "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(t, good+good+c.bad+"\n"+good)
			if !errors.Is(err, ErrLine) || !strings.Contains(err.Error(), "line 3: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want line 3 and %q", err, c.want)
			}
			if strings.Contains(err.Error(), "Go ") || strings.Contains(err.Error(), "recorded.") {
				t.Errorf("the error speaks of Go: %v", err)
			}
			if len(got) != 2 {
				t.Errorf("got %d records before it, want 2", len(got))
			}
		})
	}
}

func TestAByteOrderMarkIsNoPartOfTheFirstLine(t *testing.T) {
	const line = `{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":1}` + "\n"
	if got, err := readAll(t, "\ufeff"+line+line); err != nil || len(got) != 2 {
		t.Errorf("got %v, %v; want two records", got, err)
	}
	if got, err := readAll(t, "\ufeff"); err != nil || len(got) != 0 {
		t.Errorf("a mark alone: got %v, %v; want nothing", got, err)
	}
	if _, err := readAll(t, line+"\ufeff"+line); !errors.Is(err, ErrLine) {
		t.Errorf("a mark in the midst: got %v, want ErrLine", err)
	}
}

func TestClientsAreToldApart(t *testing.T) {
	in := ""
	for _, c := range []string{`"c17"`, `"c18"`, `17`, `"c17"`, `null`, `""`} {
		in += fmt.Sprintf(`{"ts":"2026-11-22T17:00:00Z","track":"canary","latency_ms":1,"client":%s}`+"\n", c)
	}
	got, err := readAll(t, in)
	if err != nil {
		t.Fatal(err)
	}
	if !got[0].Sticky || got[0].Client != got[3].Client || got[0].Client == got[1].Client || got[0].Client == got[2].Client {
		t.Errorf("clients c17, c18, 17, c17 hash to %x, %x, %x, %x", got[0].Client, got[1].Client, got[2].Client, got[3].Client)
	}
	if got[4].Sticky || got[5].Sticky {
		t.Error("null and empty clients count as clients")
	}
}

// FuzzScan holds the scanner against encoding/json: whatever it takes, the two
// must read alike, and nothing may make either panic.
func FuzzScan(f *testing.F) {
	f.Add(`{"ts":"2026-11-22T17:00:00.000000001Z","track":"canary","route":"/pay","status":200,"latency_ms":12.3,"weight":0.05,"client":"c17","error":"timeout"}`)
	f.Add(`{"ts":"2026-02-28T17:00:00Z" , "track":"baseline","latency_ms":0.000001,"x":null,"y":-1.5,"z":true}`)
	f.Add(`{"ts":"2026-11-22T17:00:00.1Z","TS":"x","track":"canary","latency_ms":01}`)
	f.Fuzz(func(t *testing.T, in string) {
		fast, ok := scan([]byte(in))
		if !ok {
			return
		}
		slow, err := decode([]byte(in))
		if err != nil {
			t.Fatalf("scan takes %q, encoding/json says %v", in, err)
		}
		if !same(fast, slow) {
			t.Fatalf("scan reads %q as %+v, encoding/json as %+v", in, fast, slow)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	line := `{"ts":"2026-11-22T17:00:00.000000001Z","track":"baseline","route":"/pay","status":200,"latency_ms":12.345,"weight":0.05}` + "\n"
	in := strings.Repeat(line, 10000)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	var r *Reader
	for i := range b.N {
		if i%10000 == 0 {
			r = NewReader(strings.NewReader(in))
		}
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
