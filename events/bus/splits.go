package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
)

// PutSplit makes s the split in force for its rollout, and returns once it is
// on the disk. Putting the same split again is nothing. It returns
// haldane.ErrConflict, wrapped, if one is in force that s does not supersede.
func (b *Bus) PutSplit(ctx context.Context, s haldane.Split) error {
	st, err := b.kept(ctx)
	if err != nil {
		return fmt.Errorf("put split of %s: %w", s.Rollout, err)
	}
	payload, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("put split of %s: %w", s.Rollout, err)
	}
	for {
		err := b.replace(ctx, st.weights, s, payload)
		if errors.Is(err, errOvertaken) && ctx.Err() == nil {
			continue // somebody else put one just now: look at that
		}
		if err != nil {
			return reach(fmt.Errorf("put split of %s: %w", s.Rollout, err))
		}
		return nil
	}
}

var errOvertaken = errors.New("overtaken by another writer")

// replace puts s in place of what is there, provided that s supersedes it and
// that it is still there by then.
func (b *Bus) replace(ctx context.Context, kv jetstream.KeyValue, s haldane.Split, payload []byte) error {
	key := events.SplitKey(s)
	entry, err := kv.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		_, err = kv.Create(ctx, key, payload)
	case err != nil:
		return err
	default:
		var there haldane.Split
		if err := json.Unmarshal(entry.Value(), &there); err != nil {
			b.malformed(kindSplit, key, err)
		} else if !s.Supersedes(there) {
			return standing(s, there)
		}
		_, err = kv.Update(ctx, key, payload, entry.Revision())
	}
	var refused *jetstream.APIError
	if errors.Is(err, jetstream.ErrKeyExists) ||
		errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return errOvertaken
	}
	return err
}

// standing returns nil if s is what is there, or else ErrConflict, wrapped.
func standing(s, there haldane.Split) error {
	if s.Generation == there.Generation && s.Epoch == there.Epoch && s.Weight == there.Weight && s.Phase == there.Phase {
		return nil
	}
	return fmt.Errorf("generation %d, epoch %d with %v is in force: %w",
		there.Generation, there.Epoch, there.Weight, haldane.ErrConflict)
}

// WatchSplits calls fn with the split in force for every rollout, and then
// with every change, one at a time, until ctx ends; it returns nil then. After
// a reconnect fn is called with what is in force again.
func (b *Bus) WatchSplits(ctx context.Context, fn func(haldane.Split)) error {
	const wait = 250 * time.Millisecond
	said := "" // in the log: the same trouble is not told again at every try
	for ctx.Err() == nil {
		back := b.reconnected()
		if err := reach(b.watch(ctx, back, fn)); err != nil && ctx.Err() == nil {
			if err.Error() != said {
				said = err.Error()
				b.log.Warn("splits cannot be watched now", "error", err)
			}
			select {
			case <-ctx.Done():
			case <-back:
				said = ""
			case <-time.After(wait):
			}
		}
	}
	return nil
}

// watch does what WatchSplits does until the connection has been lost and is
// back: what the server had to tell meanwhile it tells only those who ask anew.
func (b *Bus) watch(ctx context.Context, back <-chan struct{}, fn func(haldane.Split)) error {
	st, err := b.kept(ctx)
	if err != nil {
		return err
	}
	w, err := st.weights.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("watch bucket %s: %w", events.WeightsBucket, err)
	}
	defer func() { _ = w.Stop() }() // fails only once the connection is closed
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-back:
			return nil
		case entry, ok := <-w.Updates():
			if !ok {
				return fmt.Errorf("watch bucket %s: ended", events.WeightsBucket)
			}
			if entry != nil { // nil marks the end of what was there
				b.deliver(entry, fn)
			}
		}
	}
}

// deliver hands on the split in an entry of the bucket.
func (b *Bus) deliver(entry jetstream.KeyValueEntry, fn func(haldane.Split)) {
	var s haldane.Split
	err := json.Unmarshal(entry.Value(), &s)
	if err == nil {
		_, err = haldane.NewWeight(int(s.Weight))
	}
	if err == nil && events.SplitKey(s) != entry.Key() {
		err = fmt.Errorf("a split that belongs under %s", events.SplitKey(s))
	}
	if err != nil {
		b.malformed(kindSplit, entry.Key(), err)
		return
	}
	fn(s)
}
