package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// program builds haldane as `make build` does, and returns where it is.
func program(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "haldane")
	cmd := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return path
}

// A process is a haldane that runs by itself.
type process struct {
	b     *testing.B
	cmd   *exec.Cmd
	stop  context.CancelFunc
	began time.Time
	says  *heard
	ended chan error // one
}

// launch starts haldane, which is expected to say something.
func launch(b *testing.B, pattern, binary string, args ...string) *process {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	p := &process{b: b, cmd: exec.CommandContext(ctx, binary, args...), stop: stop, says: hear(pattern), ended: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = p.says, p.says
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = 20 * time.Second // then it is killed
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	return p
}

// hears waits for what the process is expected to say, and returns it.
func (p *process) hears() string {
	p.b.Helper()
	select {
	case found := <-p.says.found:
		return found
	case <-time.After(2 * time.Minute):
		p.b.Fatalf("%v: not a word of that\n%s", p.cmd, p.says)
		return ""
	}
}

// end tells the process to end, and waits for it.
func (p *process) end() {
	p.b.Helper()
	p.stop()
	if err := <-p.ended; err != nil && !errors.Is(err, context.Canceled) {
		p.b.Errorf("%v: %v\n%s", p.cmd, err, p.says)
	}
}
