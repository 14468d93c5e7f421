package proxy

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/haldane-canary/haldane"
)

// answer passes an upstream's answer on to the client and observes it. A body
// that breaks is passed on as what it is: the client's connection breaks too.
func (x *exchange) answer(a *http.Response) {
	if a.StatusCode == http.StatusSwitchingProtocols {
		x.switchProtocols(a)
		return
	}
	if !x.takeHead() {
		return
	}
	stream := streams(a)
	x.writeHead(a)
	if endless(a) {
		// It may last for days: what is known of it is known now.
		x.observe(haldane.ClassOf(a.StatusCode))
	}
	if stream {
		x.deadline.lift()
		x.flush()
	}
	if err := x.copyBody(a.Body, stream); err != nil {
		x.observe(x.classifyBody(err))
		breakOff()
	}
	x.writeTrailers(a)
	x.observe(haldane.ClassOf(a.StatusCode))
}

// breakOff ends the exchange where it stands, so that the client's connection
// breaks: there is no other way to say that an answer is not whole. It does not
// return; see finish.
func breakOff() {
	panic(http.ErrAbortHandler) //nolint:forbidigo // it is net/http's word for this, and the server expects it
}

// streams reports whether an answer is passed on as it comes: nobody has said
// how long it will be.
func streams(a *http.Response) bool {
	return a.Body != http.NoBody && (a.ContentLength < 0 || endless(a))
}

// endless reports whether an answer is one that goes on until somebody leaves.
func endless(a *http.Response) bool {
	media, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "text/event-stream")
}

// writeHead writes the status and header of a.
func (x *exchange) writeHead(a *http.Response) {
	h := x.w.Header()
	maps.Copy(h, a.Header)
	strip(h, a.Header["Connection"])
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // or the server would guess one
	}
	if x.r.ProtoMajor == 1 && len(x.r.TransferEncoding) > 0 {
		// net/http hides whether a chunked request had a Content-Length too,
		// with which a request can be smuggled past a proxy before us: then
		// what follows on this connection must not be believed (RFC 9112,
		// section 6.1; golang/go#80942).
		h["Connection"] = []string{"close"}
	}
	for name := range a.Trailer {
		h.Add("Trailer", name)
	}
	x.status = a.StatusCode
	x.w.WriteHeader(a.StatusCode)
}

// errClient is returned, wrapped, where the client does not take its answer.
var errClient = errors.New("client")

// buffers are for copying bodies.
var buffers = sync.Pool{New: func() any { return new([transferBufferLen]byte) }}

// copyBody copies an answer's body to the client, and flushes after each part
// of a stream.
func (x *exchange) copyBody(body io.Reader, stream bool) error {
	if body == http.NoBody {
		return nil
	}
	buf := buffers.Get().(*[transferBufferLen]byte)
	defer buffers.Put(buf)
	for {
		n, err := body.Read(buf[:])
		if n > 0 {
			if _, err := x.w.Write(buf[:n]); err != nil {
				return errors.Join(errClient, err)
			}
			if stream {
				x.flush()
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// classifyBody says whose fault it is that a body was not passed on whole.
func (x *exchange) classifyBody(err error) haldane.Class {
	if errors.Is(err, errClient) {
		return haldane.Canceled
	}
	return x.classify()
}

// flush sends what was written. A writer that cannot, or a client that has
// gone, is noticed by the next write.
func (x *exchange) flush() {
	if f, ok := x.w.(http.Flusher); ok {
		f.Flush()
	}
}

// writeTrailers writes the fields that came after the body: announced ones
// under their names, others with the prefix by which net/http knows them.
func (x *exchange) writeTrailers(a *http.Response) {
	if len(a.Trailer) == 0 {
		return
	}
	x.flush() // so that even an empty body is chunked, and can have trailers
	announced := x.w.Header()["Trailer"]
	for name, values := range a.Trailer {
		if !tokenIn(announced, name) {
			name = http.TrailerPrefix + name
		}
		for _, v := range values {
			x.w.Header().Add(name, v)
		}
	}
}
