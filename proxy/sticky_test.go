package proxy_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/proxy"
)

func TestAClientStaysAsTheWeightGrows(t *testing.T) {
	const clients = 200
	for name, assign := range map[string]proxy.Assign{"cookie": {Cookie: "sid"}, "header": {Header: "X-User"}} {
		r := newRig(t, says("baseline"), says("canary"), assigns(assign))
		track := make(map[int]string)
		for _, weight := range []haldane.Weight{0, 100, 500, 2500, 5000, 10000} {
			r.split(weight)
			onCanary := 0
			for i := range clients {
				key := []string{"X-User", fmt.Sprint("client ", i)}
				if assign.Cookie != "" {
					key = []string{"Cookie", fmt.Sprintf("a=b; sid=client-%d; c=d", i)}
				}
				_, got := r.do("GET", "/", "", key...)
				if track[i] == "canary" && got != "canary" {
					t.Errorf("%s: client %d was sent back from the canary at %v", name, i, weight)
				}
				if track[i] = got; got == "canary" {
					onCanary++
				}
			}
			// The keys are fixed, and so is the share: this either holds or does not.
			want := weight.Fraction() * clients
			if off := math.Abs(float64(onCanary) - want); off > 4*math.Sqrt(want*(1-weight.Fraction()))+1e-9 {
				t.Errorf("%s: %d of %d clients at %v", name, onCanary, clients, weight)
			}
		}
		_ = r.proxy.Close()
	}
}

func TestAClientIsEvidenceOnce(t *testing.T) {
	r := newRig(t, says("baseline"), says("canary"), assigns(proxy.Assign{Header: "X-User"}))
	evidence := func() (n uint64) {
		for track := range haldane.Track(haldane.NumTracks) {
			w := r.window(track)
			n += w.N()
		}
		return n
	}
	r.split(5000)
	for range 5 {
		for i := range 20 {
			r.do("GET", "/", "", "X-User", fmt.Sprint(i))
		}
	}
	if got := evidence(); got != 20 {
		t.Errorf("%d observations of 20 clients", got)
	}
	r.split(10000) // also where its track has changed
	r.do("GET", "/", "", "X-User", "7")
	if got := evidence(); got != 20 {
		t.Errorf("%d observations of 20 clients, in two epochs", got)
	}
	if got := metrics(t, r.tally)["haldane_requests_total"]; got != 101 {
		t.Errorf("%v requests in metrics, want all 101", got)
	}
	r.do("GET", "/", "")
	r.do("GET", "/", "")
	if got := evidence(); got != 22 {
		t.Errorf("%d observations, want 22: a request without a key is a unit of its own", got)
	}
	if !r.proxy.Apply(at(2, 1, 5000)) {
		t.Fatal("a new generation was refused")
	}
	r.do("GET", "/", "", "X-User", "7")
	if got := evidence(); got != 1 {
		t.Errorf("%d observations in a new generation, want 1: its statistics are clean", got)
	}
}

func TestAnOrphansReturnDoesNotForgetItsClients(t *testing.T) {
	r := newRig(t, says("baseline"), says("canary"), assigns(proxy.Assign{Header: "X-User"}),
		orphans(proxy.Orphan{Policy: proxy.OrphanBaseline, After: 1}))
	r.split(haldane.FullWeight)
	r.do("GET", "/", "", "X-User", "a")
	r.proxy.Contact(false, time.Unix(0, 0))
	r.proxy.Contact(false, time.Unix(1, 0))
	r.do("GET", "/", "", "X-User", "a")
	r.proxy.Contact(true, time.Unix(2, 0))
	r.do("GET", "/", "", "X-User", "a")
	r.observed(haldane.Canary, haldane.OK)
}

func TestNothingElseChoosesTheTrack(t *testing.T) {
	r := newRig(t, says("baseline"), says("canary"), assigns(proxy.Assign{Cookie: "sid"}))
	r.split(0)
	for _, header := range [][]string{{"X-Canary", "always"}, {"Cookie", "canary=always"}, {"Cookie", "sid=canary"}, {"X-Track", "canary"}} {
		if _, body := r.do("GET", "/?canary=1", "", header...); body != "baseline" {
			t.Errorf("%v was served by the %s at weight 0", header, body)
		}
	}
}
