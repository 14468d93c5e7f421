package analyzer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/haldane-canary/haldane"
)

// ErrTape is returned, wrapped, for counts that are no tape.
var ErrTape = errors.New("not a tape of counts")

// Replay makes a verdict again from the counts that were stored with it: the
// margins, alphas and step are v's own, everything else is reckoned anew and
// is the same to the bit if v was honest; see Differences. It returns ErrTape
// or ErrSpec, wrapped.
func Replay(v haldane.Verdict, counts json.RawMessage) (haldane.Verdict, error) {
	tape, err := readTape(counts)
	if err != nil {
		return haldane.Verdict{}, fmt.Errorf("read the counts of %s: %w", v.Rollout, err)
	}
	spec := Spec{Service: v.Service, Rollout: v.Rollout, Alpha: v.Alpha, AlphaPromote: v.AlphaPromote, early: !tape.Last}
	for _, e := range v.Indicators {
		spec.Indicators = append(spec.Indicators, haldane.Indicator{Name: e.Name, Margin: e.Margin, Promote: e.Promote})
	}
	t, err := NewTrial(spec)
	if err != nil {
		return haldane.Verdict{}, err
	}
	t.Enter(v.Step)
	if err := t.load(tape); err != nil {
		return haldane.Verdict{}, fmt.Errorf("read the counts of %s: %w", v.Rollout, err)
	}
	return t.Verdict(v.At), nil
}

// readTape reads what Trial.Tape wrote, or returns ErrTape, wrapped.
func readTape(counts json.RawMessage) (tape Tape, err error) {
	d := json.NewDecoder(bytes.NewReader(counts))
	d.DisallowUnknownFields()
	if err := d.Decode(&tape); err != nil {
		return Tape{}, fmt.Errorf("%w: %w", ErrTape, err)
	}
	return tape, nil
}

// resume puts counts that Trial.Tape wrote on the fresh trial t, which then
// goes on from there.
func (t *Trial) resume(counts json.RawMessage) error {
	tape, err := readTape(counts)
	if err != nil {
		return err
	}
	return t.load(tape)
}

// load puts a tape on the fresh trial t.
func (t *Trial) load(tape Tape) error {
	for i := range tape.Segments {
		s := &tape.Segments[i]
		if err := s.validate(t.page); err != nil {
			return fmt.Errorf("segment %d: %w", i, err)
		}
		for t.page < s.Page {
			t.endPage()
		}
		for track, c := range s.Tracks {
			t.Add(s.Key, haldane.Track(track), c)
		}
	}
	return nil
}

// validate returns ErrTape, wrapped, if s cannot follow page.
func (s *Segment) validate(page int) error {
	switch {
	case s.Page < page || s.Page > page+1:
		return fmt.Errorf("page %d after page %d: %w", s.Page, page, ErrTape)
	case !(s.Weight >= 0 && s.Weight <= 1):
		return fmt.Errorf("weight %v: %w", s.Weight, ErrTape)
	}
	for track, c := range s.Tracks {
		if c.Errors > c.N {
			return fmt.Errorf("%v has %d errors in %d observations: %w", haldane.Track(track), c.Errors, c.N, ErrTape)
		}
	}
	return nil
}

// Differences returns what a replayed verdict has otherwise than the stored
// one, in words; none if they are the same to the bit. What is not made from
// the counts (the share served of the newest epoch, the time to wait) is not
// compared.
func Differences(stored, replayed haldane.Verdict) []string {
	var out []string
	differ := func(what string, a, b any) { out = append(out, fmt.Sprintf("%s: stored %v, replayed %v", what, a, b)) }
	if stored.Judgement != replayed.Judgement {
		differ("verdict", stored.Judgement, replayed.Judgement)
	}
	if stored.Baseline != replayed.Baseline || stored.Canary != replayed.Canary {
		differ("totals", [2]haldane.Totals{stored.Baseline, stored.Canary}, [2]haldane.Totals{replayed.Baseline, replayed.Canary})
	}
	if len(stored.Indicators) != len(replayed.Indicators) {
		differ("number of indicators", len(stored.Indicators), len(replayed.Indicators))
		return out
	}
	for i := range stored.Indicators {
		a, b := &stored.Indicators[i], &replayed.Indicators[i]
		if a.Judgement != b.Judgement {
			differ(a.Name+" verdict", a.Judgement, b.Judgement)
		}
		for what, pair := range map[string][2]float64{
			"log e": {a.LogE, b.LogE}, "log e of promotion": {a.LogEPromote, b.LogEPromote},
			"ratio":       {float64(a.Estimate.Ratio), float64(b.Estimate.Ratio)},
			"lower bound": {float64(a.Interval.Lower), float64(b.Interval.Lower)},
			"upper bound": {float64(a.Interval.Upper), float64(b.Interval.Upper)},
		} {
			if !sameBits(pair[0], pair[1]) {
				differ(a.Name+" "+what, pair[0], pair[1])
			}
		}
	}
	return out
}

// sameBits compares to the bit, but takes all that JSON writes as null for one.
func sameBits(a, b float64) bool {
	unbounded := func(f float64) bool { return math.IsNaN(f) || math.IsInf(f, 0) }
	return math.Float64bits(a) == math.Float64bits(b) || unbounded(a) && unbounded(b)
}
