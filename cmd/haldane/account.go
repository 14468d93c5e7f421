package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/haldane-canary/haldane/account"
	"github.com/haldane-canary/haldane/figures"
)

// accountCommand reads the record of what was decided.
func accountCommand() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "account",
		Short: "the record of rollouts: what was decided, why, and on what evidence",
		Example: `  haldane account list
  haldane account show shop-1.5.0
  haldane account replay shop-1.5.0`,
	}
	f.add(cmd)
	cmd.AddCommand(accountListCommand(&f), accountShowCommand(&f), accountReplayCommand(&f))
	return cmd
}

func accountListCommand(f *clientFlags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "list", Short: "every rollout that was ever decided on, the latest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.client()
			if err != nil {
				return err
			}
			as, err := c.Accounts(cmd.Context())
			if err != nil {
				return about("list accounts", err)
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return printJSON(out, as)
			}
			t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "ROLLOUT\tSERVICE\tVERSIONS\tBEGAN\tTOOK\tDECISIONS\tPHASE\tWHY")
			for _, a := range as {
				fmt.Fprintf(t, "%s\t%s\t%s → %s\t%s\t%s\t%d\t%s\t%s\n", a.Rollout, a.Service, a.Versions.Baseline, a.Versions.Canary,
					a.First.Local().Format(time.DateTime), figures.Duration(a.Last.Sub(a.First)), a.Decisions, a.Phase, a.Reason)
			}
			return t.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as the server answers it")
	return cmd
}

func accountShowCommand(f *clientFlags) *cobra.Command {
	file := ""
	asJSON := false
	cmd := &cobra.Command{
		Use: "show NAME", Short: "every decision on a rollout, with why and on what evidence",
		Args: cobra.ExactArgs(1), ValidArgsFunction: f.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			ds, err := f.decisions(cmd.Context(), args[0], file, cmd.InOrStdin())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), ds)
			}
			if err := account.Timeline(cmd.OutOrStdout(), ds); err != nil {
				return fmt.Errorf("show %s: %w", args[0], err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as the server answers it")
	cmd.Flags().StringVar(&file, "events", "", "read the decisions from this file (- for standard input), as `haldane events --json` writes them")
	return cmd
}
