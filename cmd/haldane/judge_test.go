package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
)

// A stream is a recording made for a test.
type stream struct {
	n                  int
	weight             float64 // of the draw
	tell               bool    // whether the lines say it
	baseline, canary   float64 // shares of failures
	stretch            float64 // of the canary's latencies
	tail               bool    // the canary's slowest hundredth takes three times as long
	clients, perClient int     // sticky clients, if any
	seed               uint64
}

// lines returns the recording, two milliseconds between observations.
func (s stream) lines() []byte {
	rng := rand.New(rand.NewPCG(s.seed, 9))
	at := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)
	var b bytes.Buffer
	for i := range s.n {
		track, p := "baseline", s.baseline
		draw := rng.Float64()
		client := ""
		if s.clients > 0 {
			// Clients that come again, in bursts, and fail in bursts too.
			id := i / s.perClient % s.clients
			draw = rand.New(rand.NewPCG(uint64(id), s.seed)).Float64()
			client = fmt.Sprintf(`,"client":"c%d"`, id)
			p = 0
			if id%50 == 0 {
				p = 1
			}
		}
		z := rng.NormFloat64()
		latency := 20 * math.Exp(0.5*z)
		if draw < s.weight {
			track = "canary"
			if s.clients == 0 {
				p = s.canary
			}
			latency *= max(s.stretch, 1)
			if s.tail && z > 2.326 {
				latency *= 3
			}
		}
		status := 200
		if rng.Float64() < p {
			status = 503
		}
		told := ""
		if s.tell {
			told = fmt.Sprintf(`,"weight":%v`, s.weight)
		}
		at = at.Add(2 * time.Millisecond)
		fmt.Fprintf(&b, `{"ts":"%s","track":"%s","route":"/","status":%d,"latency_ms":%.3f%s%s}`+"\n",
			at.Format(time.RFC3339Nano), track, status, latency, told, client)
	}
	return b.Bytes()
}

// judge runs the command on in.
func judge(t *testing.T, in []byte, args ...string) (code int, out string) {
	t.Helper()
	var stdout bytes.Buffer
	code = run(t.Context(), append(append([]string{"judge"}, args...), "-"), bytes.NewReader(in), &stdout, &stdout)
	return code, stdout.String()
}

// verdict runs the command with --json and reads what it says.
func verdict(t *testing.T, in []byte, args ...string) (int, haldane.Verdict) {
	t.Helper()
	code, out := judge(t, in, append(args, "--json")...)
	var v haldane.Verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("exit %d, not a verdict: %v\n%s", code, err, out)
	}
	return code, v
}

func TestJudgeFindsWhatIsWorse(t *testing.T) {
	for name, c := range map[string]struct {
		stream
		culprit string
	}{
		"0.1 % to 1 % errors":           {stream{n: 100000, weight: 0.05, tell: true, baseline: 0.001, canary: 0.01}, haldane.Errors},
		"1 % to 2 % errors":             {stream{n: 200000, weight: 0.05, tell: true, baseline: 0.01, canary: 0.02}, haldane.Errors},
		"latency up by a fifth":         {stream{n: 150000, weight: 0.05, tell: true, stretch: 1.2}, haldane.Latency},
		"the slowest hundredth tripled": {stream{n: 200000, weight: 0.05, tell: true, tail: true}, haldane.Latency},
	} {
		t.Run(name, func(t *testing.T) {
			code, v := verdict(t, c.lines())
			if code != exitJudgedFail || v.Judgement != haldane.Fail {
				t.Fatalf("exit %d, %v: %s; want a failure", code, v.Judgement, v.Reason)
			}
			if !strings.HasPrefix(v.Reason, c.culprit+": ") {
				t.Errorf("reason %q does not begin with the culprit %s", v.Reason, c.culprit)
			}
			if v.Observations >= uint64(c.n) || v.CanaryObservations == 0 {
				t.Errorf("used %d observations, %d canary: want it to stop at the decision", v.Observations, v.CanaryObservations)
			}
		})
	}
}

