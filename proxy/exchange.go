package proxy

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haldane-canary/haldane"
)

// An exchange is one request and its answer.
type exchange struct {
	p       *Proxy
	svc     *service
	st      *state
	route   int
	w       http.ResponseWriter
	r       *http.Request
	arrived time.Time
	assigned

	begun    bool            // what follows is set
	ctx      context.Context // of the upstream calls
	cancel   context.CancelCauseFunc
	deadline deadline
	body     requestBody
	upgrade  string // the protocol that the client asks to switch to, or ""

	span     Span
	class    haldane.Class // as observed
	observed bool
	status   int // as answered, 0 before

	connected atomic.Bool // the present attempt has a connection
	hooks     httptrace.ClientTrace

	head     sync.Mutex // guards what follows, and w until it is true
	answered bool       // w's head was written, or must not be any more
	informed int        // 1xx answers passed on
}

// run draws a track, forwards the request and answers the client.
func (x *exchange) run() {
	x.st = x.svc.state.Load()
	x.assigned = x.svc.assign(x.st, x.r)
	x.st.served[x.track].Add(1)
	if !x.repeat {
		x.st.cells[x.track][x.route].Assign()
	}
	x.begin()
	answer, err := x.attempt(x.track)
	if err != nil {
		class := x.classify()
		again := x.mayRetry(class)
		x.observe(class)
		if again {
			x.svc.retries.Add(1)
			answer, err = x.attempt(haldane.Baseline)
		}
	}
	if err != nil {
		x.fail(x.classify())
		return
	}
	defer leave(answer.Body)
	x.answer(answer)
}

// begin prepares what an exchange needs before its first attempt.
func (x *exchange) begin() {
	x.upgrade = upgradeOf(x.r.Header)
	x.ctx, x.cancel = context.WithCancelCause(x.trace())
	x.hooks = httptrace.ClientTrace{
		GetConn:        func(string) { x.connected.Store(false) },
		GotConn:        func(httptrace.GotConnInfo) { x.connected.Store(true) },
		Got1xxResponse: x.inform,
	}
	x.ctx = httptrace.WithClientTrace(x.ctx, &x.hooks)
	x.body.Reader, x.body.deadline = x.r.Body, &x.deadline
	x.deadline.start(x.svc.Timeout, x.expire)
	if x.hasBody() {
		// Or the server would hold the answer back until the body has come,
		// and a conversation of both would never begin. HTTP/2 needs no asking.
		_ = http.NewResponseController(x.w).EnableFullDuplex()
	}
	x.svc.inFlight[x.track].Add(1)
	x.begun = true
}

// trace opens the request's span and returns its context. A tracer that fails
// costs the trace, not the request.
func (x *exchange) trace() (ctx context.Context) {
	ctx = x.r.Context()
	if x.p.tracer == nil {
		x.span = noSpan{traceID: traceIDOf(x.r.Header.Get("Traceparent"))}
		return ctx
	}
	defer func() {
		if v := recover(); v != nil {
			x.p.panicked(v)
			x.span = noSpan{}
		}
	}()
	ctx, x.span = x.p.tracer.Start(x.r, Assignment{
		Service: x.svc.Name, Route: x.svc.routes[x.route], Version: x.svc.tracks[x.track].version,
		Track: x.track, Split: x.st.split,
	})
	return ctx
}

// expire ends the exchange: in the client's name if it is the client that is
// being waited for, else in the upstream's.
func (x *exchange) expire() {
	if !x.body.reading.Load() {
		x.cancel(errDeadline)
		return
	}
	x.cancel(errSlowClient)
	// The transport gives up only when the reading does. A writer without
	// deadlines is no connection that could be slow.
	_ = http.NewResponseController(x.w).SetReadDeadline(time.Now())
}

// classify says why the present attempt has failed.
func (x *exchange) classify() haldane.Class {
	cause := context.Cause(x.ctx)
	switch {
	case errors.Is(cause, errDeadline):
		return haldane.Timeout
	case cause != nil || x.body.failed.Load():
		return haldane.Canceled // the client went away, or was too slow
	case !x.connected.Load():
		return haldane.Unreachable
	}
	return haldane.Reset
}

// observe counts the request's outcome, once: what comes later (a retry, the
// rest of a stream) is not an observation.
func (x *exchange) observe(class haldane.Class) {
	if x.observed {
		return
	}
	x.observed, x.class = true, class
	cell, latency := x.st.cells[x.track][x.route], time.Since(x.arrived)
	if x.repeat {
		cell.ObserveRepeat(class, latency, x.span.TraceID())
		return
	}
	cell.Observe(class, latency, x.span.TraceID())
}

// fail answers a request that no upstream has answered.
func (x *exchange) fail(class haldane.Class) {
	x.observe(class)
	switch class {
	case haldane.Unreachable:
		x.explain(http.StatusServiceUnavailable, "no connection to the upstream")
	case haldane.Timeout:
		x.explain(http.StatusGatewayTimeout, errDeadline.Error())
	case haldane.Canceled:
		// Mostly nobody is left to read it.
		if x.body.failed.Load() && !errors.Is(context.Cause(x.ctx), errSlowClient) {
			x.explain(http.StatusBadRequest, "the request's body broke off")
			return
		}
		x.explain(http.StatusRequestTimeout, errSlowClient.Error())
	case haldane.Reset, haldane.OK, haldane.ClientError, haldane.ServerError:
		x.explain(http.StatusBadGateway, "the upstream broke the connection or sent no valid answer")
	}
}

// explain answers in the proxy's own name, if nothing was answered yet.
func (x *exchange) explain(status int, why string) {
	if !x.takeHead() {
		return
	}
	x.status = status
	explain(x.w, status, why)
}

// takeHead gives the caller w's head to write, once; after that no 1xx answer
// can come between.
func (x *exchange) takeHead() bool {
	x.head.Lock()
	defer x.head.Unlock()
	if x.answered {
		return false
	}
	x.answered = true
	return true
}

// finish ends the exchange, also one that panicked: http.ErrAbortHandler is how
// an answer is broken off, and goes on to the server; anything else is a fault
// of ours, which the client is told of if it can be.
func (x *exchange) finish() {
	v := recover()
	fault, _ := v.(error)
	aborted := errors.Is(fault, http.ErrAbortHandler)
	if v != nil && !aborted {
		x.p.panicked(v)
		aborted = !x.apologise()
	}
	x.takeHead() // the writer is the server's again
	if x.begun {
		x.deadline.lift()
		x.cancel(context.Canceled)
		x.svc.inFlight[x.track].Add(-1)
		x.span.End(x.class, x.status)
	}
	if aborted {
		breakOff()
	}
}

// apologise answers 502 and reports whether it could: not in the middle of an
// answer.
func (x *exchange) apologise() bool {
	if x.answered {
		return false
	}
	x.explain(http.StatusBadGateway, "an error of the proxy's own")
	return true
}

// panicked counts and logs a panic of ours.
func (p *Proxy) panicked(v any) {
	p.panics.Add(1)
	p.log.Error("proxy panicked", "panic", v, "stack", string(debug.Stack()))
}
