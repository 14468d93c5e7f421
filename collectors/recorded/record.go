package recorded

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/haldane-canary/haldane"
)

// ErrLine is returned, wrapped, for a line that is not an observation.
var ErrLine = errors.New("not an observation")

// A Record is one recorded observation.
type Record struct {
	At      time.Time
	Track   haldane.Track
	Failed  bool          // status of 500 or more, or any error
	Latency time.Duration //
	Weight  float64       // probability of the canary; NaN if the line does not say
	Client  uint64        // hash of the sticky unit of assignment
	Sticky  bool          // whether the line names a client
}

// line is the wire form, as encoding/json reads it.
type line struct {
	TS      *string         `json:"ts"`
	Track   *string         `json:"track"`
	Status  *int            `json:"status"`
	Latency *float64        `json:"latency_ms"`
	Weight  *float64        `json:"weight"`
	Client  json.RawMessage `json:"client"`
	Error   json.RawMessage `json:"error"`
}

// decode reads b with encoding/json.
func decode(b []byte) (Record, error) {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return Record{}, misread(err)
	}
	var missing []string
	for _, f := range []struct {
		name   string
		absent bool
	}{{"ts", l.TS == nil}, {"track", l.Track == nil}, {"latency_ms", l.Latency == nil}} {
		if f.absent {
			missing = append(missing, f.name)
		}
	}
	if missing != nil {
		return Record{}, fmt.Errorf("%w: %s missing (ts, track and latency_ms are required)", ErrLine, strings.Join(missing, ", "))
	}
	r := Record{Weight: math.NaN(), Failed: truthy(l.Error)}
	at, err := time.Parse(time.RFC3339Nano, *l.TS)
	if err != nil {
		return Record{}, fmt.Errorf("%w: ts %q is not a time such as 2026-11-22T17:00:00.5Z", ErrLine, *l.TS)
	}
	r.At = at.UTC()
	if err := r.Track.UnmarshalText([]byte(*l.Track)); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrLine, err)
	}
	if l.Status != nil {
		if err := r.setStatus(*l.Status); err != nil {
			return Record{}, err
		}
	}
	if err := r.setLatency(*l.Latency); err != nil {
		return Record{}, err
	}
	if l.Weight != nil {
		if err := r.setWeight(*l.Weight); err != nil {
			return Record{}, err
		}
	}
	if s := clientName(l.Client); s != "" {
		r.Sticky, r.Client = true, hash([]byte(s))
	}
	return r, nil
}

// misread returns ErrLine, wrapped, with what encoding/json has to say, in the
// words of the format rather than of Go.
func misread(err error) error {
	mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return fmt.Errorf("%w: %s", ErrLine, strings.TrimPrefix(err.Error(), "json: "))
	}
	if mismatch.Field == "" {
		return fmt.Errorf("%w: the line is not an object", ErrLine)
	}
	want := "text"
	switch mismatch.Field {
	case "status":
		want = "a whole number"
	case "latency_ms", "weight":
		want = "a number"
	}
	got, isNumber := strings.CutPrefix(mismatch.Value, "number ")
	if isNumber && want == "a number" {
		want = "a number of a reasonable size"
	}
	return fmt.Errorf("%w: %s must be %s, not %s", ErrLine, mismatch.Field, want, got)
}

// truthy reports whether an error field says that there was one: anything but
// absent, null, false and "".
func truthy(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", "false", `""`:
		return false
	}
	return true
}

// clientName returns the client as text: a string's contents, or any other
// value as it is written; "" if there is none.
func clientName(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func (r *Record) setStatus(status int) error {
	if status < 100 || status > 999 {
		return fmt.Errorf("%w: status %d is not an HTTP status", ErrLine, status)
	}
	r.Failed = r.Failed || haldane.ClassOf(status).Failed()
	return nil
}

// maxLatencyMS is a day: more is surely another unit.
const maxLatencyMS = 24 * 60 * 60 * 1000

func (r *Record) setLatency(ms float64) error {
	if !(ms >= 0 && ms <= maxLatencyMS) {
		return fmt.Errorf("%w: latency_ms %v (from 0 to a day, in milliseconds)", ErrLine, ms)
	}
	r.Latency = time.Duration(math.Round(ms * float64(time.Millisecond)))
	return nil
}

func (r *Record) setWeight(w float64) error {
	if !(w >= 0 && w <= 1) {
		return fmt.Errorf("%w: weight %v (the probability of the canary, from 0 to 1)", ErrLine, w)
	}
	r.Weight = w
	return nil
}

// hash is FNV-1a with a finishing mix, the same on every run, so that judging
// the same file twice gives the same verdict.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}
