package haldane

import "fmt"

// A Track is one of the two versions of a service between which requests are
// divided. The zero Track is Baseline: where nothing is said, nothing new is
// tried.
type Track uint8

// The tracks. NumTracks is their number, for arrays indexed by Track.
const (
	Baseline  Track = iota // the version in charge
	Canary                 // the candidate
	NumTracks = 2
)

// String returns "baseline" or "canary".
func (t Track) String() string {
	switch t {
	case Baseline:
		return "baseline"
	case Canary:
		return "canary"
	}
	return fmt.Sprintf("track(%d)", uint8(t))
}

// MarshalText returns t's name.
func (t Track) MarshalText() ([]byte, error) {
	if t >= NumTracks {
		return nil, fmt.Errorf("marshal %v: %w", t, ErrUnknownTrack)
	}
	return []byte(t.String()), nil
}

// UnmarshalText sets t from its name, or returns ErrUnknownTrack, wrapped.
func (t *Track) UnmarshalText(b []byte) error {
	switch string(b) {
	case "baseline":
		*t = Baseline
	case "canary":
		*t = Canary
	default:
		return fmt.Errorf("track %q (baseline or canary): %w", b, ErrUnknownTrack)
	}
	return nil
}
