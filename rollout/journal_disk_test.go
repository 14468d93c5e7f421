package rollout

import (
	"errors"
	"testing"

	"github.com/haldane-canary/haldane"
)

// A badDisk fails in the way that is set.
type badDisk struct {
	file
	write, sync, truncate error
}

func (d *badDisk) Write(b []byte) (int, error) {
	if d.write != nil {
		n, _ := d.file.Write(b[:len(b)/2])
		return n, d.write
	}
	return d.file.Write(b)
}

func (d *badDisk) Sync() error { return errors.Join(d.sync, d.file.Sync()) }

func (d *badDisk) Truncate(size int64) error {
	if d.truncate != nil {
		return d.truncate
	}
	return d.file.Truncate(size)
}

func TestFullDiskIsSurvived(t *testing.T) {
	ds, full := life("r"), errors.New("no space left on device")
	dir := written(t, ds[:1], 1)
	j := openJournal(t, dir)
	disk := &badDisk{file: j.file, write: full}
	j.file = disk
	for range 2 {
		if err := j.Keep("shop", "r", ds, 2); !errors.Is(err, full) {
			t.Fatalf("got %v, want the disk's error", err)
		}
	}
	holds(t, j, ds[:1], 1)
	disk.write = nil
	if err := errors.Join(j.Keep("shop", "r", ds, 2), j.Close()); err != nil {
		t.Fatal(err)
	}
	holds(t, openJournal(t, dir), ds, 2)
}

func TestAfterAFailedSyncNothingIsTrusted(t *testing.T) {
	ds, bad := life("r"), errors.New("input/output error")
	for claim, disk := range map[string]*badDisk{"sync": {sync: bad}, "truncate": {write: bad, truncate: bad}} {
		j := openJournal(t, written(t, ds[:1], 1))
		disk.file, j.file = j.file, disk
		if err := j.Keep("shop", "r", ds, 2); !errors.Is(err, bad) {
			t.Fatalf("%s: got %v, want the disk's error", claim, err)
		}
		disk.sync, disk.write, disk.truncate = nil, nil, nil
		if err := j.Keep("shop", "r", ds, 2); !errors.Is(err, bad) {
			t.Errorf("%s: got %v, want the journal to stay closed", claim, err)
		}
	}
}

func FuzzSplitLines(f *testing.F) {
	var b []byte
	for _, d := range life("r") {
		line, err := encodeLine(record{Entry: &entry{"shop", "r", []haldane.Decision{d}, 0}})
		if err != nil {
			f.Fatal(err)
		}
		b = append(b, line...)
	}
	f.Add(b)
	f.Add([]byte(`{"crc":"00000000","record":{}}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		records, whole, err := splitLines(b)
		if err != nil {
			return
		}
		k := make(kept)
		for _, r := range records {
			if r.Entry != nil {
				_ = k.add(*r.Entry) // must not panic
			}
		}
		if _, again, err := splitLines(b[:whole]); err != nil || again != whole {
			t.Errorf("%d whole bytes became %d, %v", whole, again, err)
		}
	})
}
