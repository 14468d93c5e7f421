package account

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/figures"
)

// ErrEmpty is returned for a record without decisions.
var ErrEmpty = errors.New("no decisions")

// Timeline writes the record of one rollout, whose decisions ds are, in order:
// a line that sums it up, then each decision with its reason and its evidence.
// It returns ErrEmpty if there is nothing to tell, or w's error.
func Timeline(w io.Writer, ds []haldane.Decision) error {
	if len(ds) == 0 {
		return ErrEmpty
	}
	var b strings.Builder
	summary(&b, ds)
	for i := range ds {
		b.WriteByte('\n')
		decision(&b, &ds[i])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// summary writes what came of it all.
func summary(b *strings.Builder, ds []haldane.Decision) {
	first, last := &ds[0], &ds[len(ds)-1]
	state := fmt.Sprintf("%s at %v", last.To.Phase, last.To.Weight)
	if last.To.Phase.Settled() {
		state = string(last.To.Phase)
	}
	count := fmt.Sprintf("%d decisions", len(ds))
	if len(ds) == 1 {
		count = "1 decision"
	}
	fmt.Fprintf(b, "%s of %s, %s → %s: %s after %v, %s\n", last.Rollout, last.Service,
		last.Versions.Baseline, last.Versions.Canary, state, last.At.Sub(first.At).Round(100*time.Millisecond), count)
}

// decision writes one decision.
func decision(b *strings.Builder, d *haldane.Decision) {
	fmt.Fprintf(b, "#%d  %s  %s  %s → %s  by %s\n", d.Seq, d.At.UTC().Format("2006-01-02 15:04:05.000Z"),
		d.Kind, position(d.From), position(d.To), d.Actor)
	if d.Reason != "" {
		fmt.Fprintf(b, "    %s\n", d.Reason)
	}
	if d.Verdict != nil {
		evidence(b, d)
	}
	if len(d.TraceIDs) > 0 {
		fmt.Fprintf(b, "    traces: %s\n", strings.Join(d.TraceIDs, " "))
	}
}

// position writes where a rollout stands: "stepping 2, 5 %".
func position(p haldane.Position) string {
	if p.Step == 0 {
		return fmt.Sprintf("%s, %v", p.Phase, p.Weight)
	}
	return fmt.Sprintf("%s %d, %v", p.Phase, p.Step, p.Weight)
}

// evidence writes what a decision rests on, as a table.
func evidence(b *strings.Builder, d *haldane.Decision) {
	v := d.Verdict
	fmt.Fprintf(b, "    verdict %v at %s: baseline %d requests, %d failed; canary %d, %d failed; served %v of %v\n",
		v.Judgement, v.At.UTC().Format("15:04:05.000Z"), d.Evidence.Baseline.N, d.Evidence.Baseline.Errors,
		d.Evidence.Canary.N, d.Evidence.Canary.Errors, d.Served, d.From.Weight)
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "    indicator\tbaseline\tcanary\tratio\tinterval\ttolerated\tlog e\texcluded\tlog e\tverdict\n")
	for i := range d.Evidence.Indicators {
		e := &d.Evidence.Indicators[i]
		fmt.Fprintf(t, "    %s\t%s\t%s\t%s\t%s to %s\t%s\t%.1f of %.1f\t%s\t%.1f of %.1f\t%v\n", e.Name,
			figures.Value(e.Name, e.Estimate.Baseline), figures.Value(e.Name, e.Estimate.Canary), figures.Ratio(e.Estimate.Ratio),
			figures.Ratio(e.Interval.Lower), figures.Ratio(e.Interval.Upper),
			figures.Margin(e.Margin), e.LogE, limit(v.Alpha), figures.Margin(e.Promote), e.LogEPromote, limit(v.AlphaPromote), e.Judgement)
	}
	_ = t.Flush() // into a strings.Builder: it cannot fail
	for _, warning := range v.Warnings {
		fmt.Fprintf(b, "    warning: %s\n", warning)
	}
}

// limit returns the log e-value at which a bound of alpha is reached.
func limit(alpha float64) float64 { return math.Log(1 / alpha) }
