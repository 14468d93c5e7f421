package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
	"github.com/haldane-canary/haldane/events"
)

// accountReplayCommand makes verdicts again from the counts stored with the
// decisions that rest on them.
func accountReplayCommand(f *clientFlags) *cobra.Command {
	file := ""
	cmd := &cobra.Command{
		Use:   "replay NAME",
		Short: "make every verdict again from the stored counts, and compare to the bit",
		Long: `Replay reckons each verdict on a rollout anew from the counts that were stored
with the decision it led to, and compares everything with what was stored: the
judgement, the evidence, the estimates, to the last bit. It exits with 1 if
anything differs.`,
		Example: `  haldane account replay shop-1.5.0
  haldane events --json > events.ndjson
  haldane account replay shop-1.5.0 --events events.ndjson    # needs no server`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: f.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			ds, err := f.decisions(cmd.Context(), args[0], file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return replay(cmd.OutOrStdout(), args[0], ds)
		},
	}
	cmd.Flags().StringVar(&file, "events", "", "read the decisions from this file (- for standard input), as `haldane events --json` writes them")
	return cmd
}

// decisions returns all decisions on a rollout, from the server or, if file is
// not "", from a file of CloudEvents.
func (f *clientFlags) decisions(ctx context.Context, rollout, file string, stdin io.Reader) ([]haldane.Decision, error) {
	switch file {
	case "":
		c, err := f.client()
		if err != nil {
			return nil, err
		}
		ds, err := c.Account(ctx, rollout)
		if err != nil {
			return nil, about("read the account of "+rollout, err)
		}
		return ds, nil
	case "-":
		return readDecisions(stdin, rollout)
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	ds, err := readDecisions(in, rollout)
	return ds, errors.Join(err, in.Close())
}

// readDecisions returns the decisions on a rollout among the CloudEvents in r.
func readDecisions(r io.Reader, rollout string) ([]haldane.Decision, error) {
	in := bufio.NewScanner(r)
	const longest = 64 << 20 // an event carries the counts of its verdict
	in.Buffer(nil, longest)
	var ds []haldane.Decision
	for n := 1; in.Scan(); n++ {
		d, err := events.Decode(in.Bytes())
		if err != nil {
			return nil, fmt.Errorf("read decisions: line %d: %w", n, err)
		}
		if d.Rollout == rollout {
			ds = append(ds, d)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	if len(ds) == 0 {
		return nil, fmt.Errorf("read decisions: none on %s", rollout)
	}
	return ds, nil
}

// replay writes for each decision whether its verdict can be made again, and
// returns an error if one cannot.
func replay(w io.Writer, rollout string, ds []haldane.Decision) error {
	replayed, wrong := 0, 0
	for _, d := range ds {
		text := "no verdict to replay"
		if d.Verdict != nil && len(d.Evidence.Counts) > 0 {
			replayed++
			v, err := analyzer.Replay(*d.Verdict, d.Evidence.Counts)
			if err != nil {
				return fmt.Errorf("decision %d: %w", d.Seq, err)
			}
			text = fmt.Sprintf("%s again, equal to the bit", v.Judgement)
			if differences := analyzer.Differences(*d.Verdict, v); len(differences) > 0 {
				wrong++
				text = fmt.Sprintf("differs: %v", differences)
			}
		}
		if _, err := fmt.Fprintf(w, "%d %s: %s\n", d.Seq, d.Kind, text); err != nil {
			return err
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d verdicts on %s cannot be made again from their counts", wrong, replayed, rollout)
	}
	return nil
}
