package rollout

import (
	"sync"
	"time"

	"github.com/haldane-canary/haldane"
)

// news is what was heard of one generation since the last look.
type news struct {
	latest *haldane.Verdict
	fail   *haldane.Verdict // the first, if there was one
	at     time.Time        // when latest arrived
}

// An inbox keeps verdicts until Run looks. It holds one news for each
// generation, so it cannot grow with the verdicts that come in.
type inbox struct {
	wake chan struct{} // of one: there is news

	mu    sync.Mutex // guards heard
	heard map[string]news
}

// put takes in v, which arrived at the given time.
func (b *inbox) put(v haldane.Verdict, at time.Time) {
	b.mu.Lock()
	n := b.heard[v.Rollout]
	n.latest, n.at = &v, at
	if v.Judgement == haldane.Fail && n.fail == nil {
		n.fail = &v
	}
	if b.heard == nil {
		b.heard = make(map[string]news)
	}
	b.heard[v.Rollout] = n
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns the news by generation, and forgets it.
func (b *inbox) take() map[string]news {
	b.mu.Lock()
	defer b.mu.Unlock()
	heard := b.heard
	b.heard = nil
	return heard
}
