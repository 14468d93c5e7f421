package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/haldane-canary/haldane/events"
)

// stores are the places where things are kept.
type stores struct {
	decisions jetstream.Stream
	weights   jetstream.KeyValue
}

// dedupWindow is how long the server itself knows a decision again that is
// sent twice: longer than any outage over which a publisher would retry.
// Append does not depend on it.
const dedupWindow = time.Hour

// decisionStream returns how the stream of decisions is kept: nothing in it is
// ever dropped, and a full disk refuses the new rather than forget the old.
func decisionStream() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: events.Stream, Description: "every decision of every rollout",
		Subjects: []string{events.AllDecisions}, Storage: jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, Duplicates: dedupWindow,
		DenyDelete: true, DenyPurge: true, AllowDirect: true,
	}
}

// kept returns the stores, after finding or making them the first time.
func (b *Bus) kept(ctx context.Context) (*stores, error) {
	b.mu.Lock()
	have := b.stores
	b.mu.Unlock()
	if have != nil {
		return have, nil
	}
	if !b.conn.IsConnected() {
		return nil, fmt.Errorf("find stream %s: %w", events.Stream, errNotConnected)
	}
	decisions, err := b.findDecisions(ctx)
	if err != nil {
		return nil, err
	}
	weights, err := b.findWeights(ctx)
	if err != nil {
		return nil, err
	}
	found := &stores{decisions: decisions, weights: weights}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stores = found
	return found, nil
}

// findDecisions returns the stream of decisions, made now if there was none.
func (b *Bus) findDecisions(ctx context.Context) (jetstream.Stream, error) {
	s, err := b.js.Stream(ctx, events.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if s, err = b.js.CreateStream(ctx, decisionStream()); err != nil {
			return nil, fmt.Errorf("make stream %s: %w", events.Stream, err)
		}
	} else if err != nil {
		return nil, fmt.Errorf("find stream %s: %w", events.Stream, err)
	}
	if err := suitable(s.CachedInfo().Config); err != nil {
		return nil, fmt.Errorf("stream %s: %w", events.Stream, err)
	}
	if err := whole(s.CachedInfo().State); err != nil {
		return nil, fmt.Errorf("stream %s: %w", events.Stream, err)
	}
	return s, nil
}

// findWeights returns the bucket of splits, made now if there was none.
func (b *Bus) findWeights(ctx context.Context) (jetstream.KeyValue, error) {
	kv, err := b.js.KeyValue(ctx, events.WeightsBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = b.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: events.WeightsBucket, Description: "the split in force for every rollout",
			Storage: jetstream.FileStorage, History: 1,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("find or make bucket %s: %w", events.WeightsBucket, err)
	}
	return kv, nil
}

// suitable returns ErrStore, wrapped, with every fault of a stream that
// somebody else has set up, unless it keeps decisions as decisionStream does.
func suitable(c jetstream.StreamConfig) error {
	var faults []error
	want := func(ok bool, what string) {
		if !ok {
			faults = append(faults, fmt.Errorf("%s: %w", what, ErrStore))
		}
	}
	want(slices.Equal(c.Subjects, []string{events.AllDecisions}), "its subjects must be "+events.AllDecisions+" and nothing else")
	want(c.Storage == jetstream.FileStorage, "its storage must be file")
	want(c.Retention == jetstream.LimitsPolicy, "its retention must be limits")
	want(c.Discard == jetstream.DiscardNew, "it must discard new, not old")
	want(c.MaxAge == 0 && c.MaxMsgs <= 0 && c.MaxMsgsPerSubject <= 0, "it must set no limit to age or number")
	want(c.Mirror == nil && len(c.Sources) == 0, "it must be no copy of another")
	return errors.Join(faults...)
}

// whole returns ErrDamaged, wrapped, if messages are missing before the last:
// nothing is ever deleted on purpose.
func whole(s jetstream.StreamState) error {
	if s.LastSeq != s.Msgs || s.NumDeleted != 0 || s.Msgs > 0 && s.FirstSeq != 1 {
		return fmt.Errorf("it holds %d messages of %d: %w (restore the whole folder from a backup)", s.Msgs, s.LastSeq, ErrDamaged)
	}
	return nil
}

// lost returns ErrDamaged, wrapped, if the server did not recover a stream of
// ours whose files were there before it started.
func (b *Bus) lost(ctx context.Context, before []string) error {
	for _, name := range []string{events.Stream, "KV_" + events.WeightsBucket} {
		if !slices.Contains(before, name) {
			continue
		}
		if _, err := b.js.Stream(ctx, name); err != nil {
			return fmt.Errorf("the files of stream %s in %s cannot be used: %w: %w (restore the whole folder from a backup)",
				name, b.cfg.Dir, err, ErrDamaged)
		}
	}
	return nil
}
