package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
)

var errNotConnected = errors.New("the bus cannot be reached now")

// An unreachable is what the client library says of a bus that cannot be
// reached, in words that tell people so: to the library, a buffer that we do
// not have is full.
type unreachable struct{ err error }

func (e *unreachable) Error() string {
	return strings.ReplaceAll(e.err.Error(), nats.ErrReconnectBufExceeded.Error(), errNotConnected.Error())
}

func (e *unreachable) Unwrap() []error { return []error{e.err, errNotConnected} }

// reach returns err, as an unreachable if it is one.
func reach(err error) error {
	if errors.Is(err, nats.ErrReconnectBufExceeded) {
		return &unreachable{err}
	}
	return err
}

// Append adds d to the stream as the decision after number d.Seq-1 of its
// rollout, and returns once it is on the disk. Appending the same decision
// again, after any time, is nothing. It tries for as long as ctx lives: an
// answer that does not come may mean that d is stored, and asking again is
// free.
//
// It returns haldane.ErrConflict, wrapped, if another decision stands under
// that number; ErrDamaged, wrapped, if the stream does not hold the decision
// before; events.ErrEvent, wrapped, if d is no decision. After any other
// error, d may be stored or not.
func (b *Bus) Append(ctx context.Context, d haldane.Decision) error {
	payload, err := events.Encode(d)
	if err != nil {
		return fmt.Errorf("append decision: %w", err)
	}
	const first, longest = 20 * time.Millisecond, time.Second
	for wait := first; ; wait = min(2*wait, longest) {
		err := b.append(ctx, d, payload)
		if err == nil {
			return nil
		}
		err = reach(fmt.Errorf("append decision %s: %w", events.ID(d), err))
		if final(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// final reports whether trying again cannot help.
func final(err error) bool {
	return errors.Is(err, haldane.ErrConflict) || errors.Is(err, ErrDamaged) || errors.Is(err, ErrStore)
}

// append tries once. It looks at the last decision of the rollout, which must
// be the one before d, and publishes d on the condition that it still is.
func (b *Bus) append(ctx context.Context, d haldane.Decision, payload []byte) error {
	st, err := b.kept(ctx)
	if err != nil {
		return err
	}
	all := events.Filter(d.Service, d.Rollout, "")
	var last uint64 // the number in the stream of the last decision
	var seq uint64  // its number in the rollout
	msg, err := st.decisions.GetLastMsgForSubject(ctx, all)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
	case err != nil:
		return fmt.Errorf("look at the decision before: %w", err)
	default:
		there, err := events.Decode(msg.Data)
		if err != nil {
			return fmt.Errorf("message %d of the stream: %w: %w", msg.Sequence, err, ErrDamaged)
		}
		last, seq = msg.Sequence, there.Seq
	}
	switch {
	case seq >= d.Seq:
		return b.collides(ctx, d)
	case seq+1 < d.Seq:
		return fmt.Errorf("the last decision of rollout %s in the stream has number %d: %w", d.Rollout, seq, ErrDamaged)
	}
	return b.publish(ctx, d, payload, jetstream.WithExpectLastSequenceForSubject(last, all))
}

// publish sends d on a condition, and finds out what became of it.
func (b *Bus) publish(ctx context.Context, d haldane.Decision, payload []byte, condition jetstream.PublishOpt) error {
	msg := message(events.Subject(d), payload)
	ack, err := b.js.PublishMsg(ctx, msg, condition, jetstream.WithMsgID(events.ID(d)),
		jetstream.WithExpectStream(events.Stream), jetstream.WithRetryAttempts(0))
	var refused *jetstream.APIError
	switch {
	case errors.As(err, &refused) && (refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant):
		return b.collides(ctx, d)
	case err != nil:
		return err
	case ack.Duplicate:
		// The server has seen this id, but knows nothing of what was under it.
		return b.collides(ctx, d)
	}
	return nil
}

// collides looks at what stands under d's number: d itself is fine.
func (b *Bus) collides(ctx context.Context, d haldane.Decision) error {
	there, err := b.History(ctx, d.Service, d.Rollout)
	if err != nil {
		return fmt.Errorf("look at what is under its number: %w", err)
	}
	for _, t := range there {
		switch {
		case t.Seq != d.Seq:
		case events.Same(t, d):
			return nil
		default:
			return fmt.Errorf("the stream has %s by %s there: %w", t.Kind, t.Actor, haldane.ErrConflict)
		}
	}
	return errors.New("the server knows its id, but it is not in the stream")
}
