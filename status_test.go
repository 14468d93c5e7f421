package haldane_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/haldane-canary/haldane"
)

func TestWhatHasNotBegunHasNoTime(t *testing.T) {
	for name, v := range map[string]any{
		"a pending rollout": haldane.Status{Name: "shop-2", Phase: haldane.Pending},
		"its split":         haldane.Split{Rollout: "shop-2", Phase: haldane.Pending},
	} {
		b, err := json.Marshal(v)
		if err != nil || strings.Contains(string(b), "0001-01-01") || strings.Contains(string(b), `"since"`) {
			t.Errorf("%s: %s, %v; want no time", name, b, err)
		}
	}
}
