package proxy

import (
	"errors"
	"maps"
	"net/http"
	"net/textproto"

	"github.com/haldane-canary/haldane"
)

// max1xx is how many informational answers of one upstream are passed on
// before it is taken for broken.
const max1xx = 16

// errFlood ends an attempt at an upstream that sends nothing but 1xx answers.
var errFlood = errors.New("too many 1xx answers")

// attempt sends the request to an upstream of t and returns the head of its
// answer.
func (x *exchange) attempt(t haldane.Track) (*http.Response, error) {
	track := x.svc.tracks[t]
	upstream := track.upstream()
	out := x.r.WithContext(x.ctx) // a shallow copy, ours to change
	out.Header = outgoingHeader(x.r, x.upgrade)
	out.RequestURI, out.Close, out.TransferEncoding = "", false, nil
	target := *x.r.URL
	target.Scheme, target.Host, target.User, target.Fragment = upstream.Scheme, upstream.Host, nil, ""
	out.URL = &target
	out.Body = nil
	if x.hasBody() {
		out.Body = &x.body
	}
	x.connected.Store(false)
	done := x.span.Attempt(t, upstream, out.Header)
	answer, err := track.transport.RoundTrip(out)
	if err != nil {
		done(0, err)
		return nil, err
	}
	done(answer.StatusCode, nil)
	return answer, nil
}

// hasBody reports whether the request has a body, or may have one.
func (x *exchange) hasBody() bool {
	return x.r.Body != nil && x.r.Body != http.NoBody && x.r.ContentLength != 0
}

// mayRetry reports whether the baseline may be asked after the canary has
// failed with this class, nothing having been answered: if the canary was never
// reached (nothing was sent), or if the request is safe to repeat (RFC 9110,
// section 9.2.1). In both cases its body must be whole still. A request that
// the canary has kept until its deadline has no time left.
func (x *exchange) mayRetry(class haldane.Class) bool {
	if x.track != haldane.Canary || x.body.touched.Load() {
		return false
	}
	switch class {
	case haldane.Unreachable:
		return true
	case haldane.Reset:
		return safe(x.r.Method) && x.upgrade == "" && !x.hasBody()
	case haldane.OK, haldane.ClientError, haldane.ServerError, haldane.Timeout, haldane.Canceled:
	}
	return false
}

// safe reports whether a method asks for no change.
func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// inform passes an informational answer (103 Early Hints) on to the client. It
// is called by the transport, on a goroutine of its own. The server says 100
// Continue by itself when the body is read.
func (x *exchange) inform(code int, header textproto.MIMEHeader) error {
	if code == http.StatusContinue {
		return nil
	}
	x.head.Lock()
	defer x.head.Unlock()
	if x.answered {
		return nil
	}
	if x.informed++; x.informed > max1xx {
		return errFlood
	}
	h := x.w.Header()
	maps.Copy(h, endToEnd(http.Header(header)))
	x.w.WriteHeader(code)
	clear(h)
	return nil
}
