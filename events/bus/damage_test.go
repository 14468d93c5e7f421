package bus_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/haldane-canary/haldane/events"
	"github.com/haldane-canary/haldane/events/bus"
)

// stored returns a folder with ten decisions, left as a crash or a clean stop
// leaves it, and the folder of the stream in it.
func stored(t *testing.T) (dir, stream string) {
	t.Helper()
	dir = t.TempDir()
	b, err := bus.Open(t.Context(), bus.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		appended(t, b, decision("r", uint64(n+1)))
	}
	if err := b.PutSplit(t.Context(), split(1, 1, 100)); err != nil {
		t.Fatal(err)
	}
	closed(t, b)
	return dir, filepath.Join(dir, "jetstream", "$G", "streams", events.Stream)
}

// edit changes the bytes of the files that match.
func edit(t *testing.T, pattern string, change func([]byte) []byte) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", pattern, files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, change(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// flipped returns a change that flips a bit at the given share of a file.
func flipped(share float64) func([]byte) []byte {
	return func(b []byte) []byte {
		b[int(float64(len(b))*share)] ^= 0x10
		return b
	}
}

// TestDamageNeverPassesForWhatWasStored damages the server's files in every
// way that we know, and holds that either Open or reading fails, or that all
// that is left is a beginning of what was stored: then the journal, which
// knows how much there was, tells (package rollout).
func TestDamageNeverPassesForWhatWasStored(t *testing.T) {
	empty := func([]byte) []byte { return nil }
	for claim, c := range map[string]struct {
		damage func(t *testing.T, stream string)
		open   error // what Open must say; nil if it may open
	}{
		"meta emptied":     {func(t *testing.T, s string) { edit(t, s+"/meta.inf", empty) }, bus.ErrDamaged},
		"meta flipped":     {func(t *testing.T, s string) { edit(t, s+"/meta.inf", flipped(0.5)) }, bus.ErrDamaged},
		"checksum flipped": {func(t *testing.T, s string) { edit(t, s+"/meta.sum", flipped(0.5)) }, bus.ErrDamaged},
		"meta removed":     {func(t *testing.T, s string) { remove(t, s+"/meta.inf") }, bus.ErrDamaged},
		"bucket meta flipped": {func(t *testing.T, s string) {
			edit(t, filepath.Dir(s)+"/KV_"+events.WeightsBucket+"/meta.inf", flipped(0.5))
		}, bus.ErrDamaged},
		"blocks emptied":     {func(t *testing.T, s string) { edit(t, s+"/msgs/*.blk", empty) }, nil},
		"blocks removed":     {func(t *testing.T, s string) { remove(t, s+"/msgs") }, nil},
		"blocks cut in half": {func(t *testing.T, s string) { edit(t, s+"/msgs/*.blk", func(b []byte) []byte { return b[:len(b)/2] }) }, nil},
		"first block byte":   {func(t *testing.T, s string) { edit(t, s+"/msgs/*.blk", flipped(0.05)) }, nil},
		"middle block byte":  {func(t *testing.T, s string) { edit(t, s+"/msgs/*.blk", flipped(0.5)) }, nil},
		"last block byte":    {func(t *testing.T, s string) { edit(t, s+"/msgs/*.blk", flipped(0.999)) }, nil},
		"index flipped":      {func(t *testing.T, s string) { edit(t, s+"/msgs/index.db", flipped(0.5)) }, nil},
		"index removed":      {func(t *testing.T, s string) { remove(t, s+"/msgs/index.db") }, nil},
	} {
		t.Run(claim, func(t *testing.T) {
			dir, stream := stored(t)
			c.damage(t, stream)
			b, err := bus.Open(t.Context(), bus.Config{Dir: dir})
			if err != nil {
				if !errors.Is(err, bus.ErrDamaged) {
					t.Errorf("Open: got %v, want ErrDamaged", err)
				}
				return
			}
			defer closed(t, b)
			if c.open != nil {
				t.Fatalf("opened, want %v", c.open)
			}
			ds, err := b.Decisions(t.Context(), "", time.Time{})
			if err != nil {
				if !errors.Is(err, bus.ErrDamaged) {
					t.Errorf("Decisions: got %v, want ErrDamaged", err)
				}
				return
			}
			for i, d := range ds {
				if !events.Same(d, decision("r", uint64(i+1))) {
					t.Errorf("decision %d is now %+v", i+1, d)
				}
			}
			t.Logf("%d of 10 left", len(ds))
		})
	}
}

// remove removes a file or a folder.
func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}
