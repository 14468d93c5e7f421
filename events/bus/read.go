package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
)

// message returns an event as a message to be published.
func message(subject string, payload []byte) *nats.Msg {
	m := nats.NewMsg(subject)
	m.Data = payload
	m.Header.Set("Content-Type", events.ContentType)
	return m
}

// from returns what to read: the subjects of filter, or all for "", stored at
// since or later.
func from(filter string, since time.Time) jetstream.ConsumerConfig {
	if filter == "" {
		filter = events.AllDecisions
	}
	c := jetstream.ConsumerConfig{
		FilterSubject: filter, AckPolicy: jetstream.AckNonePolicy, DeliverPolicy: jetstream.DeliverAllPolicy,
		InactiveThreshold: 30 * time.Second, MemoryStorage: true,
	}
	if !since.IsZero() {
		c.DeliverPolicy, c.OptStartTime = jetstream.DeliverByStartTimePolicy, &since
	}
	return c
}

// Events calls fn with every decision stored at since or later on the subjects
// of filter (see events.Filter; "" for all), as the CloudEvent that it was
// published as, in the order of the stream. It returns fn's first error.
func (b *Bus) Events(ctx context.Context, filter string, since time.Time, fn func(event []byte) error) error {
	st, err := b.kept(ctx)
	if err != nil {
		return reach(fmt.Errorf("read decisions: %w", err))
	}
	c, err := st.decisions.CreateConsumer(ctx, from(filter, since))
	if err != nil {
		return reach(fmt.Errorf("read decisions: %w", err))
	}
	err = drain(ctx, st.decisions, c, fn)
	// If this fails, the server forgets the consumer by itself.
	_ = st.decisions.DeleteConsumer(context.WithoutCancel(ctx), c.CachedInfo().Name)
	return err
}

// drain calls fn with all that c has to deliver now. The server says beforehand
// how much that is, and leaves out what it cannot read any more.
func drain(ctx context.Context, s jetstream.Stream, c jetstream.Consumer, fn func(event []byte) error) error {
	const batch = 64
	for left := c.CachedInfo().NumPending; left > 0; {
		msgs, err := c.FetchNoWait(int(min(left, batch)))
		if err != nil {
			return reach(fmt.Errorf("read decisions: %w", err))
		}
		before := left
		for m := range msgs.Messages() {
			left--
			if err := fn(m.Data()); err != nil {
				return err
			}
		}
		if err := errors.Join(msgs.Error(), ctx.Err()); err != nil {
			return reach(fmt.Errorf("read decisions: %w", err))
		}
		if left < before {
			continue
		}
		if info, err := c.Info(ctx); err != nil {
			return reach(fmt.Errorf("read decisions: %w", err))
		} else if info.NumPending == 0 {
			return fmt.Errorf("read decisions: %d of them did not come: %w", left, unreadable(ctx, s))
		}
	}
	return nil
}

var errLost = errors.New("lost on the way")

// unreadable returns ErrDamaged, wrapped, naming the first message of s that
// the server cannot read, or errLost if it can read all.
func unreadable(ctx context.Context, s jetstream.Stream) error {
	info, err := s.Info(ctx)
	if err != nil {
		return err
	}
	for n := info.State.FirstSeq; n <= info.State.LastSeq; n++ {
		_, err := s.GetMsg(ctx, n)
		var refused *jetstream.APIError
		if errors.As(err, &refused) || errors.Is(err, jetstream.ErrMsgNotFound) {
			return fmt.Errorf("message %d of the stream cannot be read: %w: %w (restore the whole folder from a backup)", n, err, ErrDamaged)
		}
		if err != nil {
			return err
		}
	}
	return errLost
}

// FollowEvents does what Events does, and goes on with those to come, across
// reconnects, until ctx ends; it returns ctx's error then, or fn's first.
func (b *Bus) FollowEvents(ctx context.Context, filter string, since time.Time, fn func(event []byte) error) error {
	st, err := b.kept(ctx)
	if err != nil {
		return reach(fmt.Errorf("follow decisions: %w", err))
	}
	want := from(filter, since)
	c, err := st.decisions.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{want.FilterSubject}, DeliverPolicy: want.DeliverPolicy, OptStartTime: want.OptStartTime,
	})
	if err != nil {
		return reach(fmt.Errorf("follow decisions: %w", err))
	}
	msgs, err := c.Messages()
	if err != nil {
		return reach(fmt.Errorf("follow decisions: %w", err))
	}
	defer msgs.Stop()
	for {
		m, err := msgs.Next(jetstream.NextContext(ctx))
		if err != nil {
			return reach(fmt.Errorf("follow decisions: %w", err))
		}
		if err := fn(m.Data()); err != nil {
			return err
		}
	}
}

// decoded returns a reader of events that hands on decisions.
func decoded(fn func(haldane.Decision) error) func([]byte) error {
	return func(event []byte) error {
		d, err := events.Decode(event)
		if err != nil {
			return fmt.Errorf("read decisions: %w: %w", err, ErrDamaged)
		}
		return fn(d)
	}
}

// Follow calls fn with every decision stored at since or later on the subjects
// of filter ("" for all), and then with those to come, across reconnects, until
// ctx ends; it returns ctx's error then, or fn's first.
func (b *Bus) Follow(ctx context.Context, filter string, since time.Time, fn func(haldane.Decision) error) error {
	return b.FollowEvents(ctx, filter, since, decoded(fn))
}

// Decisions returns the decisions stored at since or later on the subjects of
// filter ("" for all).
func (b *Bus) Decisions(ctx context.Context, filter string, since time.Time) ([]haldane.Decision, error) {
	var ds []haldane.Decision
	err := b.Events(ctx, filter, since, decoded(func(d haldane.Decision) error {
		ds = append(ds, d)
		return nil
	}))
	if err != nil {
		return nil, err
	}
	return ds, nil
}

// History returns all decisions of a rollout, or of every rollout if both
// names are "". See rollout.DecisionLog.
func (b *Bus) History(ctx context.Context, service, rollout string) ([]haldane.Decision, error) {
	return b.Decisions(ctx, events.Filter(service, rollout, ""), time.Time{})
}
