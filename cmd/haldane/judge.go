package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
)

// Exit codes of judge beyond the usual ones.
const (
	exitJudgedFail      = 3
	exitJudgedUndecided = 4
)

// judgeFlags are the flags of judge as given.
type judgeFlags struct {
	alpha, alphaPromote float64
	margins, promotes   []string
	indicators          []string
	weight              float64
	warmup              time.Duration
	all, json           bool
}

// judgeCommand judges recorded observations.
func judgeCommand() *cobra.Command {
	var f judgeFlags
	cmd := &cobra.Command{
		Use:   "judge [flags] FILE|-",
		Short: "judge recorded observations offline",
		Long: `Judge reads observations, one JSON object a line in order of assignment, and
says whether the canary is worse than the margin tolerates (fail, exit 3),
good enough to be promoted (pass, exit 0) or neither yet (undecided, exit 4).
It stops at the first decision unless --all is given.

  {"ts":"2026-11-22T17:00:00.000000001Z","track":"canary","status":200,"latency_ms":12.3,
   "weight":0.05,"client":"c17","error":"timeout"}

ts, track and latency_ms are required. A status of 500 or more, or any error,
is a failure. weight is the probability with which the canary was drawn.
client, where present, is the sticky unit of assignment: each counts once.`,
		Example: `  haldane judge --weight 0.05 observations.ndjson
  zcat yesterday.gz | haldane judge --all --json -
  haldane judge --margin errors=1.5,0.002 --margin latency=1.2 observations.ndjson`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(args[0], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.Float64Var(&f.alpha, "alpha", 0.01, "bound on the chance of ever failing a canary that is not worse")
	flags.Float64Var(&f.alphaPromote, "alpha-promote", 0.05, "bound on the chance of passing a canary worse than the promotion margin")
	flags.StringArrayVar(&f.margins, "margin", nil, "harm tolerated, as INDICATOR=RATIO[,FLOOR] (default errors=1.1,0.001 and latency=1.1)")
	flags.StringArrayVar(&f.promotes, "promote", nil, "harm excluded for a pass, as INDICATOR=RATIO[,FLOOR] (default errors=1.5,0.005 and latency=1.25)")
	flags.StringSliceVar(&f.indicators, "indicators", []string{haldane.Errors, haldane.Latency}, "what to judge by")
	flags.Float64Var(&f.weight, "weight", 0, "probability of the canary, for lines that do not say (default: estimated)")
	flags.DurationVar(&f.warmup, "warmup", time.Minute, "how long from the canary's first request latencies are left out")
	flags.BoolVar(&f.all, "all", false, "read everything instead of stopping at the first decision")
	flags.BoolVar(&f.json, "json", false, "print the verdict as JSON")
	return cmd
}

// run judges the observations of path and prints the verdict.
func (f *judgeFlags) run(path string, stdin io.Reader, out io.Writer) error {
	spec, err := f.spec()
	if err != nil {
		return usageError(err)
	}
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("open the observations: %w", err)
		}
		defer func() { _ = file.Close() }() // only read
		in = file
	}
	weight := f.weight
	if weight == 0 {
		weight = math.NaN()
	}
	v, err := judgeStream(in, spec, weight, f.all)
	if err != nil {
		return fmt.Errorf("judge %s: %w", path, err)
	}
	if f.json {
		if err := json.NewEncoder(out).Encode(v); err != nil {
			return fmt.Errorf("print the verdict: %w", err)
		}
	} else if err := printVerdict(out, v); err != nil {
		return fmt.Errorf("print the verdict: %w", err)
	}
	switch v.Judgement {
	case haldane.Fail:
		return exitCode(exitJudgedFail)
	case haldane.Undecided:
		return exitCode(exitJudgedUndecided)
	case haldane.Pass:
	}
	return nil
}

// spec returns what the flags say is judged by.
func (f *judgeFlags) spec() (analyzer.Spec, error) {
	spec := analyzer.Spec{Alpha: f.alpha, AlphaPromote: f.alphaPromote, Warmup: f.warmup, Indicators: []haldane.Indicator{}}
	if !(f.weight >= 0 && f.weight < 1) {
		return spec, fmt.Errorf("--weight %v: give the canary's probability, above 0 and below 1", f.weight)
	}
	if f.alpha <= 0 || f.alphaPromote <= 0 {
		return spec, fmt.Errorf("--alpha %v, --alpha-promote %v: give probabilities above 0", f.alpha, f.alphaPromote)
	}
	if f.warmup < 0 {
		return spec, fmt.Errorf("--warmup %v: give 0 or more", f.warmup)
	}
	known := map[string]haldane.Indicator{}
	for _, ind := range haldane.DefaultIndicators() {
		known[ind.Name] = ind
	}
	set := func(flag string, values []string, assign func(*haldane.Indicator, haldane.Margin)) error {
		for _, value := range values {
			name, m, err := parseMargin(value)
			ind, ok := known[name]
			if err != nil || !ok {
				return fmt.Errorf("--%s %q: write INDICATOR=RATIO[,FLOOR], such as errors=1.1,0.001 or latency=1.1", flag, value)
			}
			assign(&ind, m)
			known[name] = ind
		}
		return nil
	}
	if err := set("margin", f.margins, func(i *haldane.Indicator, m haldane.Margin) { i.Margin = m }); err != nil {
		return spec, err
	}
	if err := set("promote", f.promotes, func(i *haldane.Indicator, m haldane.Margin) { i.Promote = m }); err != nil {
		return spec, err
	}
	for _, name := range f.indicators {
		ind, ok := known[strings.TrimSpace(name)]
		if !ok {
			return spec, fmt.Errorf("--indicators %q: choose of errors and latency", name)
		}
		spec.Indicators = append(spec.Indicators, ind)
	}
	return spec, spec.Validate()
}

// parseMargin reads INDICATOR=RATIO[,FLOOR]; the numbers may be named, as in
// errors=ratio:1.1,floor:0.001.
func parseMargin(s string) (name string, m haldane.Margin, err error) {
	name, values, _ := strings.Cut(s, "=")
	for i, value := range strings.Split(values, ",") {
		key, number, named := strings.Cut(value, ":")
		if !named {
			key, number = []string{"ratio", "floor"}[min(i, 1)], value
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil {
			return name, m, err
		}
		switch {
		case i > 1:
			return name, m, fmt.Errorf("margin %q has more than a ratio and a floor", s)
		case strings.TrimSpace(key) == "ratio":
			m.Ratio = f
		case strings.TrimSpace(key) == "floor":
			m.Floor = f
		default:
			return name, m, fmt.Errorf("margin %q: %q is neither ratio nor floor", s, key)
		}
	}
	return strings.TrimSpace(name), m, nil
}
