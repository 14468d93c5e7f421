package rollout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The files by which a data folder is known.
const (
	markerFile  = "haldane.json"
	journalFile = "journal.ndjson"
	format      = 1
)

// A marker says that a folder is a data folder, and which: the journal in it
// begins with the same.
type marker struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
}

// claim returns the marker of the data folder dir, and whether it is new. A
// folder that is absent or empty becomes one; one that has lost a part, or
// that is somebody else's, is an error, for a fresh start in it would forget
// decisions that are in force.
//
// The journal's first line is written before the marker, so a crash between
// the two leaves a folder that holds nothing but the beginning of a journal:
// such a folder counts as empty.
func claim(dir string) (m marker, fresh bool, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return m, false, fmt.Errorf("create data folder: %w", err)
	}
	path := filepath.Join(dir, markerFile)
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return m, true, claimable(dir)
	case err != nil:
		return m, false, fmt.Errorf("read data folder: %w", err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, false, fmt.Errorf("%s: %w: %w (restore the whole folder from a backup)", path, ErrDamaged, err)
	}
	if m.Format != format {
		return m, false, fmt.Errorf("%s: format %d, this version knows %d: %w (use the version that wrote it)",
			path, m.Format, format, ErrDamaged)
	}
	if _, err := os.Stat(filepath.Join(dir, journalFile)); err != nil {
		return m, false, fmt.Errorf("%s says that this is a data folder, but its journal cannot be found: %w: %w "+
			"(restore the whole folder from a backup; or, to begin anew with every rollout, move it away)", path, ErrDamaged, err)
	}
	return m, false, nil
}

// claimable returns ErrDamaged, wrapped, unless dir, which has no marker,
// holds nothing that could be lost.
func claimable(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read data folder: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case name == "lost+found", name == markerFile+tempSuffix:
		case name == markerFile:
			return fmt.Errorf("folder %s was made a data folder by another process just now: %w", dir, ErrDamaged)
		case name == journalFile:
			if err := unborn(filepath.Join(dir, name)); err != nil {
				return err
			}
		default:
			return fmt.Errorf("folder %s holds %s but no %s, so it is not, or no longer, a data folder: %w "+
				"(name an empty folder; or restore the whole folder from a backup)", dir, name, markerFile, ErrDamaged)
		}
	}
	return nil
}

// unborn returns ErrDamaged, wrapped, unless the journal at path, which has no
// marker beside it, never got beyond its first line.
func unborn(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	lines, _, err := splitLines(b)
	if err != nil || len(lines) > 1 || len(lines) == 1 && lines[0].Header == nil {
		return fmt.Errorf("%s holds decisions, but %s beside it is gone: %w (restore the whole folder from a backup)",
			path, markerFile, ErrDamaged)
	}
	return nil
}

const tempSuffix = ".tmp"

// writeMarker puts m in place as a whole or not at all.
func writeMarker(dir string, m marker) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode marker: %w", err)
	}
	temp := filepath.Join(dir, markerFile+tempSuffix)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write marker: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write marker: %w", err)
	}
	if err := os.Rename(temp, filepath.Join(dir, markerFile)); err != nil {
		return fmt.Errorf("write marker: %w", err)
	}
	return syncDir(dir)
}

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync data folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync data folder: %w", err)
	}
	return nil
}
