package proxy

import (
	"context"
	"net/http"
	"net/url"

	"github.com/haldane-canary/haldane"
)

// A Tracer follows requests through the proxy for people who look at single
// ones. Its methods are called on the request path: they must not block, and
// must be safe for concurrent use. Without a Tracer, W3C trace context passes
// through untouched, and a valid traceparent gives the trace id of exemplars.
type Tracer interface {
	// Start opens the server span of r, which was given a. The context it
	// returns descends from r's and is that of the upstream calls.
	Start(r *http.Request, a Assignment) (context.Context, Span)
}

// A Span is one request, as a Tracer follows it.
type Span interface {
	// TraceID returns the trace id in hex if this trace can be found later,
	// else "".
	TraceID() string
	// Attempt opens the client span of one try at an upstream and writes its
	// trace context into header. It returns what closes the span, with the
	// answer's status (0 if there was none) and the error.
	Attempt(t haldane.Track, upstream *url.URL, header http.Header) (end func(status int, err error))
	// End closes the server span, with the observation's class and the status
	// that the client was sent.
	End(class haldane.Class, status int)
}

// An Assignment is what was decided of a request before it was forwarded.
type Assignment struct {
	Service, Route string
	Version        string // of the track
	Track          haldane.Track
	Split          haldane.Split // in force, and the weight epoch the request belongs to
}

// noSpan stands in where there is no Tracer.
type noSpan struct{ traceID string }

func (s noSpan) TraceID() string            { return s.traceID }
func (s noSpan) End(_ haldane.Class, _ int) {}
func (s noSpan) Attempt(haldane.Track, *url.URL, http.Header) func(int, error) {
	return func(int, error) {}
}

// traceIDOf returns the trace id of a W3C traceparent (Trace Context, level 1,
// section 3.2: version-traceid-parentid-flags in lower-case hex), or "" if the
// header is none or forbidden (version ff, ids of zeros).
func traceIDOf(traceparent string) string {
	const whole = len("00-0123456789abcdef0123456789abcdef-0123456789abcdef-00")
	if len(traceparent) < whole || (len(traceparent) > whole && (traceparent[:2] == "00" || traceparent[whole] != '-')) {
		return ""
	}
	if traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-' || traceparent[:2] == "ff" {
		return ""
	}
	version, trace, parent, flags := traceparent[:2], traceparent[3:35], traceparent[36:52], traceparent[53:55]
	for _, field := range [...]string{version, trace, parent, flags} {
		if !lowerHex(field) {
			return ""
		}
	}
	if zeros(trace) || zeros(parent) {
		return ""
	}
	return trace
}

// lowerHex reports whether s has lower-case hexadecimal digits only.
func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// zeros reports whether s is all zeros.
func zeros(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return true
}
