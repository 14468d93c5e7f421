package rollout

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/haldane-canary/haldane"
)

// ErrDamaged is returned, wrapped, where what was kept cannot be trusted any
// more. Going on would forget decisions, so nothing does.
var ErrDamaged = errors.New("data folder damaged")

// file is what the journal needs of an os.File; tests put a failing one in.
type file interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

// A Journal keeps decisions in a file, each durable before Append returns: it
// is what a controller remembers by itself, whatever becomes of the log. The
// file is append-only, a line of JSON with a checksum for each fact. A crash
// can tear its last line only; that line is dropped when the journal is opened
// again. Any other damage is an error.
//
// A Journal has one user at a time, in one process: opening it locks it.
type Journal struct {
	path   string
	file   file
	size   int64 // of what is known to be whole
	broken error // why nothing can be written any more
	kept   kept
}

// OpenJournal opens the journal of the data folder dir, or makes both if dir
// is absent or empty. It returns ErrDamaged, wrapped, with what to do, if the
// folder or the journal is damaged or not ours.
func OpenJournal(dir string, log *slog.Logger) (*Journal, error) {
	m, fresh, err := claim(dir)
	if err != nil {
		return nil, err
	}
	flags := os.O_RDWR | os.O_APPEND
	if fresh {
		flags |= os.O_CREATE
	}
	path := filepath.Join(dir, journalFile)
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{path: path, file: f, kept: make(kept)}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("folder %s is in use by another process: %w", dir, err), f.Close())
	}
	if fresh {
		err = errors.Join(claimable(dir), f.Truncate(0)) // nobody was quicker, now that it is locked
	}
	if fresh && err == nil {
		err = j.create(dir)
	} else if err == nil {
		err = j.load(f, m, log)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// create writes the first line, and then the marker that makes it count.
func (j *Journal) create(dir string) error {
	m := marker{Format: format, Created: time.Now().UTC().Round(0)}
	if err := j.write(record{Header: &m}); err != nil {
		return err
	}
	return writeMarker(dir, m)
}

// load reads the whole file, which must belong to m, and cuts off a torn tail.
func (j *Journal) load(f io.Reader, m marker, log *slog.Logger) error {
	b, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	records, whole, err := splitLines(b)
	if err != nil {
		return fmt.Errorf("%s, %w (restore the whole folder from a backup)", j.path, err)
	}
	if len(records) == 0 || records[0].Header == nil || !records[0].Header.Created.Equal(m.Created) {
		return fmt.Errorf("%s is not the journal that belongs to %s beside it, or was emptied: %w "+
			"(restore the whole folder from a backup)", j.path, markerFile, ErrDamaged)
	}
	for i, r := range records[1:] {
		err := fmt.Errorf("a second header: %w", ErrDamaged)
		if r.Entry != nil {
			err = j.kept.add(*r.Entry)
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w (restore the whole folder from a backup)", j.path, i+2, err)
		}
	}
	j.size = int64(whole)
	if torn := len(b) - whole; torn > 0 {
		log.Warn("dropped the torn last line of the journal", "file", j.path, "bytes", torn)
		if err := errors.Join(j.file.Truncate(j.size), j.file.Sync()); err != nil {
			return fmt.Errorf("cut off the torn last line of %s: %w", j.path, err)
		}
	}
	return nil
}

// splitLines returns the records of the whole lines of b and their length. What
// follows the last line end is torn: it was never acknowledged to anybody. But
// a line that is whole up to its last byte was durable, and that byte is
// damaged.
func splitLines(b []byte) (records []record, whole int, err error) {
	for n := 1; ; n++ {
		end := bytes.IndexByte(b[whole:], '\n')
		if end < 0 {
			break
		}
		r, err := decodeLine(b[whole : whole+end])
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", n, err)
		}
		records = append(records, r)
		whole += end + 1
	}
	if tail := b[whole:]; len(tail) > 0 {
		if _, err := decodeLine(tail[:len(tail)-1]); err == nil {
			return nil, 0, fmt.Errorf("line %d: its line end was overwritten: %w", len(records)+1, ErrDamaged)
		}
	}
	return records, whole, nil
}

// Keep makes the journal hold decisions as the history of a rollout from its
// first decision on, of which the first accepted are known to be in the log:
// all of it, or after an error or a crash nothing. What it holds already is not
// written again. A decision that the log never had gives way to another under
// its number; one that it had does not: then Keep returns ErrDamaged, wrapped.
func (j *Journal) Keep(service, rollout string, decisions []haldane.Decision, accepted int) error {
	var has history
	if h := j.kept[name{service, rollout}]; h != nil {
		has = *h
	}
	i := min(has.accepted, len(decisions)) // those before are looked at by reconcile
	for i < min(len(has.decisions), len(decisions)) && same(has.decisions[i], decisions[i]) {
		i++
	}
	if i == len(decisions) && i == len(has.decisions) && accepted == has.accepted {
		return nil
	}
	e := entry{Service: service, Rollout: rollout, Decisions: decisions[i:], Accepted: accepted}
	if err := j.kept.check(e); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := j.write(record{Entry: &e}); err != nil {
		return err
	}
	return j.kept.add(e)
}

// Histories returns what the journal holds of every rollout: its decisions
// from the first on, by service and name.
func (j *Journal) Histories() map[[2]string][]haldane.Decision {
	all := make(map[[2]string][]haldane.Decision, len(j.kept))
	for n, h := range j.kept {
		all[[2]string{n.service, n.rollout}] = h.decisions
	}
	return all
}

// write appends r and makes it durable. What was written of a record that
// failed is cut off again; where even that fails, the end of the file is not
// known any more, and nothing can be written until the journal is reopened.
func (j *Journal) write(r record) error {
	if j.broken != nil {
		return fmt.Errorf("write %s, which failed before (restart once the disk is well): %w", j.path, j.broken)
	}
	line, err := encodeLine(r)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(line); err != nil {
		if cut := j.file.Truncate(j.size); cut != nil {
			j.broken = errors.Join(err, cut)
		}
		return fmt.Errorf("write %s: %w", j.path, err)
	}
	// After a failed fsync nobody knows what is on the disk, nor does a second one say.
	if err := j.file.Sync(); err != nil {
		j.broken = err
		return fmt.Errorf("sync %s: %w", j.path, err)
	}
	j.size += int64(len(line))
	return nil
}

// Close closes the file and gives up the lock.
func (j *Journal) Close() error {
	if err := j.file.Close(); err != nil {
		return fmt.Errorf("close %s: %w", j.path, err)
	}
	return nil
}
