package collectors

import (
	"sync/atomic"

	"github.com/haldane-canary/haldane/sketch"
)

// octaveBuckets is the number of sketch's buckets to a doubling of latency.
const octaveBuckets = 1 << sketch.Scale

// octave counts the latencies within one doubling.
type octave [octaveBuckets]atomic.Uint64

// dense counts latencies in sketch's buckets, by many goroutines at once. An
// octave is made when it first counts something (16 KiB would hold them all,
// but latencies of one route seldom span more than six octaves of 32), so that
// the thousands of epochs of a long rollout stay cheap.
type dense struct {
	octaves [sketch.NumBuckets / octaveBuckets]atomic.Pointer[octave]
}

// add counts one latency in bucket i, as sketch.Index gives it.
func (d *dense) add(i int) {
	j := i - sketch.MinIndex
	slot := &d.octaves[j/octaveBuckets]
	o := slot.Load()
	if o == nil {
		o = furnish(slot)
	}
	o[j%octaveBuckets].Add(1)
}

// furnish makes the octave of an empty slot, unless another goroutine was
// faster: then it is that one's.
func furnish(slot *atomic.Pointer[octave]) *octave {
	if fresh := new(octave); slot.CompareAndSwap(nil, fresh) {
		return fresh
	}
	return slot.Load()
}

// snapshot returns the counts so far. Counts added meanwhile may be missing.
func (d *dense) snapshot() sketch.Histogram {
	first, end := len(d.octaves), 0
	for k := range d.octaves {
		if d.octaves[k].Load() != nil {
			first, end = min(first, k), k+1
		}
	}
	if first >= end {
		return sketch.Histogram{}
	}
	h := sketch.Histogram{
		Offset: sketch.MinIndex + first*octaveBuckets,
		Counts: make([]uint64, (end-first)*octaveBuckets),
	}
	for k := first; k < end; k++ {
		o := d.octaves[k].Load()
		if o == nil {
			continue
		}
		for j := range o {
			h.Counts[(k-first)*octaveBuckets+j] = o[j].Load()
		}
	}
	return h.Trim()
}
