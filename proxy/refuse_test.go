package proxy_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/haldane-canary/haldane"
)

// exchange sends raw text and returns the status of the first answer.
func exchange(t *testing.T, r *rig, text string) (status int, rest *bufio.Reader) {
	t.Helper()
	rest = bufio.NewReader(r.dial(text))
	resp, err := http.ReadResponse(rest, nil)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, rest
}

func TestWhatNoProxyShouldPassOnIsRefused(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the upstream was sent %s %s, Upgrade %q", r.Method, r.RequestURI, r.Header.Get("Upgrade"))
	}), nil)
	r.split(0)
	for text, want := range map[string]int{
		"CONNECT shop:443 HTTP/1.1\r\nHost: shop:443\r\n\r\n":                                      405,
		"GET * HTTP/1.1\r\nHost: x\r\n\r\n":                                                        400,
		"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n":                 400,
		"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket, H2C\r\n\r\n":      400,
		"GET / HTTP/1.1\r\nHost: x\r\nConnection: X\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n": 400,
		"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n":              431,
	} {
		if got, _ := exchange(t, r, text); got != want {
			t.Errorf("%.60q: %d, want %d", text, got, want)
		}
	}
	if w := r.window(haldane.Baseline); w.N() != 0 {
		t.Errorf("%d observations of refused requests", w.N())
	}
}

// With both lengths a proxy before us may have seen another request than we
// did. What follows on such a connection must not be answered.
func TestAChunkedRequestIsTheLastOfItsConnection(t *testing.T) {
	r := newRig(t, says("ok"), nil)
	status, rest := exchange(t, r, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"1\r\na\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
	if status != 200 && status != 400 {
		t.Errorf("status %d, want 200 or 400", status)
	}
	if more, _ := io.ReadAll(rest); len(more) != 0 {
		t.Errorf("the connection went on: %q", more)
	}
}

func TestARequestForNobodyIsNotFound(t *testing.T) {
	r := newRig(t, says("ok"), nil, matches("shop.example", "/shop"))
	if resp, body := r.do("GET", "/shop", ""); resp.StatusCode != 404 || !strings.HasPrefix(body, "haldane: ") {
		t.Errorf("%s %q, want 404 in our own name", resp.Status, body)
	}
	status, _ := exchange(t, r, "GET /shop HTTP/1.1\r\nHost: SHOP.example:80\r\n\r\n")
	if status != 200 {
		t.Errorf("for the service's host: %d, want 200", status)
	}
	if got := metrics(t, r.proxy)["haldane_unrouted_requests_total"]; got != 1 {
		t.Errorf("%v unrouted, want 1", got)
	}
}

func TestAWholeURLIsATarget(t *testing.T) {
	r := newRig(t, echo(), nil)
	c := r.dial("GET http://shop.example HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n")
	b, _ := io.ReadAll(c)
	if !strings.Contains(string(b), "GET /\nHost: shop.example\n") {
		t.Errorf("got %s", b)
	}
}
