package proxy

import (
	"math/rand/v2"
	"net/http"

	"github.com/haldane-canary/haldane"
)

// An assigned is what a draw gave.
type assigned struct {
	track  haldane.Track
	repeat bool // of a sticky unit that was evidence before
}

// assign draws a track for r with the weight of st.
func (s *service) assign(st *state, r *http.Request) assigned {
	if s.Assign.Sticky() {
		if key := s.Assign.key(r); key != "" {
			unit := st.unit(key)
			return assigned{track: st.below(uint32(unit % uint64(haldane.FullWeight))), repeat: !st.first(unit)}
		}
	}
	// The shared generator keeps its state per thread: no lock, no seed of ours.
	return assigned{track: st.below(rand.Uint32N(uint32(haldane.FullWeight)))}
}

// below returns the canary if the draw u, of 0 to 9999, is below the weight.
// So whoever has the canary at one weight has it at every greater one.
func (st *state) below(u uint32) haldane.Track {
	if u < st.weight {
		return haldane.Canary
	}
	return haldane.Baseline
}

// first reports whether the unit has not been evidence in this generation.
func (st *state) first(unit uint64) bool {
	return st.seen == nil || st.seen.First(unit)
}

// key returns what a client is recognised by, or "" if r does not carry it.
func (a Assign) key(r *http.Request) string {
	if a.Header != "" {
		return r.Header.Get(a.Header)
	}
	c, err := r.Cookie(a.Cookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// unit returns the hash of a sticky key. The rollout's name is part of it, so
// that another rollout tries its canary on other clients first; the generation
// is not, so that a second try begins with those who saw the first.
func (st *state) unit(key string) uint64 {
	h := st.salt
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * fnvPrime
	}
	return avalanche(h)
}

// The constants of FNV-1a, 64 bits (Fowler, Noll, Vo 1991).
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// saltOf returns the hash of a rollout's name and of the separator after it.
func saltOf(rollout string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(rollout) {
		h = (h ^ uint64(rollout[i])) * fnvPrime
	}
	return h * fnvPrime
}

// avalanche makes every bit of h depend on every other: the finaliser of
// MurmurHash3 (Appleby 2011), without which FNV's low bits are poor.
func avalanche(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
