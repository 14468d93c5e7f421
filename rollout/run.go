package rollout

import (
	"time"

	"github.com/haldane-canary/haldane"
)

// A run is one rollout while the controller runs. Everything in it belongs to
// the goroutine of Controller.Run, but for the pusher's own side.
type run struct {
	spec    Spec
	retired bool    // known from its decisions only: no longer configured
	zero    State   // before the first decision of the current generation
	history history // of the current generation
	state   State   // the fold of history from zero, its times tied to this process's clock

	verdict    *haldane.Verdict // the latest on this generation
	receivedAt time.Time
	fail       *haldane.Verdict // the first fail of this generation: final

	waiting   []*request // commands that wait for the log, in order
	unwritten bool       // the journal lacks some of history
	doubt     *State     // zero of a generation of which the log may know more than we do
	busy      bool       // a call to the log is under way
	giveUp    func()     // ends the call, if a reversal makes it pointless; else nil
	retryAt   time.Time  // no call to the log before this
	retries   int        // how many have failed in a row

	push pusher
}

// input returns what Plan.Next may know now.
func (r *run) input(now time.Time) Input {
	in := Input{Now: now, Verdict: r.verdict, ReceivedAt: r.receivedAt}
	if r.fail != nil {
		in.Verdict = r.fail
	}
	return in
}

// shown returns the verdict to show and to put into the record, if any.
func (r *run) shown() *haldane.Verdict { return r.input(time.Time{}).Verdict }

// hear takes in verdicts on the current generation; a fail is never forgotten.
func (r *run) hear(n news) {
	for _, v := range []*haldane.Verdict{n.fail, n.latest} {
		if v == nil || v.Rollout != r.state.Rollout {
			continue
		}
		r.verdict, r.receivedAt = v, n.at
		if v.Judgement == haldane.Fail && r.fail == nil {
			r.fail = v
		}
	}
}

// open makes the generation that begins with zero the current one, if it is
// not. Its statistics are clean: no verdict on another counts for it.
func (r *run) open(zero State) {
	if zero.Rollout == r.zero.Rollout {
		return
	}
	r.zero, r.state, r.history = zero, zero, history{}
	r.verdict, r.fail = nil, nil
}

// known returns what is remembered of the generation that begins with zero.
func (r *run) known(zero State) history {
	if zero.Rollout != r.zero.Rollout {
		return history{}
	}
	return r.history
}

// failed puts off the next call to the log.
func (r *run) failed(now time.Time) {
	const first, longest = 50 * time.Millisecond, 2 * time.Second
	r.retryAt = now.Add(min(longest, first<<min(r.retries, 10)))
	r.retries++
}

// succeeded forgets past failures.
func (r *run) succeeded() { r.retries, r.retryAt = 0, time.Time{} }
