package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/haldane-canary/haldane/cmd/haldane/figures"
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
	cmd.AddCommand(accountListCommand(&f), accountReplayCommand(&f))
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
