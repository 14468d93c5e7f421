package attach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/figures"
)

// errSettled ends a feed whose rollout has ended.
var errSettled = errors.New("settled")

// remindEvery is how often Plain repeats where a rollout stands while nothing
// else happens.
const remindEvery = 10 * time.Second

// Plain writes a line to w for each decision, for each change of the verdict
// and, between them, now and then where the rollout stands. It returns when
// the rollout has settled or ctx ends.
func Plain(ctx context.Context, s Server, name string, w io.Writer) error {
	p := &plain{w: w}
	return untilSettled(ctx, s, name, p.tell)
}

// JSON writes a line to w for each decision, {"decision": …}, and for each
// change of where the rollout stands, {"status": …}. It returns when the
// rollout has settled or ctx ends.
func JSON(ctx context.Context, s Server, name string, w io.Writer) error {
	last := ""
	return untilSettled(ctx, s, name, func(n news) error {
		if n.lost != nil {
			return nil
		}
		b, err := json.Marshal(struct {
			Status   *haldane.Status   `json:"status,omitempty"`
			Decision *haldane.Decision `json:"decision,omitempty"`
		}{n.status, n.decision})
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		if n.status != nil && string(b) == last {
			return nil
		}
		if n.status != nil {
			last = string(b)
		}
		_, err = fmt.Fprintf(w, "%s\n", b)
		return err
	})
}

// untilSettled follows a rollout until it has settled and the decision that
// settled it was told. The stream has two sources, so that either may be ahead
// of the other; the decision is not waited for beyond a second status.
func untilSettled(ctx context.Context, s Server, name string, tell func(news) error) error {
	var end ending
	err := follow(ctx, s, name, func(n news) error {
		if err := tell(n); err != nil {
			return err
		}
		if end.take(n) {
			return errSettled
		}
		return nil
	})
	if errors.Is(err, errSettled) {
		return nil
	}
	return err
}

// An ending is what was told of a rollout's end.
type ending struct {
	settled  string // the generation whose status says so
	statuses int    // how often
	decided  string // the generation of which a decision says so
}

// take takes in n and reports whether the end has come.
func (e *ending) take(n news) bool {
	if d := n.decision; d != nil && d.To.Phase.Settled() {
		e.decided = d.Rollout
	}
	if st := n.status; st != nil {
		e.statuses++
		if !st.Phase.Settled() {
			*e = ending{decided: e.decided}
			return false
		}
		e.settled = st.Name
	}
	return e.settled != "" && (e.settled == e.decided || e.statuses > 1)
}

// plain remembers what Plain has said.
type plain struct {
	w      io.Writer
	said   string    // the latest line on the status, without its figures
	saidAt time.Time // and when
	lost   bool
}

// tell writes the line for n, if it has one.
func (p *plain) tell(n news) error {
	switch {
	case n.lost != nil:
		if p.lost {
			return nil
		}
		p.lost = true
		return p.line(time.Now(), "connection lost, trying again: "+n.lost.Error())
	case n.decision != nil:
		d := n.decision
		return p.line(d.At, fmt.Sprintf("%s: %s", d.Rollout, Decision(*d)))
	}
	if p.lost {
		p.lost = false
		if err := p.line(time.Now(), "connected again"); err != nil {
			return err
		}
	}
	return p.status(*n.status)
}

// status writes where a rollout stands, if that is new or was said long ago.
// Why is said once, with the decision that comes of it.
func (p *plain) status(st haldane.Status) error {
	now := time.Now()
	judgement := "no verdict yet"
	if v := st.Verdict; v != nil {
		judgement = v.Judgement.String()
	}
	gist := fmt.Sprint(st.Name, st.Phase, st.Step, judgement)
	if gist == p.said && now.Sub(p.saidAt) < remindEvery {
		return nil
	}
	p.said, p.saidAt = gist, now
	text := fmt.Sprintf("%s: %s, step %s, weight %v, served %v, %s", st.Name, st.Phase, figures.Step(st), st.Weight, st.Served, judgement)
	if v := st.Verdict; v != nil && !st.Phase.Settled() { // else the decision says why
		if v.Needs.Requests > 0 {
			text += ", " + figures.Needs(v.Needs)
		}
		text += fmt.Sprintf(" [%s requests, %s on the canary]", figures.Count(v.Observations), figures.Count(v.CanaryObservations))
	}
	return p.line(now, text)
}

func (p *plain) line(at time.Time, text string) error {
	_, err := fmt.Fprintf(p.w, "%s %s\n", at.Local().Format(time.DateTime), text)
	return err
}

// Decision returns what d did, from what to what, by whom and why, if that was
// said, in a line.
func Decision(d haldane.Decision) string {
	change := fmt.Sprintf("at %v", d.Weight)
	if d.From.Weight != d.To.Weight {
		change = fmt.Sprintf("%v → %v", d.From.Weight, d.To.Weight)
	}
	what := fmt.Sprintf("%s %s, %s", d.Kind, change, d.Actor)
	if d.Reason == "" {
		return what
	}
	return what + ": " + d.Reason
}

var _ Server = (*api.Client)(nil)