func TestJudgeStaysAwayFromFailOnTwentyEqualStreams(t *testing.T) {
	for seed := range uint64(20) {
		s := stream{n: 40000, weight: 0.05, tell: seed%2 == 0, baseline: 0.002, canary: 0.002, seed: seed}
		if code, v := verdict(t, s.lines(), "--all"); code == exitJudgedFail || v.Judgement == haldane.Fail {
			t.Errorf("seed %d: exit %d: %s", seed, code, v.Reason)
		}
	}
}

func TestJudgeTakesStickyClientsAsUnits(t *testing.T) {
	// One client in fifty always fails, and each comes 200 times running: by
	// request that is overwhelming evidence of nothing.
	for seed := range uint64(10) {
		s := stream{n: 60000, weight: 0.1, tell: true, clients: 300, perClient: 200, seed: seed}
		code, v := verdict(t, s.lines(), "--all")
		if v.Judgement == haldane.Fail {
			t.Errorf("seed %d: exit %d: %s", seed, code, v.Reason)
		}
		if v.Observations != 300 {
			t.Errorf("seed %d: used %d observations, want one of each of 300 clients", seed, v.Observations)
		}
	}
}

func TestJudgeSaysWhatIsMissing(t *testing.T) {
	s := stream{n: 300, weight: 0.05, baseline: 0.001, canary: 0.001}
	code, v := verdict(t, s.lines())
	if code != exitJudgedUndecided || v.Needs.Requests == 0 || len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0], "--weight") {
		t.Errorf("exit %d, needs %d, warnings %q: want undecided, with needs and a warning about the weight",
			code, v.Needs.Requests, v.Warnings)
	}
	if _, v := verdict(t, s.lines(), "--weight", "0.05"); len(v.Warnings) != 0 {
		t.Errorf("with --weight: warnings %q, want none", v.Warnings)
	}
}

func TestJudgeIsDeterministic(t *testing.T) {
	in := stream{n: 30000, weight: 0.05, tell: true, baseline: 0.01, canary: 0.02}.lines()
	_, a := judge(t, in, "--json", "--all")
	_, b := judge(t, in, "--json", "--all")
	if a != b {
		t.Errorf("two runs differ:\n%s\n%s", a, b)
	}
}

func TestJudgeRefusesBadInput(t *testing.T) {
	good := string(stream{n: 3, weight: 0.05}.lines())
	for name, c := range map[string]struct {
		in   string
		args []string
		code int
		want string
	}{
		"a bad line":         {good + "{}\n", nil, exitFailed, "line 4: "},
		"nothing":            {"\n\n", nil, exitFailed, "no observations"},
		"an unknown margin":  {good, []string{"--margin", "smell=2"}, exitUsage, "INDICATOR=RATIO"},
		"a margin below one": {good, []string{"--margin", "errors=0.5"}, exitUsage, "ratio 0.5"},
		"an alpha of 2":      {good, []string{"--alpha", "2"}, exitUsage, "alpha 2"},
		"a weight of 5":      {good, []string{"--weight", "5"}, exitUsage, "--weight 5"},
		"an indicator":       {good, []string{"--indicators", "cpu"}, exitUsage, "cpu"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out := judge(t, []byte(c.in), c.args...)
			if code != c.code || !strings.Contains(out, c.want) {
				t.Errorf("exit %d, %q; want exit %d and %q", code, out, c.code, c.want)
			}
		})
	}
}

func TestJudgeReadsAFileAndPrintsForPeople(t *testing.T) {
	path := filepath.Join(t.TempDir(), "observations.ndjson")
	if err := os.WriteFile(path, stream{n: 50000, weight: 0.05, tell: true, baseline: 0.001, canary: 0.05}.lines(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"judge", path}, nil, &out, &out); code != exitJudgedFail {
		t.Fatalf("exit %d: %s", code, out.String())
	}
	for _, want := range []string{"fail: errors: canary", "indicator", "interval", "observations", "alpha 0.01"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output does not say %q:\n%s", want, out.String())
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	in := stream{n: 200000, weight: 0.05, tell: true, baseline: 0.002, canary: 0.002}.lines()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		code := run(b.Context(), []string{"judge", "--all", "-"}, bytes.NewReader(in), io.Discard, io.Discard)
		if code == exitFailed || code == exitUsage {
			b.Fatalf("exit %d", code)
		}
	}
	b.ReportMetric(200000*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
