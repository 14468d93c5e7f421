package events_test

import (
	"fmt"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
)

func ExampleSubject() {
	d := haldane.Decision{Seq: 7, Service: "shop", Rollout: "shop-1.5.0", Kind: haldane.KindRolledBack}
	fmt.Println(events.Subject(d))
	fmt.Println(events.ID(d))
	// Output:
	// haldane.v1.shop.shop-1%2E5%2E0.rolledback
	// shop-1.5.0/7
}

func ExampleFilter() {
	fmt.Println(events.Filter("", "", string(haldane.KindRolledBack)))
	// Output: haldane.v1.*.*.rolledback
}
