package proxy

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// The causes for which a proxy itself gives an exchange up.
var (
	errDeadline   = errors.New("the upstream did not answer in time")
	errSlowClient = errors.New("the client did not send its request in time")
)

// A deadline ends an exchange unless it is put off or lifted in time.
type deadline struct {
	mu     sync.Mutex // guards what follows: the client's body may still be read while the answer arrives
	timer  *time.Timer
	after  time.Duration
	lifted bool
}

// start sets the deadline; expire is called if it passes, and never once it is
// lifted.
func (d *deadline) start(after time.Duration, expire func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.after = after
	d.timer = time.AfterFunc(after, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !d.lifted {
			expire()
		}
	})
}

// putOff begins the time anew.
func (d *deadline) putOff() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.lifted {
		d.timer.Reset(d.after)
	}
}

// lift ends the deadline for good.
func (d *deadline) lift() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lifted = true
	d.timer.Stop()
}

// A requestBody is a client's body on its way to an upstream. It knows whether
// it was touched, since an untouched one can be sent a second time, and whose
// fault it is if it does not arrive. Closing it does nothing: a transport
// closes the body of a request that it could not send, and the body may still
// be wanted; the server closes it in the end.
type requestBody struct {
	io.Reader
	deadline *deadline
	touched  atomic.Bool // some of it was read
	reading  atomic.Bool // the client is being waited for
	failed   atomic.Bool // the client broke off
}

// Read reads from the client. Its time is not the upstream's.
func (b *requestBody) Read(p []byte) (int, error) {
	b.touched.Store(true)
	b.reading.Store(true)
	n, err := b.Reader.Read(p)
	b.reading.Store(false)
	b.deadline.putOff()
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed.Store(true)
	}
	return n, err
}

// Close does nothing.
func (b *requestBody) Close() error { return nil }
