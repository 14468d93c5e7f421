package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/config"
)

// clientFlags say where the server is, and where its token may be found.
type clientFlags struct {
	server, dir string
}

// add adds the flags to cmd and all below it.
func (f *clientFlags) add(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.server, "server", cmp.Or(os.Getenv("HALDANE_SERVER"), "http://"+config.DefaultAdmin),
		"URL of the server's admin listener (or HALDANE_SERVER)")
	flags.StringVar(&f.dir, "dir", config.DefaultDir,
		"data folder to find the operator's token in, unless HALDANE_TOKEN is set")
}

// client returns a client of the server that the flags name.
func (f *clientFlags) client() (*api.Client, error) {
	c, err := api.NewClient(f.server, cmp.Or(os.Getenv("HALDANE_TOKEN"), api.ReadToken(f.dir)))
	if err != nil {
		return nil, usageError(err)
	}
	return c, nil
}

// about returns err as one of what was being done, unless the server has said
// that already.
func about(what string, err error) error {
	if _, ok := errors.AsType[*api.Error](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// complete offers the names of the rollouts that the server knows.
func (f *clientFlags) complete(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := f.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	sts, err := c.List(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, st := range sts {
		names = append(names, st.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
