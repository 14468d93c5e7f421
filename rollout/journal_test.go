package rollout

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haldane-canary/haldane"
)

// openJournal returns the journal of dir, closed with the test.
func openJournal(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := OpenJournal(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // some tests close it before
	return j
}

// life returns the decisions of a rollout that climbs two steps and is rolled
// back.
func life(rollout string) []haldane.Decision {
	s := NewState("shop", rollout, 1, haldane.Versions{Baseline: "1.4.0", Canary: "1.5.0"})
	var ds []haldane.Decision
	for _, next := range []func() Move{
		func() Move { return ramp().start("go") },
		func() Move { return ramp().forward(s, on(s, haldane.Pass)) },
		func() Move { return ramp().back(s, "worse", on(s, haldane.Fail)) },
	} {
		d := decide(s, next(), haldane.ControllerActor, noon)
		ds = append(ds, d)
		var err error
		if s, err = s.Apply(d); err != nil {
			panic(err)
		}
	}
	return ds
}

// written writes ds to a new journal, the first accepted of them as such, and
// returns its folder.
func written(t *testing.T, ds []haldane.Decision, accepted int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	j := openJournal(t, dir)
	for n := range ds { // a line for each, as they are made
		if err := j.Keep("shop", "r", ds[:n+1], min(n+1, accepted)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// holds fails the test unless j holds ds, accepted of them in the log.
func holds(t *testing.T, j *Journal, ds []haldane.Decision, accepted int) {
	t.Helper()
	h := j.kept[name{"shop", "r"}]
	if h == nil {
		h = &history{}
	}
	if len(h.decisions) != len(ds) || h.accepted != accepted {
		t.Fatalf("journal holds %d decisions, %d accepted; want %d, %d", len(h.decisions), h.accepted, len(ds), accepted)
	}
	for i, d := range ds {
		if !same(h.decisions[i], d) {
			t.Errorf("decision %d is %+v, want %+v", i+1, h.decisions[i], d)
		}
	}
}

func TestJournalRemembers(t *testing.T) {
	ds := life("r")
	dir := written(t, ds, 2)
	j := openJournal(t, dir)
	holds(t, j, ds, 2)
	if err := j.Keep("shop", "r", ds, 3); err != nil {
		t.Fatal(err)
	}
	size := j.size
	if err := j.Keep("shop", "r", ds, 3); err != nil || j.size != size {
		t.Errorf("keeping the same again wrote %d bytes (%v), want none", j.size-size, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = openJournal(t, dir)
	holds(t, j, ds, 3)
	if got := j.Histories()[[2]string{"shop", "r"}]; len(got) != 3 {
		t.Errorf("Histories gives %d decisions, want 3", len(got))
	}
}

func TestJournalTakesAnotherDecisionOnlyWhereTheLogHadNone(t *testing.T) {
	ds := life("r")
	dir := written(t, ds, 2)
	j := openJournal(t, dir)
	other := ds[2]
	other.Kind, other.Actor = haldane.KindAborted, "ops"
	if err := j.Keep("shop", "r", []haldane.Decision{ds[0], ds[1], other}, 3); err != nil {
		t.Fatal(err)
	}
	gap := other
	gap.Seq = 5
	for claim, e := range map[string]entry{
		"another that the log had": {"shop", "r", ds[2:3], 3},
		"fewer in the log":         {"shop", "r", nil, 2},
		"more in the log":          {"shop", "r", nil, 4},
		"a gap":                    {"shop", "r", []haldane.Decision{gap}, 3},
		"of another rollout":       {"shop", "q", ds[:1], 1},
	} {
		if err := j.kept.add(e); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v, want ErrDamaged", claim, err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, openJournal(t, dir), []haldane.Decision{ds[0], ds[1], other}, 3)
}

func TestJournalIsOpenedOnce(t *testing.T) {
	dir := t.TempDir()
	openJournal(t, dir)
	if j, err := OpenJournal(dir, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "in use") {
		_ = j.Close()
		t.Errorf("got %v, want it to be in use", err)
	}
}

// reopened opens the journal of dir after its file was changed to b, and
// returns what was logged.
func reopened(t *testing.T, dir string, b []byte) (j *Journal, logged string, err error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, journalFile), b, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	j, err = OpenJournal(dir, slog.New(slog.NewTextHandler(&log, nil)))
	return j, log.String(), err
}

func TestTornTailIsDroppedAndReported(t *testing.T) {
	ds := life("r")
	dir := written(t, ds, 2)
	whole, err := os.ReadFile(filepath.Join(dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	tails := map[string][]byte{"zeros": append(whole[:last:last], make([]byte, 512)...)}
	for _, cut := range []int{last + 1, last + 20, (last + len(whole)) / 2, len(whole) - 1} {
		tails["cut at "+string(rune('0'+len(tails)))] = whole[:cut:cut]
	}
	for claim, b := range tails {
		j, logged, err := reopened(t, dir, b)
		if err != nil {
			t.Errorf("%s: %v", claim, err)
			continue
		}
		holds(t, j, ds[:2], 2)
		if !strings.Contains(logged, "torn") {
			t.Errorf("%s: logged %q, want it to tell of the torn line", claim, logged)
		}
		// The journal goes on behind the cut.
		if err := errors.Join(j.Keep("shop", "r", ds, 3), j.Close()); err != nil {
			t.Fatal(err)
		}
		j = openJournal(t, dir)
		holds(t, j, ds, 3)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoFlippedByteIsAccepted flips every byte of the last record, its line
// end included, in two ways.
func TestNoFlippedByteIsAccepted(t *testing.T) {
	dir := written(t, life("r"), 2)
	whole, err := os.ReadFile(filepath.Join(dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for i := last; i < len(whole); i++ {
		for _, flip := range []byte{0x01, 0x20} {
			b := bytes.Clone(whole)
			b[i] ^= flip
			if _, _, err := splitLines(b); !errors.Is(err, ErrDamaged) {
				t.Fatalf("byte %d (%q) became %q: got %v, want ErrDamaged", i, whole[i], b[i], err)
			}
		}
	}
	whole[last+40] ^= 1
	if _, _, err := reopened(t, dir, whole); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "line 4") ||
		!strings.Contains(err.Error(), journalFile) {
		t.Errorf("got %v, want ErrDamaged with file and line", err)
	}
}

func TestDamagedFolderIsNeverAFreshStart(t *testing.T) {
	write := func(name, text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600) }
	}
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
	}
	for claim, damage := range map[string]func(dir string) error{
		"journal emptied":          write(journalFile, ""),
		"journal of zeros":         write(journalFile, "\x00\x00\x00\x00"),
		"journal removed":          remove(journalFile),
		"marker removed":           remove(markerFile),
		"marker emptied":           write(markerFile, ""),
		"marker of another folder": write(markerFile, `{"format":1,"created":"2020-01-01T00:00:00Z"}`),
		"marker of the future":     write(markerFile, `{"format":2,"created":"2020-01-01T00:00:00Z"}`),
		"both removed, others left": func(dir string) error {
			return errors.Join(remove(markerFile)(dir), remove(journalFile)(dir), write("operator.token", "x")(dir))
		},
	} {
		dir := written(t, life("r"), 3)
		if err := damage(dir); err != nil {
			t.Fatal(err)
		}
		for range 2 { // nor at the second try
			j, err := OpenJournal(dir, slog.New(slog.DiscardHandler))
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: got %v, want ErrDamaged", claim, err)
			}
			if j != nil {
				_ = j.Close()
			}
		}
	}
	if _, err := OpenJournal(filepath.Join(t.TempDir(), "a\x00b"), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a folder that cannot be was made")
	}
}

func TestCrashDuringTheFirstStartIsAFreshStart(t *testing.T) {
	header, err := encodeLine(record{Header: &marker{Format: format, Created: noon}})
	if err != nil {
		t.Fatal(err)
	}
	for claim, b := range map[string][]byte{"nothing yet": {}, "half a header": header[:9], "a header, no marker": header} {
		dir := t.TempDir()
		j, _, err := reopened(t, dir, b)
		if err != nil {
			t.Errorf("%s: %v", claim, err)
			continue
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		openJournal(t, dir)
	}
}
