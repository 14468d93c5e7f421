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

// printStatuses writes a line for each rollout.
func printStatuses(w io.Writer, sts []haldane.Status) error {
	if len(sts) == 0 {
		_, err := fmt.Fprintln(w, "no rollouts are configured")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSERVICE\tPHASE\tSTEP\tWEIGHT\tSERVED\tVERDICT\tNEEDS")
	for _, st := range sts {
		verdict, needs := figures.Unknown, figures.Unknown
		if v := st.Verdict; v != nil {
			verdict = v.Judgement.String()
			if v.Judgement == haldane.Undecided && st.Phase.Running() {
				needs = figures.Needs(st.Needs)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%v\t%v\t%s\t%s\n",
			st.Name, st.Service, st.Phase, figures.Step(st), st.Weight, st.Served, verdict, needs)
	}
	return t.Flush()
}

// printStatus writes all that is known of a rollout.
func printStatus(w io.Writer, st haldane.Status) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(label, format string, args ...any) {
		fmt.Fprintf(t, label+"\t"+format+"\n", args...)
	}
	row("Name", "%s", st.Name)
	row("Service", "%s", st.Service)
	row("Versions", "%s → %s", st.Baseline.Version, st.Canary.Version)
	row("Phase", "%s", st.Phase)
	row("Step", "%s", figures.Step(st))
	row("Weight", "%v asked, %v served", st.Weight, st.Served)
	if !st.Since.IsZero() {
		row("Since", "%s", st.Since.Local().Format(time.DateTime))
	}
	if st.Reason != "" {
		row("Why", "%s", st.Reason)
	}
	if st.Verdict == nil {
		row("Verdict", "none yet")
		return t.Flush()
	}
	v := st.Verdict
	row("Verdict", "%s: %s", v.Judgement, v.Reason)
	for _, warning := range v.Warnings {
		row("Warning", "%s", warning)
	}
	row("Requests", "%s, of which %s on the canary", figures.Count(v.Observations), figures.Count(v.CanaryObservations))
	if err := t.Flush(); err != nil {
		return err
	}
	return printEvidence(w, *v)
}

// printEvidence writes a line for each indicator. LOG E is how near the
// evidence has come to what it must reach for a rollback, and for an advance.
func printEvidence(w io.Writer, v haldane.Verdict) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nINDICATOR\tVERDICT\tBASELINE\tCANARY\tRATIO\tINTERVAL\tMARGIN\tLOG E BACK\tLOG E ON\tNEEDS")
	for _, e := range v.Indicators {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s … %s\t%s\t%.1f of %.1f\t%.1f of %.1f\t%s\n",
			e.Name, e.Judgement, figures.Value(e.Name, e.Estimate.Baseline), figures.Value(e.Name, e.Estimate.Canary),
			figures.Ratio(e.Estimate.Ratio), figures.Ratio(e.Interval.Lower), figures.Ratio(e.Interval.Upper), figures.Margin(e.Margin),
			e.LogE, -math.Log(v.Alpha), e.LogEPromote, -math.Log(v.AlphaPromote), figures.Needs(e.Needs))
	}
	return t.Flush()
}
