package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haldane-canary/haldane/config"
	"github.com/haldane-canary/haldane/telemetry"
)

// serveCommand runs haldane.
func serveCommand() *cobra.Command {
	var file, roleNames string
	serveOn := false
	level := slog.LevelInfo
	cmd := &cobra.Command{
		Use:   "serve -c FILE",
		Short: "run the proxy, the analyzer and the controller",
		Long: `Serve runs Haldane by a configuration until it is told to end (SIGINT or
SIGTERM): it then takes no new requests, finishes those it has, and exits with
0. A second signal ends it at once.

All roles run in one process by default, with a NATS server embedded. With
bus.urls the roles may be spread over processes and machines.

What it may be called by is the admin listener. Reading from the same machine
is open; everything else wants a token. The first start writes one to
operator.token in the data folder.`,
		Example: `  haldane serve -c haldane.yaml
  haldane serve -c edge.yaml --roles proxy`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			roles, err := parseRoles(roleNames)
			if err != nil {
				return usageError(fmt.Errorf("serve: %w", err))
			}
			cfg, err := config.LoadHere(cmd.Context(), file)
			if err != nil {
				return usageError(fmt.Errorf("serve:\n%w", err))
			}
			s, err := newServer(cmd.Context(), cfg, options{
				Roles: roles, ServeOn: serveOn, Log: telemetry.NewLogger(cmd.ErrOrStderr(), level), Notices: cmd.ErrOrStderr(),
			})
			if err != nil {
				return err
			}
			return s.Run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&file, "config", "c", cmp.Or(os.Getenv("HALDANE_CONFIG"), "haldane.yaml"), "the configuration (or HALDANE_CONFIG)")
	flags.StringVar(&roleNames, "roles", cmp.Or(os.Getenv("HALDANE_ROLES"), "proxy,analyzer,controller"), "what this process does (or HALDANE_ROLES)")
	flags.BoolVar(&serveOn, "serve-on-damage", false, "if the data folder is damaged, serve on with the last known weights instead of ending")
	flags.TextVar(&level, "log-level", level, "least level that is logged: DEBUG, INFO, WARN or ERROR")
	return cmd
}

// Roles are what a process does.
type roles struct {
	proxy, analyzer, controller bool
}

// allRoles is what a process does that is alone.
func allRoles() roles { return roles{true, true, true} }

// parseRoles reads names with commas between them.
func parseRoles(names string) (r roles, err error) {
	for name := range strings.SplitSeq(names, ",") {
		switch strings.TrimSpace(name) {
		case "proxy":
			r.proxy = true
		case "analyzer":
			r.analyzer = true
		case "controller":
			r.controller = true
		default:
			err = errors.Join(err, fmt.Errorf("--roles: no role %q (there are proxy, analyzer and controller)", name))
		}
	}
	return r, err
}
