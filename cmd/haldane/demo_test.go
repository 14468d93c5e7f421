package main

import (
	"strings"
	"testing"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
)

func TestADemoTellsEveryDecisionBeforeItEnds(t *testing.T) {
	code, out, stderr := cli(t, "demo", "--scene", "outage", "--headless", "--json")
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var kinds []haldane.Kind
	for line := range strings.Lines(out) {
		d, err := events.Decode([]byte(line))
		if err != nil {
			t.Fatalf("%q is no event: %v", line, err)
		}
		if kinds = append(kinds, d.Kind); d.Seq != uint64(len(kinds)) {
			t.Errorf("event %d has the number %d", len(kinds), d.Seq)
		}
	}
	if len(kinds) != 2 || kinds[0] != haldane.KindStarted || kinds[1] != haldane.KindRolledBack {
		t.Errorf("told %v, want started and rolledback", kinds)
	}
	if !strings.Contains(stderr, "ended as it should") || !strings.Contains(stderr, " 0 failures, 0 broken") {
		t.Errorf("nobody should notice a dead canary; got %s", stderr)
	}
}

func TestADemoThatCannotEndWellSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"too little time":    {[]string{"--scene", "good", "--headless", "--duration", "300ms"}, exitFailed, "not come to rest"},
		"an unknown scene":   {[]string{"--scene", "merry"}, exitUsage, `scene "merry"`},
		"a negative time":    {[]string{"--duration", "-1s"}, exitUsage, "--duration -1s"},
		"something to spare": {[]string{"good"}, exitUsage, "good"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := cli(t, append([]string{"demo"}, c.args...)...)
			if code != c.code || !strings.Contains(stderr, c.want) {
				t.Errorf("exit %d, %s; want exit %d and %q", code, stderr, c.code, c.want)
			}
		})
	}
}

func TestADemoThatIsWatchedEndsWhenTold(t *testing.T) {
	code, out, stderr := cli(t, "demo", "--scene", "good", "--duration", "1s")
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{"haldane attach --server http://127.0.0.1:", "nats --server nats://127.0.0.1:"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("does not say where to look: no %q in\n%s", want, stderr)
		}
	}
	if !strings.Contains(out, "stepping, step 1/3") {
		t.Errorf("does not tell what happens:\n%s", out)
	}
}
