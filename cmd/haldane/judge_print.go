package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/figures"
)

// printVerdict writes v for people: what and why in a sentence, then the
// evidence as a table, then what it was made from.
func printVerdict(w io.Writer, v haldane.Verdict) error {
	if _, err := fmt.Fprintf(w, "%v: %s\n\n", v.Judgement, v.Reason); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "indicator\tbaseline\tcanary\tratio\t%.4g %% interval\tlog e, harm\tlog e, promote\tstill needed\tverdict\n", 100*(1-v.Alpha))
	for _, e := range v.Indicators {
		needed := "-"
		if e.Needs.Requests > 0 {
			needed = "~" + figures.Count(e.Needs.Requests) + " requests"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s to %s\t%.1f of %.1f\t%.1f of %.1f\t%s\t%v\n", e.Name,
			figures.Value(e.Name, e.Estimate.Baseline), figures.Value(e.Name, e.Estimate.Canary), figures.Ratio(e.Estimate.Ratio),
			figures.Ratio(e.Interval.Lower), figures.Ratio(e.Interval.Upper),
			e.LogE, math.Log(1/v.Alpha), e.LogEPromote, math.Log(1/v.AlphaPromote), needed, e.Judgement)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s observations, %s of the canary; the last at %s; alpha %v\n",
		figures.Count(v.Observations), figures.Count(v.CanaryObservations), v.At.UTC().Format(time.RFC3339Nano), v.Alpha)
	for _, warning := range v.Warnings {
		if err == nil {
			_, err = fmt.Fprintf(w, "warning: %s\n", warning)
		}
	}
	return err
}
