package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/demo"
)

// What people wait for, and what it costs, measured on the program as it is
// installed. `make bench` runs these; nothing depends on how they come out.

// BenchmarkServeStart measures the time from the start of `haldane serve` to
// the end of its first answer: on a new data folder, and on one with a rollout
// under way.
func BenchmarkServeStart(b *testing.B) {
	binary := program(b)
	scene, err := demo.Find("good")
	if err != nil {
		b.Fatal(err)
	}
	shop := demo.Places{Proxy: "127.0.0.1:0", Admin: "127.0.0.1:0", Bus: "127.0.0.1:0"}
	shop.Baseline, shop.Canary = open(b, scene.Baseline), open(b, scene.Canary)
	start := func(dir string) time.Duration {
		shop.Dir = filepath.Join(dir, "data")
		text, err := scene.Config(shop)
		if err != nil {
			b.Fatal(err)
		}
		file := filepath.Join(dir, "haldane.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			b.Fatal(err)
		}
		p := launch(b, `msg=serving proxy=(\S+) `, binary, "serve", "-c", file)
		defer p.end()
		resp, err := http.Get(p.hears())
		if err != nil {
			b.Fatal(err)
		}
		took := time.Since(p.began)
		if resp.Body.Close() != nil || resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable {
			b.Fatalf("the first answer: %s", resp.Status)
		}
		return took
	}
	b.Run("new", func(b *testing.B) {
		var all durations
		for b.Loop() {
			all = append(all, start(b.TempDir()))
		}
		all.report(b, time.Millisecond, "ms/start")
	})
	b.Run("again", func(b *testing.B) {
		var all durations
		dir := b.TempDir()
		start(dir)
		for b.Loop() {
			all = append(all, start(dir))
		}
		all.report(b, time.Millisecond, "ms/start")
	})
}

// BenchmarkOutage measures how long a canary that fails every request still
// gets some: from its first failure, and from its fifth, to the moment at which
// the proxy sends it no more. Between the two is what the traffic takes; after
// the last that was needed there is counting, telling, judging, deciding and
// writing down.
func BenchmarkOutage(b *testing.B) {
	var first, fifth durations
	var failures uint64
	for b.Loop() {
		at, out := outage(b, rand.Uint64())
		first, failures = append(first, out.Sub(at[0])), failures+uint64(len(at))
		if len(at) >= 5 {
			fifth = append(fifth, out.Sub(at[4]))
		}
	}
	first.report(b, time.Millisecond, "ms/after-1st")
	if len(fifth) > 0 { // where they are close together, fewer do
		fifth.report(b, time.Millisecond, "ms/after-5th")
	}
	b.ReportMetric(float64(failures)/float64(len(first)), "failures/rollback")
}

// outage plays the scene of this name until the canary is out. It returns when
// its requests failed, and when it was out.
func outage(b *testing.B, seed uint64) (failed []time.Time, out time.Time) {
	b.Helper()
	st, end := perform(b, demoFlags{scene: "outage", seed: seed})
	defer end()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	giveUp := time.After(time.Minute)
	for begun := false; ; {
		select {
		case <-giveUp:
			b.Fatal("no rollback within a minute")
		case now := <-look.C:
			for n := failuresOf(st); n > uint64(len(failed)); {
				failed = append(failed, now)
			}
		}
		for _, split := range st.server.proxy.Splits() {
			if begun && split.Weight == 0 {
				return failed, time.Now()
			}
			begun = begun || split.Weight > 0
		}
	}
}

// failuresOf returns how many requests the canary has failed, as long as its
// rollout is counted.
func failuresOf(st *stage) (n uint64) {
	for _, r := range st.server.tally.Reports(time.Now()) {
		for _, w := range r.Windows {
			for class, count := range w.Classes {
				if w.Track == haldane.Canary && haldane.Class(class).Failed() {
					n += count
				}
			}
		}
	}
	return n
}

// BenchmarkFirstAdvance measures the time from the start of `haldane demo
// --scene good` to its first change of weight.
func BenchmarkFirstAdvance(b *testing.B) { firstDecision(b, "good", haldane.KindWeight) }

// BenchmarkRollback measures the time from the start of `haldane demo --scene
// bad` to the rollback.
func BenchmarkRollback(b *testing.B) { firstDecision(b, "bad", haldane.KindRolledBack) }

// firstDecision plays a scene until a decision of a kind is told. How long that
// takes is chance, too: the seed is another one each time.
func firstDecision(b *testing.B, scene string, kind haldane.Kind) {
	b.Helper()
	binary := program(b)
	var all durations
	for b.Loop() {
		p := launch(b, `("type":"dev\.haldane\.rollout\.`+string(kind)+`\.v1")`,
			binary, "demo", "--scene", scene, "--json", "--seed", strconv.FormatUint(rand.Uint64(), 10))
		p.hears()
		all = append(all, time.Since(p.began))
		p.end()
	}
	all.report(b, time.Second, "s/decision")
}

// BenchmarkDemoMemory measures how much memory `haldane demo --scene good` has
// in use at most, from its start to its end: two versions of the shop, its
// people, a NATS server and all of Haldane. It wants Linux.
func BenchmarkDemoMemory(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("the kernel's own count of a process's memory is read from /proc")
	}
	binary := program(b)
	var most float64
	for b.Loop() {
		p := launch(b, `(ended as it should)`, binary, "demo", "--scene", "good", "--headless")
		look := time.NewTicker(50 * time.Millisecond)
		for over := false; !over; {
			select {
			case err := <-p.ended:
				p.ended <- err
				over = true
			case <-look.C:
				most = max(most, peak(p.cmd.Process.Pid))
			}
		}
		look.Stop()
		p.hears()
		p.end()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(most, "MiB-peak")
}

// peak returns the most memory that a process has had in use so far, in MiB;
// 0 if it has ended.
func peak(pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	var kB float64
	for line := range strings.Lines(string(status)) {
		if n, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err = strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(n), " kB"), 64)
		}
	}
	if err != nil {
		return 0
	}
	return kB / 1024
}

// open opens a version of the shop until the benchmark ends.
func open(b *testing.B, behaviour demo.Behaviour) string {
	b.Helper()
	u, err := demo.Listen("1", behaviour, 1)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return u.URL()
}

// Durations are what was measured, round by round.
type durations []time.Duration

// report reports the mean in place of the time of a whole round, which holds
// what is not of interest.
func (d durations) report(b *testing.B, unit time.Duration, name string) {
	var sum time.Duration
	for _, one := range d {
		sum += one
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(sum)/float64(unit)/float64(len(d)), name)
}
