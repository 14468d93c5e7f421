package attach

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
)

// A Server is what is attached to: an *api.Client.
type Server interface {
	// Stream tells where the named rollout stands, and each decision on it,
	// until ctx ends, fn fails or the server goes.
	Stream(ctx context.Context, name string, fn func(api.Update) error) error

	// Do carries out a verb.
	Do(ctx context.Context, name, verb, reason string) (haldane.Status, error)
}

// News is one thing to show. Exactly one of its members is set.
type news struct {
	status   *haldane.Status
	decision *haldane.Decision
	lost     error // the connection is, for now
}

// How long to wait before a lost connection is tried again.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// follow calls tell with what the server has to tell of a rollout. It
// reconnects when the server goes, and returns only when ctx ends (nil), tell
// fails, or the server answers that there is nothing to follow.
func follow(ctx context.Context, s Server, name string, tell func(news) error) error {
	seen := make(map[string]bool)
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		var failed error // of tell, rather than of the connection
		err := s.Stream(ctx, name, func(u api.Update) error {
			wait = firstRetry
			if d := u.Decision; d != nil {
				id := fmt.Sprintf("%s/%d", d.Rollout, d.Seq)
				if seen[id] {
					return nil
				}
				seen[id] = true
			} else if u.Status == nil {
				return nil // a kind of update that a later server may send
			}
			failed = tell(news{status: u.Status, decision: u.Decision})
			return failed
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case failed != nil:
			return failed
		case errors.Is(err, api.ErrUnknown), errors.Is(err, api.ErrToken):
			return fmt.Errorf("follow %s: %w", name, err)
		case err == nil:
			err = errors.New("the server ended the stream")
		}
		if err := tell(news{lost: err}); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}
