// Command generate writes rollout.json, in the folder it is run in, from
// package dashboards. It is what `go generate ./dashboards` runs.
package main

import (
	"fmt"
	"os"

	"github.com/haldane-canary/haldane/dashboards"
)

func main() {
	if err := write("rollout.json"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write writes the dashboard to a file.
func write(path string) error {
	b, err := dashboards.Rollout().JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, b, 0o644); err != nil { // it is read by Grafana, under another account
		return fmt.Errorf("write the dashboard: %w", err)
	}
	return nil
}
