package proxy_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/proxy"
)

// someSplits are two splits with every field set.
func someSplits() []haldane.Split {
	since := time.Date(2026, 11, 22, 17, 0, 0, 1, time.UTC)
	a := haldane.Split{Service: "shop", Rollout: "shop-1.5.0.2", Generation: 2, Epoch: 7, Weight: 500,
		Phase: haldane.Stepping, Step: 2, Since: since, Started: since.Add(-time.Hour)}
	b := a
	b.Service, b.Rollout, b.Generation = "till", "till \"7\" é", 1
	return []haldane.Split{a, b}
}

func TestSplitFileKeepsSplits(t *testing.T) {
	file := proxy.SplitFile{Path: filepath.Join(t.TempDir(), "splits.json")}
	if got, err := file.Load(); err != nil || got != nil {
		t.Errorf("without a file: %v, %v; want none", got, err)
	}
	for _, splits := range [][]haldane.Split{someSplits(), {}, someSplits()[:1]} {
		if err := file.Save(splits); err != nil {
			t.Fatal(err)
		}
		if got, err := file.Load(); err != nil || !reflect.DeepEqual(got, splits) {
			t.Errorf("got %v, %v; want %v", got, err, splits)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(file.Path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v: want the file alone", entries, err)
	}
	if info, err := os.Stat(file.Path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v: want it readable to its owner alone", info.Mode(), err)
	}
	if err := file.Save(nil); err != nil {
		t.Error(err)
	}
}

// Whatever single byte is changed, and wherever the file is cut, what is read
// is what was saved or an error; never another weight.
func TestSplitFileNoticesDamage(t *testing.T) {
	file := proxy.SplitFile{Path: filepath.Join(t.TempDir(), "splits.json")}
	if err := file.Save(someSplits()); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file.Path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for _, flip := range []byte{0x01, 0x20, 0x80} {
			bad := append([]byte(nil), good...)
			bad[i] ^= flip
			if got, err := proxy.DecodeSplits(bad); err == nil && !reflect.DeepEqual(got, someSplits()) {
				t.Fatalf("byte %d changed: read %v", i, got)
			}
		}
		if got, err := proxy.DecodeSplits(good[:i]); err == nil && !reflect.DeepEqual(got, someSplits()) {
			t.Fatalf("cut at byte %d: read %v", i, got)
		}
	}
}

func TestSplitFileErrorsSayWhatToDo(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "splits.json")
	for name, content := range map[string]string{
		"empty":          "",
		"no JSON":        "splits",
		"another format": `{"format":2,"sha256":"","splits":[]}`,
		"no checksum":    `{"format":1,"splits":[]}`,
		"more fields":    `{"format":1,"sha256":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","splits":[],"x":1}`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := proxy.SplitFile{Path: path}.Load()
		if !errors.Is(err, proxy.ErrSplitFile) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("%s: %v; want ErrSplitFile, the path and what to do", name, err)
		}
	}
	if _, err := (proxy.SplitFile{Path: dir}).Load(); err == nil || errors.Is(err, proxy.ErrSplitFile) {
		t.Errorf("a directory: %v; want an error that is not the file's", err)
	}
	if err := (proxy.SplitFile{Path: filepath.Join(dir, "none", "splits.json")}).Save(nil); err == nil {
		t.Error("saved into a directory that is not there")
	}
}

func FuzzSplitFile(f *testing.F) {
	good, err := proxy.EncodeSplits(someSplits())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format":1,"sha256":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","splits":[]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		splits, err := proxy.DecodeSplits(b)
		if err != nil {
			return
		}
		again, err := proxy.EncodeSplits(splits)
		if err != nil {
			t.Fatalf("read %q, cannot write it: %v", b, err)
		}
		if back, err := proxy.DecodeSplits(again); err != nil || len(back) != len(splits) {
			t.Fatalf("%q written as %s and read as %v, %v", b, again, back, err)
		}
	})
}
