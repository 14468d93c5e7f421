package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// rootCommand returns the whole command line, which reads and writes there.
func rootCommand(stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "haldane",
		Short: "Judges a canary against its baseline, and moves traffic on the strength of it",
		Long: `Haldane sends a small, known, random share of a service's requests to a new
version of it, judges while they flow whether that version is worse, and
advances or rolls back.

  haldane demo                       the whole system in one process, to look at
  haldane serve -c haldane.yaml      in earnest
  haldane attach                     watch a rollout, and steer it
  haldane rollout rollback NAME      the way back, at once

Exit codes: 0 fine, 1 it failed, 2 the command line or the configuration is
wrong; judge: 0 pass, 3 fail, 4 undecided.`,
		SilenceErrors: true, // said once, by run
		SilenceUsage:  true,
	}
	root.AddCommand(
		serveCommand(), demoCommand(), judgeCommand(), rolloutCommand(), attachCommand(), eventsCommand(),
		accountCommand(), configCommand(), versionCommand(),
	)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.InitDefaultCompletionCmd() // takes note of where to write
	root.InitDefaultHelpCmd()
	blameUser(root)
	return root
}

// blameUser makes faults of the command line, of cmd and all below it, usage
// errors, and has commands that are only there for those below them say so.
func blameUser(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError(fmt.Errorf("%w (%s --help tells more)", err, c.CommandPath()))
	})
	if !cmd.Runnable() {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = nameOne
		cmd.SuggestionsMinimumDistance = 2
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usageError(fmt.Errorf("%s: %w (usage: %s)", c.CommandPath(), err, c.UseLine()))
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		blameUser(sub)
	}
}

// nameOne runs a command that is only there for those below it.
func nameOne(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		if err := cmd.Help(); err != nil {
			return err
		}
		if cmd.HasParent() {
			return exitCode(exitUsage)
		}
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usageError(fmt.Errorf("no command %q: did you mean %s?", cmd.CommandPath()+" "+args[0], strings.Join(near, " or ")))
	}
	return usageError(fmt.Errorf("no command %q (there are %s)", cmd.CommandPath()+" "+args[0], strings.Join(names, ", ")))
}
