package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/haldane-canary/haldane"
)

// ErrEvent is returned, wrapped, for what is no event of ours, and for a
// decision that can be none.
var ErrEvent = errors.New("not a decision event")

const (
	specVersion = "1.0"
	dataType    = "application/json"
)

// envelope is a CloudEvent 1.0 in structured JSON mode.
type envelope struct {
	SpecVersion string           `json:"specversion"`
	ID          string           `json:"id"`
	Source      string           `json:"source"`
	Type        string           `json:"type"`
	Subject     string           `json:"subject"`
	Time        time.Time        `json:"time"`
	ContentType string           `json:"datacontenttype"`
	Data        haldane.Decision `json:"data"`
}

// ID returns the event id of d: its rollout and its number there, such as
// "shop-1.5.0/7". It is the same however often d is sent.
func ID(d haldane.Decision) string { return d.Rollout + "/" + strconv.FormatUint(d.Seq, 10) }

// Type returns the CloudEvents type of a decision of the given kind.
func Type(k haldane.Kind) string { return "dev.haldane.rollout." + string(k) + ".v1" }

// source returns the CloudEvents source, a URI reference, of a service.
func source(service string) string { return "/haldane/" + url.PathEscape(service) }

// wrap returns the envelope of d, which is what Encode writes and what Decode
// holds an envelope against.
func wrap(d haldane.Decision) envelope {
	d.At = d.At.UTC().Round(0) // without the monotonic clock's reading
	// Readers in other languages are promised lists, never null.
	d.TraceIDs = listed(d.TraceIDs)
	d.Evidence.Indicators = listed(d.Evidence.Indicators)
	return envelope{
		SpecVersion: specVersion, ID: ID(d), Source: source(d.Service), Type: Type(d.Kind),
		Subject: d.Rollout, Time: d.At, ContentType: dataType, Data: d,
	}
}

// listed returns s, or an empty list for none.
func listed[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Encode returns d as a CloudEvent. The same decision always gives the same
// bytes. It returns ErrEvent, wrapped, if d lacks what its subject or its id
// is made of.
func Encode(d haldane.Decision) ([]byte, error) {
	if err := check(d); err != nil {
		return nil, fmt.Errorf("encode decision %s: %w", ID(d), err)
	}
	b, err := json.Marshal(wrap(d))
	if err != nil {
		return nil, fmt.Errorf("encode decision %s: %w: %w", ID(d), ErrEvent, err)
	}
	return b, nil
}

// Decode returns the decision in a CloudEvent that Encode made, by this or by
// a later version: members that it does not know are ignored. It returns
// ErrEvent, wrapped, for anything else, and for an event whose envelope does
// not fit the decision inside.
func Decode(b []byte) (haldane.Decision, error) {
	var e envelope
	if err := json.Unmarshal(b, &e); err != nil {
		return haldane.Decision{}, fmt.Errorf("decode event: %w: %w", ErrEvent, err)
	}
	if err := check(e.Data); err != nil {
		return haldane.Decision{}, fmt.Errorf("decode event %q: %w", e.ID, err)
	}
	want := wrap(e.Data)
	for _, f := range []struct{ name, got, want string }{
		{"specversion", e.SpecVersion, want.SpecVersion},
		{"id", e.ID, want.ID},
		{"source", e.Source, want.Source},
		{"type", e.Type, want.Type},
		{"subject", e.Subject, want.Subject},
		{"datacontenttype", e.ContentType, want.ContentType},
	} {
		if f.got != f.want {
			return haldane.Decision{}, fmt.Errorf("decode event %q: %s is %q, but its decision wants %q: %w",
				e.ID, f.name, f.got, f.want, ErrEvent)
		}
	}
	if !e.Time.Equal(want.Time) {
		return haldane.Decision{}, fmt.Errorf("decode event %q: time is %v, but its decision was made at %v: %w",
			e.ID, e.Time, want.Time, ErrEvent)
	}
	return want.Data, nil
}

// check returns ErrEvent, wrapped, unless d can be addressed and numbered.
func check(d haldane.Decision) error {
	switch {
	case d.Service == "" || d.Rollout == "":
		return fmt.Errorf("service %q, rollout %q: a name is missing: %w", d.Service, d.Rollout, ErrEvent)
	case d.Seq == 0:
		return fmt.Errorf("decisions are numbered from 1: %w", ErrEvent)
	case !slices.Contains(haldane.Kinds(), d.Kind):
		return fmt.Errorf("kind %q: %w", d.Kind, ErrEvent)
	}
	for _, w := range []haldane.Weight{d.Weight, d.Served, d.From.Weight, d.To.Weight} {
		if _, err := haldane.NewWeight(int(w)); err != nil {
			return fmt.Errorf("%w: %w", ErrEvent, err)
		}
	}
	return nil
}

// Same reports whether a and b are one decision, whatever clock reading or
// spelling of nothing they carry.
func Same(a, b haldane.Decision) bool {
	x, errX := Encode(a)
	y, errY := Encode(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
