package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
	"github.com/haldane-canary/haldane/sketch"
)

// The kinds of live messages, as metrics name them.
const (
	kindReport  = "report"
	kindVerdict = "verdict"
	kindSplit   = "split"
)

// backlog is how many live messages may wait for a listener that is slow;
// what comes beyond is dropped and counted.
const backlog = 4096

// PublishReport says what a proxy has counted to whoever listens now.
func (b *Bus) PublishReport(_ context.Context, r sketch.Report) error {
	return b.say(events.WindowSubject(r.Service, r.Rollout), kindReport, r)
}

// PublishVerdict says a verdict to whoever listens now.
func (b *Bus) PublishVerdict(_ context.Context, v haldane.Verdict) error {
	return b.say(events.VerdictSubject(v.Service, v.Rollout), kindVerdict, v)
}

// say publishes v, without waiting for anybody. What cannot be sent is dropped,
// counted and returned as an error.
func (b *Bus) say(subject, kind string, v any) error {
	payload, err := json.Marshal(v)
	if err == nil {
		err = b.conn.Publish(subject, payload)
	}
	if err != nil {
		b.counts.dropped.WithLabelValues(kind).Inc()
		return reach(fmt.Errorf("publish %s on %s: %w", kind, subject, err))
	}
	return nil
}

// SubscribeReports calls fn with every report that is published from now on,
// one at a time, until ctx ends; it returns nil then. What is no report is
// counted and skipped.
func (b *Bus) SubscribeReports(ctx context.Context, fn func(sketch.Report)) error {
	return b.listen(ctx, events.AllWindows, kindReport, func(m *nats.Msg) error {
		var r sketch.Report
		if err := json.Unmarshal(m.Data, &r); err != nil {
			return err
		}
		if err := r.Validate(); err != nil {
			return err
		}
		if want := events.WindowSubject(r.Service, r.Rollout); m.Subject != want {
			return fmt.Errorf("a report that belongs on %s", want)
		}
		fn(r)
		return nil
	})
}

// SubscribeVerdicts calls fn with every verdict that is published from now on,
// one at a time, until ctx ends; it returns nil then. What is no verdict is
// counted and skipped.
func (b *Bus) SubscribeVerdicts(ctx context.Context, fn func(haldane.Verdict)) error {
	return b.listen(ctx, events.AllVerdicts, kindVerdict, func(m *nats.Msg) error {
		var v haldane.Verdict
		if err := json.Unmarshal(m.Data, &v); err != nil {
			return err
		}
		switch {
		case v.Service == "" || v.Rollout == "":
			return errors.New("a verdict on nothing")
		case m.Subject != events.VerdictSubject(v.Service, v.Rollout):
			return fmt.Errorf("a verdict that belongs on %s", events.VerdictSubject(v.Service, v.Rollout))
		}
		fn(v)
		return nil
	})
}

// listen calls fn with the messages on subject until ctx ends. The
// subscription lives through reconnects.
func (b *Bus) listen(ctx context.Context, subject, kind string, fn func(*nats.Msg) error) error {
	msgs := make(chan *nats.Msg, backlog)
	sub, err := b.conn.ChanSubscribe(subject, msgs)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", subject, err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only once the connection is closed
	dropped := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-msgs:
			if err := fn(m); err != nil {
				b.malformed(kind, m.Subject, err)
			}
			if n, err := sub.Dropped(); err == nil && n > dropped {
				b.counts.dropped.WithLabelValues(kind).Add(float64(n - dropped))
				dropped = n
			}
		}
	}
}
