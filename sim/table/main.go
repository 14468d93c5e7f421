// Command table prints the operating characteristics of the judge, measured
// in the simulated world: how often a canary that is not worse is rolled
// back, and how many requests a rollback takes against the fewest possible.
package main

import (
	"flag"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/haldane-canary/haldane/sim"
)

func main() {
	alike := flag.Int("alike", 2000, "rollouts in each world where the tracks are alike")
	hunts := flag.Int("hunts", 1000, "rollouts in each world where the canary is worse")
	flag.Parse()
	if err := run(*alike, *hunts); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func run(alike, hunts int) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	start := time.Now()
	fmt.Fprintln(out, "tracks alike\trollouts\tfalse rollbacks\tshare\t99 % interval\tbound\tcompleted\tunsettled")
	for _, w := range sim.Alike() {
		m, err := sim.Measure(w, alike)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\t%d\t%d\t%.2f %%\t%.2f to %.2f %%\t1 %%\t%d\t%d\n", w.Name, m.Rollouts, m.RolledBack,
			100*float64(m.RolledBack)/float64(m.Rollouts), 100*m.Lower, 100*m.Upper, m.Completed, m.Unsettled)
	}
	fmt.Fprintln(out, "\t\t\t\t\t\t\t")
	fmt.Fprintln(out, "canary worse\trollouts\trolled back\tmean requests\t± s.e.\tbound\tmean/bound\tgoal\tp95\tcanary requests\tharmed")
	for _, h := range sim.Hunts() {
		m, err := sim.Measure(h.World, hunts)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s (w %v)\t%d\t%d\t%.0f\t%.0f\t%.0f\t%.2f\t%.0f\t%.0f\t%.0f\t%.1f\n", h.Name, h.Weight, m.Rollouts,
			m.RolledBack, m.Mean, m.StdErr, h.Bound, m.Mean/h.Bound, h.Goal, m.P95, m.CanaryMean, m.HarmMean)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	fmt.Printf("\ntook %v\n", time.Since(start).Round(time.Second))
	return nil
}
