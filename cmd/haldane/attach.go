package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/cmd/haldane/attach"
)

// attachCommand follows a rollout.
func attachCommand() *cobra.Command {
	var f clientFlags
	plain, asJSON := false, false
	cmd := &cobra.Command{
		Use:   "attach [NAME]",
		Short: "watch a rollout live, and steer it",
		Long: `Attach shows a rollout on the whole screen while it runs: the weight asked for
and the share really served, what is compared, how sure that is and how much
more it needs, and the decisions. Keys act on it. It survives restarts of the
server.

NAME may be left out if only one rollout is running. With --plain it writes
lines for a log, with --json lines for a program, and ends when the rollout
has settled.`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: f.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if plain && asJSON {
				return usageError(errors.New("attach: --plain and --json exclude one another"))
			}
			c, err := f.client()
			if err != nil {
				return err
			}
			name, err := attachTo(cmd.Context(), c, args, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			switch {
			case asJSON:
				return attach.JSON(cmd.Context(), c, name, out)
			case plain || !isTerminal(out):
				return attach.Plain(cmd.Context(), c, name, out)
			}
			return attach.Screen(cmd.Context(), c, name, cmd.InOrStdin(), out)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&plain, "plain", false, "lines for a log (the default where there is no terminal)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "JSON, one object a line")
	return cmd
}

// attachTo returns the name of the rollout to attach to: the one named, or the
// only one that is running, or the only one. Otherwise it lists them on w.
func attachTo(ctx context.Context, c *api.Client, args []string, w io.Writer) (string, error) {
	if len(args) == 1 {
		if _, err := c.Get(ctx, args[0]); err != nil {
			return "", about("attach to "+args[0], err)
		}
		return args[0], nil
	}
	sts, err := c.List(ctx)
	if err != nil {
		return "", about("attach", err)
	}
	running := slices.DeleteFunc(slices.Clone(sts), func(st haldane.Status) bool { return !st.Phase.Running() })
	switch {
	case len(running) == 1:
		return running[0].Name, nil
	case len(sts) == 1:
		return sts[0].Name, nil
	}
	if err := printStatuses(w, sts); err != nil {
		return "", err
	}
	return "", usageError(fmt.Errorf("attach: %d rollouts are running: name one", len(running)))
}

// isTerminal reports whether somebody sees what is written to w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(file.Fd())
}
