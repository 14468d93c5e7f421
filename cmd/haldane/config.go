package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/config"
	"github.com/haldane-canary/haldane/figures"
)

// configCommand looks at configurations.
func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "check a configuration"}
	cmd.AddCommand(configCheckCommand())
	return cmd
}

func configCheckCommand() *cobra.Command {
	offline := false
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "every fault of a configuration at once, each with its line",
		Long: `Check reads a configuration and says everything that is wrong with it, and
whether its addresses can be listened on. Upstreams that do not answer are
warnings. It exits with 0 if haldane would serve by it, and else with 2.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			load := config.LoadHere
			if offline {
				load = func(_ context.Context, path string) (*config.Config, error) { return config.Load(path) }
			}
			c, err := load(cmd.Context(), args[0])
			if err != nil {
				return usageError(fmt.Errorf("config check:\n%w", err))
			}
			if !offline {
				faults, warnings := config.Probe(cmd.Context(), c)
				for _, w := range warnings {
					if _, err := fmt.Fprintf(cmd.ErrOrStderr(), "warning: %v\n", w); err != nil {
						return err
					}
				}
				if err := faults.OrNil(); err != nil {
					return usageError(fmt.Errorf("config check:\n%w", err))
				}
			}
			return printPlan(cmd.OutOrStdout(), args[0], c)
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "look at the file alone: listen nowhere, connect to nothing")
	return cmd
}

// printPlan says in plain words what c will do, so that what was meant can be
// compared with what was written.
func printPlan(w io.Writer, file string, c *config.Config) error {
	if _, err := fmt.Fprintf(w, "%s is fit to serve by\n", file); err != nil {
		return err
	}
	for _, s := range c.Services {
		line := "compares nothing"
		if r := s.Rollout; r != nil {
			line = fmt.Sprintf("rollout %s of %s against %s: %s", r.Name, s.Canary.Version, s.Baseline.Version, ramp(r))
		}
		if _, err := fmt.Fprintf(w, "%s: %s\n", s.Name, line); err != nil {
			return err
		}
	}
	return nil
}

// ramp returns the steps of r and the least time they take.
func ramp(r *config.Rollout) string {
	var weights []string
	least := r.Watch
	for _, s := range r.Steps {
		weights = append(weights, s.Weight.String())
		least += s.Bake
	}
	weights = append(weights, haldane.FullWeight.String())
	return fmt.Sprintf("%s; %s at the least, decided within %s", strings.Join(weights, ", "),
		figures.Duration(least), figures.Duration(r.Deadline.Round(time.Second)))
}
