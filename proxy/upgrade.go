package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/haldane-canary/haldane"
)

// switchProtocols hands both connections to the new protocol, after an
// upstream's answer of 101, and carries bytes until both sides have ended. The
// request is observed when the protocol is switched: how long the connection
// lasts says nothing of the version.
func (x *exchange) switchProtocols(a *http.Response) {
	upstream, ok := a.Body.(io.ReadWriteCloser)
	if !ok || x.upgrade == "" || !strings.EqualFold(upgradeOf(a.Header), x.upgrade) {
		x.observe(haldane.Reset)
		x.explain(http.StatusBadGateway, "the upstream switched to a protocol that was not asked for")
		return
	}
	if !x.takeHead() {
		return
	}
	client, buffered, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		// Only HTTP/1 connections can be taken over, and only they can ask.
		x.observe(haldane.Canceled)
		breakOff()
	}
	defer leave(client)
	x.deadline.lift()
	x.status = a.StatusCode
	if err := writeSwitch(client, buffered.Writer, a, x.upgrade); err != nil {
		x.observe(haldane.Canceled)
		return
	}
	x.observe(haldane.OK)
	stop := context.AfterFunc(x.p.life, func() {
		leave(client)
		leave(upstream)
	})
	defer stop()
	tunnel(client, buffered.Reader, upstream)
}

// writeSwitch writes the head of a 101 answer to the client.
func writeSwitch(client net.Conn, w *bufio.Writer, a *http.Response, upgrade string) error {
	header := endToEnd(a.Header)
	header["Connection"], header["Upgrade"] = []string{"Upgrade"}, []string{upgrade}
	head := http.Response{StatusCode: a.StatusCode, ProtoMajor: 1, ProtoMinor: 1, Header: header}
	// The server's time limits were for a request.
	return errors.Join(client.SetDeadline(time.Time{}), head.Write(w), w.Flush())
}

// tunnel carries bytes both ways. When one side ends its half, the other is
// told so if it can be (a half-closed connection), and may go on; where it
// cannot be told, or where anything breaks, both are closed.
func tunnel(client net.Conn, fromClient io.Reader, upstream io.ReadWriteCloser) {
	var both sync.WaitGroup
	both.Go(func() { carry(upstream, fromClient, client, upstream) })
	both.Go(func() { carry(client, upstream, client, upstream) })
	both.Wait()
}

// carry copies src to dst until src ends, and then ends dst's half. If either
// breaks it closes all, so that the other half ends too.
func carry(dst io.Writer, src io.Reader, all ...io.Closer) {
	_, err := io.Copy(dst, src)
	if err == nil {
		if half, ok := dst.(interface{ CloseWrite() error }); ok {
			err = half.CloseWrite()
		} else {
			err = errors.ErrUnsupported
		}
	}
	if err != nil {
		for _, c := range all {
			leave(c)
		}
	}
}

// leave closes what nobody wants any more; that it may be broken already is no
// news.
func leave(c io.Closer) { _ = c.Close() }
