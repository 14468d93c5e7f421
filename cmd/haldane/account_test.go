package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haldane-canary/haldane"
)

func TestAVerdictCanBeMadeAgainFromWhatWasStored(t *testing.T) {
	r := newRig(t)
	r.canary.failing.Store(true)
	s := r.start()
	s.until(haldane.RolledBack)
	s.recorded(haldane.KindRolledBack)

	code, out, stderr := s.cli("account", "replay", "shop-2")
	if code != exitFine || !strings.Contains(out, "2 rolledback: fail again, equal to the bit") {
		t.Errorf("exit %d, %s%s", code, out, stderr)
	}
	if code, out, _ := s.cli("account", "list"); code != exitFine || !strings.Contains(out, "shop-2") {
		t.Errorf("list: exit %d, %s", code, out)
	}

	if code, out, _ := s.cli("account", "show", "shop-2"); code != exitFine || !strings.Contains(out, "rolledback") || !strings.Contains(out, "errors") {
		t.Errorf("show: exit %d, %s", code, out)
	}

	// Without the server, from a file; and what was tampered with is found.
	_, stream, _ := s.cli("events", "--json")
	honest, forged := filepath.Join(t.TempDir(), "honest"), filepath.Join(t.TempDir(), "forged")
	for path, text := range map[string]string{honest: stream, forged: strings.Replace(stream, `"log_e":`, `"log_e":1`, 1)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, stderr := cli(t, "account", "replay", "shop-2", "--events", honest); code != exitFine {
		t.Errorf("honest: exit %d, %s%s", code, out, stderr)
	}
	if code, out, stderr := cli(t, "account", "replay", "shop-2", "--events", forged); code != exitFailed || !strings.Contains(stderr, "1 of 1 verdicts") {
		t.Errorf("forged: exit %d, %s%s", code, out, stderr)
	}
	if code, _, stderr := cli(t, "account", "replay", "other", "--events", honest); code != exitFailed || !strings.Contains(stderr, "none on other") {
		t.Errorf("another's: exit %d, %s", code, stderr)
	}
}
