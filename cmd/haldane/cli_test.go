package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api/apitest"
)

func TestExitCodes(t *testing.T) {
	t.Setenv("HALDANE_SERVER", "http://127.0.0.1:1") // where nobody is
	for _, tt := range []struct {
		claim string
		args  string
		code  int
		says  string
	}{
		{"help is what is wanted", "--help", exitFine, "Exit codes"},
		{"no command shows help", "", exitFine, "haldane attach"},
		{"a command that is none", "rollot", exitUsage, "did you mean rollout?"},
		{"a command that is like none", "xyzzy", exitUsage, "there are account, attach"},
		{"a flag that is none", "rollout list --colour", exitUsage, "--colour"},
		{"a group alone shows its help", "rollout", exitUsage, "rollback"},
		{"a verb that is none", "rollout explode", exitUsage, `no command "haldane rollout explode"`},
		{"a verb without a name", "rollout rollback", exitUsage, "usage: haldane rollout rollback NAME"},
		{"a server that is not a URL", "rollout list --server 127.0.0.1", exitUsage, "write its URL"},
		{"a server that is not there", "rollout list", exitFailed, "is `haldane serve` running?"},
		{"two ways to write at once", "attach x --plain --json", exitUsage, "exclude one another"},
		{"a kind that is none", "events --kind exploded", exitUsage, "rolledback"},
		{"a time to come", "events --since -1h", exitUsage, "how far back"},
		{"a role that is none", "serve --roles proxy,judge,king", exitUsage, `no role "king"`},
		{"a configuration that is not there", "serve -c /nowhere/haldane.yaml", exitUsage, "/nowhere/haldane.yaml"},
		{"a level that is none", "serve --log-level loud", exitUsage, "loud"},
		{"the version", "version", exitFine, "haldane "},
		{"completion", "completion bash", exitFine, "haldane"},
		{"completion for a shell that is none", "completion cmd.exe", exitUsage, "cmd.exe"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			code, stdout, stderr := cli(t, strings.Fields(tt.args)...)
			if code != tt.code || !strings.Contains(stdout+stderr, tt.says) {
				t.Errorf("haldane %s: exit %d, want %d; no word of %q in\n%s%s", tt.args, code, tt.code, tt.says, stdout, stderr)
			}
			if code == exitFine && stderr != "" {
				t.Errorf("haldane %s complains: %s", tt.args, stderr)
			}
		})
	}
}

func TestConfigCheckTellsEverything(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "haldane.yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	r := newRig(t)
	r.canary.Close() // does not answer: a warning
	good := write(r.yaml())
	bad := write("services:\n- name: shop\n  trakcs: {}\nproxy: {listen: nowhere}\n")
	var b strings.Builder
	for _, args := range [][]string{{"config", "check", good}, {"config", "check", "--offline", good}, {"config", "check", bad}} {
		code, stdout, stderr := cli(t, args...)
		b.WriteString(stdout + stderr + "(exit " + string(rune('0'+code)) + ")\n\n")
	}
	out := b.String()
	for _, path := range []string{good, bad} {
		out = strings.ReplaceAll(out, path, "haldane.yaml")
	}
	golden(t, "check.golden", timeless(out))
}

func TestAttachWithoutANameListsThoseThatRun(t *testing.T) {
	done := apitest.Stepping("old-1")
	done.Phase = haldane.Completed
	world := apitest.NewWorld(done, apitest.Stepping("shop-2"))
	t.Setenv("HALDANE_SERVER", world.Serve(t).URL)
	t.Setenv("HALDANE_TOKEN", apitest.Token)
	if _, err := world.Do(t.Context(), "shop-2", "rollback", "alice", "enough"); err != nil {
		t.Fatal(err)
	}
	world.Set(apitest.Stepping("shop-3"))
	world.Set(apitest.Stepping("shop-4"))
	code, _, stderr := cli(t, "attach")
	if code != exitUsage || !strings.Contains(stderr, "2 rollouts are running") || !strings.Contains(stderr, "shop-3") {
		t.Errorf("exit %d, %s; want a list of those that run", code, stderr)
	}
	if code, _, stderr := cli(t, "attach", "shop-5"); code != exitFailed || !strings.Contains(stderr, "no such rollout") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	code, stdout, stderr := cli(t, "attach", "shop-2") // no terminal here: plain lines
	if code != exitFine || !strings.Contains(stdout, "rolledback 5 % → 0 %, alice: enough") {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
}

func TestNamesCanBeCompleted(t *testing.T) {
	t.Setenv("HALDANE_SERVER", apitest.NewWorld(apitest.Stepping("shop-2")).Serve(t).URL)
	code, stdout, _ := cli(t, "__complete", "rollout", "hold", "")
	if code != exitFine || !strings.HasPrefix(stdout, "shop-2\n") {
		t.Errorf("exit %d, %q", code, stdout)
	}
}

func TestGetPrintsAllThatIsKnown(t *testing.T) {
	t.Setenv("HALDANE_SERVER", apitest.NewWorld(apitest.Stepping("shop-2")).Serve(t).URL)
	_, list, _ := cli(t, "rollout", "list")
	_, get, _ := cli(t, "rollout", "get", "shop-2")
	_, asJSON, _ := cli(t, "rollout", "get", "shop-2", "--json")
	golden(t, "get.golden", timeless(list+"\n"+get+"\n"+asJSON))
}
