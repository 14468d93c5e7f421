package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/haldane-canary/haldane"
)

// rolloutCommand looks at rollouts and acts on them, one verb per action.
func rolloutCommand() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "rollout",
		Short: "look at rollouts and act on them, one verb per action",
		Example: `  haldane rollout list
  haldane rollout rollback shop-1.5.0 --reason "checkout looks odd"`,
	}
	f.add(cmd)
	cmd.AddCommand(listCommand(&f), getCommand(&f))
	for _, v := range []struct{ verb, short, done string }{
		{"start", "begin a rollout, or begin it again as a new generation once it has settled", "started"},
		{"hold", "freeze the weight until somebody resumes; a worse canary is still rolled back", "held"},
		{"resume", "go on after a hold", "resumed"},
		{"promote", "send everything to the canary now, and watch it", "promoted"},
		{"rollback", "send everything back to the baseline now", "rolled back"},
		{"abort", "give up: send everything back to the baseline without a judgement", "aborted"},
	} {
		cmd.AddCommand(verbCommand(&f, v.verb, v.short, v.done))
	}
	return cmd
}

func listCommand(f *clientFlags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "list", Short: "where every rollout stands", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.client()
			if err != nil {
				return err
			}
			sts, err := c.List(cmd.Context())
			if err != nil {
				return about("list rollouts", err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), sts)
			}
			return printStatuses(cmd.OutOrStdout(), sts)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as the server answers it")
	return cmd
}

func getCommand(f *clientFlags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "get NAME", Short: "where one rollout stands, with all its evidence",
		Args: cobra.ExactArgs(1), ValidArgsFunction: f.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := f.client()
			if err != nil {
				return err
			}
			st, err := c.Get(cmd.Context(), args[0])
			if err != nil {
				return about("get "+args[0], err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), st)
			}
			return printStatus(cmd.OutOrStdout(), st)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as the server answers it")
	return cmd
}

func verbCommand(f *clientFlags, verb, short, done string) *cobra.Command {
	reason := ""
	asJSON := false
	cmd := &cobra.Command{
		Use: verb + " NAME", Short: short,
		Args: cobra.ExactArgs(1), ValidArgsFunction: f.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := f.client()
			if err != nil {
				return err
			}
			st, err := c.Do(cmd.Context(), args[0], verb, reason)
			if err != nil {
				return about(verb+" "+args[0], err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), st)
			}
			if verb == "abort" && st.Phase != haldane.Aborted {
				done = "nothing to abort"
			}
			return printDone(cmd.OutOrStdout(), st, done)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; it goes into the record")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print where it stands now as the server answers it")
	return cmd
}

// printDone says where a verb has led.
func printDone(w io.Writer, st haldane.Status, done string) error {
	_, err := fmt.Fprintf(w, "%s: %s; it is %s at weight %v\n", st.Name, done, st.Phase, st.Weight)
	return err
}

// printJSON writes v in one line.
func printJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}
