package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/cmd/haldane/attach"
	"github.com/haldane-canary/haldane/events"
)

// eventsCommand reads the decision stream.
func eventsCommand() *cobra.Command {
	var f clientFlags
	var filter api.Filter
	var since time.Duration
	asJSON := false
	cmd := &cobra.Command{
		Use:   "events",
		Short: "what was decided: the stream of decisions",
		Example: `  haldane events --since 24h --kind rolledback
  haldane events --follow --json | jq .data.reason`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if filter.Kind != "" && !slices.Contains(haldane.Kinds(), haldane.Kind(filter.Kind)) {
				return usageError(fmt.Errorf("events: --kind %q: one of %v", filter.Kind, haldane.Kinds()))
			}
			if since < 0 {
				return usageError(fmt.Errorf("events: --since %v: how far back, such as 24h", since))
			}
			if since > 0 {
				filter.Since = time.Now().Add(-since)
			}
			c, err := f.client()
			if err != nil {
				return err
			}
			err = c.Events(cmd.Context(), filter, func(event []byte) error {
				return printEvent(cmd.OutOrStdout(), event, asJSON)
			})
			if err != nil && cmd.Context().Err() == nil {
				return about("read events", err)
			}
			return nil
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&filter.Follow, "follow", false, "go on with those to come")
	flags.DurationVar(&since, "since", 0, "how far back, such as 24h (default all)")
	flags.StringVar(&filter.Kind, "kind", "", "of this kind only, such as rolledback")
	flags.StringVar(&filter.Service, "service", "", "of this service only")
	flags.StringVar(&filter.Rollout, "rollout", "", "of this generation of a rollout only")
	flags.BoolVar(&asJSON, "json", false, "the whole CloudEvents, one a line")
	return cmd
}

// printEvent writes one event, as it is or as a line to read.
func printEvent(w io.Writer, event []byte, asJSON bool) error {
	if asJSON {
		_, err := fmt.Fprintf(w, "%s\n", event)
		return err
	}
	d, err := events.Decode(event)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s %s: %s\n", d.At.Local().Format(time.DateTime), d.Rollout, attach.Decision(d))
	return err
}
