package sketch

import (
	"math/bits"
	"sync/atomic"
)

// The sizes a Seen may have: of 2^6 bits (one word) to 2^32 bits (512 MiB).
const (
	minSeenBits = 6
	maxSeenBits = 32
)

// A Seen remembers which units (sticky clients) were met before, so that each
// is evidence once. It is a Bloom filter whose four bits for a unit lie within
// one 64-bit word (a blocked filter: Putze, Sanders, Singler 2007,
// "Cache-, hash- and space-efficient Bloom filters"), so that one atomic OR
// both asks and remembers: it is safe for concurrent use, and of any number of
// callers that ask for one unit at once exactly one is told that it is the
// first.
//
// A Seen errs on one side only. Two units may share their bits, and the later
// one is then taken for the earlier: evidence lost, at random and alike on
// both tracks, never evidence counted twice. With 2^24 bits (2 MiB) that
// befalls fewer than 1 in 10,000 of 100,000 units, and about 1 in 200 of
// a million.
type Seen struct {
	words []atomic.Uint64
}

// NewSeen returns an empty Seen of 2^bits bits. A number of bits outside
// [6, 32] is taken for the nearest within.
func NewSeen(bits uint) *Seen {
	bits = min(max(bits, minSeenBits), maxSeenBits)
	return &Seen{words: make([]atomic.Uint64, 1<<(bits-minSeenBits))}
}

// First reports whether the unit with this hash has not been met before, and
// remembers it. All 64 bits of the hash should depend on the unit. O(1), no
// allocation, no lock.
func (s *Seen) First(hash uint64) bool {
	// The word and the bits within it are drawn from different products of
	// the hash, so that units of one word do not share their bits.
	word, _ := bits.Mul64(hash*0x9e3779b97f4a7c15, uint64(len(s.words)))
	h := hash * 0xd6e8feb86659fd93
	mask := uint64(1)<<(h>>58) | 1<<(h>>52&63) | 1<<(h>>46&63) | 1<<(h>>40&63)
	return s.words[word].Or(mask)&mask != mask
}
