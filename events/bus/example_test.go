package bus_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
	"github.com/haldane-canary/haldane/events/bus"
)

func Example() {
	dir, err := os.MkdirTemp("", "haldane-bus")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	b, err := bus.Open(ctx, bus.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	started := haldane.Decision{
		Seq: 1, Service: "shop", Rollout: "shop-1.5.0", Kind: haldane.KindStarted, Weight: 100,
		To: haldane.Position{Phase: haldane.Stepping, Step: 1, Weight: 100},
	}
	for range 2 { // the second time is nothing
		if err := b.Append(ctx, started); err != nil {
			fmt.Println(err)
			return
		}
	}
	ds, err := b.Decisions(ctx, events.Filter("shop", "", ""), time.Time{})
	for _, d := range ds {
		fmt.Println(events.ID(d), d.Kind, d.Weight)
	}
	fmt.Println(err)
	// Output:
	// shop-1.5.0/1 started 1 %
	// <nil>
}
