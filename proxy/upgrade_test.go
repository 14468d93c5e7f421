package proxy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/haldane-canary/haldane"
)

// parrot returns a handler that switches to a protocol in which every line is
// repeated until the other side ends its half, and then says goodbye.
func parrot(protocol string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != protocol || r.Header.Get("Connection") != "Upgrade" {
			http.Error(w, "no upgrade", http.StatusUpgradeRequired)
			return
		}
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade, X-Hop\r\nUpgrade: "+protocol+
			"\r\nX-Hop: 1\r\nX-Kept: 1\r\n\r\nwelcome\n")
		for {
			line, err := buffered.ReadString('\n')
			if err != nil {
				_, _ = io.WriteString(c, "goodbye\n")
				return
			}
			_, _ = io.WriteString(c, "polly: "+line)
		}
	})
}

// upgrade asks for the protocol "parrot", with what is said right after.
func upgrade(t *testing.T, r *rig, first string) (*net.TCPConn, *bufio.Reader) {
	t.Helper()
	c := r.dial("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: parrot\r\n\r\n" + first)
	reader := bufio.NewReader(c)
	resp, err := http.ReadResponse(reader, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v; want 101", resp, err)
	}
	if h := resp.Header; h.Get("Upgrade") != "parrot" || h.Get("X-Kept") != "1" || h.Get("X-Hop") != "" {
		t.Errorf("header %v", h)
	}
	return c, reader
}

// hear reads a line and wants it to be so.
func hear(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	if got, err := r.ReadString('\n'); got != want+"\n" {
		t.Errorf("heard %q, %v; want %q", got, err, want)
	}
}

func TestUpgradedConnectionsCarryBothWays(t *testing.T) {
	r := newRig(t, nil, parrot("parrot"))
	r.split(haldane.FullWeight)
	c, reader := upgrade(t, r, "early\n")
	hear(t, reader, "welcome")
	hear(t, reader, "polly: early")
	r.observed(haldane.Canary, haldane.OK) // at the switch, not at the end
	_, _ = io.WriteString(c, "later\n")
	hear(t, reader, "polly: later")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	hear(t, reader, "goodbye") // half a connection is enough
	if rest, err := io.ReadAll(reader); len(rest) != 0 || err != nil {
		t.Errorf("after the end: %q, %v", rest, err)
	}
	if end := <-r.spans.ended; end.status != 101 || end.class != haldane.OK {
		t.Errorf("ended as %+v", end)
	}
}

func TestUpgradedConnectionsEndWithTheProxy(t *testing.T) {
	r := newRig(t, nil, parrot("parrot"))
	r.split(haldane.FullWeight)
	_, reader := upgrade(t, r, "")
	hear(t, reader, "welcome")
	if err := r.proxy.Close(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(reader)
	<-r.spans.ended
}

func TestAnUpgradeMayBeDeclined(t *testing.T) {
	r := newRig(t, nil, says("no"))
	r.split(haldane.FullWeight)
	if resp, body := r.do("GET", "/", "", "Connection", "Upgrade", "Upgrade", "parrot"); resp.StatusCode != 200 || body != "no" {
		t.Errorf("%s %q, want the upstream's own answer", resp.Status, body)
	}
	r.observed(haldane.Canary, haldane.OK)
}

func TestAnUpgradeToSomethingElseIsAFailure(t *testing.T) {
	r := newRig(t, says("baseline"), breaks("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"))
	r.split(haldane.FullWeight)
	resp, _ := r.do("GET", "/", "", "Connection", "Upgrade", "Upgrade", "parrot")
	if resp.StatusCode != 502 {
		t.Errorf("%s, want 502", resp.Status)
	}
	r.observed(haldane.Canary, haldane.Reset)
}
