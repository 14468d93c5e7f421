package sketch_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/haldane-canary/haldane/sketch"
)

func TestSeenKnowsEveryUnitItMet(t *testing.T) {
	s, rng := sketch.NewSeen(20), rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		unit := rng.Uint64()
		s.First(unit)
		if s.First(unit) {
			t.Fatalf("unit %x is first twice", unit)
		}
	}
}

func TestSeenLosesFewUnits(t *testing.T) {
	// The seeds are fixed: this either holds or does not.
	for _, c := range []struct {
		bits, units, most uint64
	}{
		{24, 100_000, 10},
		{24, 1_000_000, 5_000},
		{6, 1, 0},
	} {
		s, rng, lost := sketch.NewSeen(uint(c.bits)), rand.New(rand.NewPCG(3, 4)), uint64(0)
		for range c.units {
			if !s.First(rng.Uint64()) {
				lost++
			}
		}
		if lost > c.most {
			t.Errorf("2^%d bits lost %d of %d units, want at most %d", c.bits, lost, c.units, c.most)
		}
	}
}

func TestSeenTellsOneCallerOnly(t *testing.T) {
	const callers, units = 8, 2_000
	s := sketch.NewSeen(22)
	var firsts [units]atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(5, 6))
			for i := range units {
				if s.First(rng.Uint64()) {
					firsts[i].Add(1)
				}
			}
		})
	}
	wg.Wait()
	for i := range firsts {
		if n := firsts[i].Load(); n > 1 {
			t.Errorf("unit %d was first %d times", i, n)
		}
	}
}

func TestSeenTakesAnySize(t *testing.T) {
	for _, bits := range []uint{0, 5, 6, 7} {
		if s := sketch.NewSeen(bits); !s.First(42) || s.First(42) {
			t.Errorf("2^%d bits: the first unit is not first, once", bits)
		}
	}
}

func ExampleSeen() {
	s := sketch.NewSeen(20)
	fmt.Println(s.First(0x5eed), s.First(0x5eed))
	// Output: true false
}

func BenchmarkSeen(b *testing.B) {
	s := sketch.NewSeen(24)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		h := rand.Uint64()
		for pb.Next() {
			h += 0x9e3779b97f4a7c15
			s.First(h)
		}
	})
}
