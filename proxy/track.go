package proxy

import (
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// The limits of connections to an upstream.
const (
	keepAlive         = 15 * time.Second // between TCP probes
	idleConnsPerHost  = 1024             // more are closed after use
	idleConnTimeout   = 60 * time.Second
	maxAnswerHead     = 64 << 10 // bytes, of a status line and header
	continueTimeout   = time.Second
	transferBufferLen = 32 << 10
)

// A track is a Track at work: its own pool of connections, so that a canary
// that hangs takes none of the baseline's.
type track struct {
	version   string
	upstreams []*url.URL
	next      atomic.Uint32
	transport *http.Transport
}

// newTrack returns t at work.
func newTrack(t Track, dialTimeout time.Duration) *track {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}
	return &track{
		version:   t.Version,
		upstreams: t.Upstreams,
		transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    dialTimeout,
			DisableCompression:     true, // bodies pass as they are
			MaxIdleConnsPerHost:    idleConnsPerHost,
			IdleConnTimeout:        idleConnTimeout,
			MaxResponseHeaderBytes: maxAnswerHead,
			ExpectContinueTimeout:  continueTimeout,
			WriteBufferSize:        transferBufferLen,
			ReadBufferSize:         transferBufferLen,
		},
	}
}

// upstream returns the upstream whose turn it is.
func (t *track) upstream() *url.URL {
	if len(t.upstreams) == 1 {
		return t.upstreams[0]
	}
	return t.upstreams[(t.next.Add(1)-1)%uint32(len(t.upstreams))]
}
