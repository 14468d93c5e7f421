package proxy_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/haldane-canary/haldane"
)

// echo answers with the request's head as the upstream received it.
func echo() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.RequestURI+"\nHost: "+r.Host+"\n")
		_ = r.Header.Write(w)
	})
}

func TestHopByHopFieldsOfRequestsStayBehind(t *testing.T) {
	r := newRig(t, echo(), nil)
	c := r.dial("GET / HTTP/1.1\r\nHost: shop.example\r\nConnection:\r\nConnection: X-One, , close\r\nConnection: x-two\r\n" +
		"X-One: 1\r\nX-Two: 2\r\nX-Kept: yes\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: secret\r\n" +
		"TE: trailers, deflate;q=0.5\r\nUpgrade: websocket\r\nHTTP2-Settings: AAMA\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	got := string(b)
	for _, gone := range []string{"X-One", "X-Two", "Keep-Alive", "Proxy-", "Connection", "Upgrade", "Http2-Settings", "deflate"} {
		if strings.Contains(got, gone) {
			t.Errorf("%s was passed on:\n%s", gone, got)
		}
	}
	for _, kept := range []string{"X-Kept: yes", "Te: trailers", "Host: shop.example"} {
		if !strings.Contains(got, kept) {
			t.Errorf("%s was not passed on:\n%s", kept, got)
		}
	}
}

func TestHopByHopFieldsOfAnswersStayBehind(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Connection"] = []string{"", "X-One", "keep-alive, x-two"}
		for _, name := range []string{"X-One", "X-Two", "Keep-Alive", "Proxy-Authenticate", "X-Kept"} {
			w.Header().Set(name, "v")
		}
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
	}), nil)
	resp, _ := r.do("GET", "/", "")
	for _, gone := range []string{"X-One", "X-Two", "Keep-Alive", "Proxy-Authenticate"} {
		if v := resp.Header.Get(gone); v != "" {
			t.Errorf("%s: %s was passed on", gone, v)
		}
	}
	if resp.Close || resp.Header.Get("X-Kept") != "v" || len(resp.Header["Set-Cookie"]) != 2 {
		t.Errorf("closed %v, header %v; want an open connection, X-Kept and both cookies", resp.Close, resp.Header)
	}
}

func TestForwardedFieldsAreOurs(t *testing.T) {
	r := newRig(t, echo(), nil)
	_, got := r.do("GET", "/", "", "X-Forwarded-For", "10.0.0.1", "X-Forwarded-Host", "evil", "X-Forwarded-Proto", "https",
		"Forwarded", "for=10.0.0.1", "X-Real-Ip", "10.0.0.1", "Connection", "X-Forwarded-For")
	if strings.Contains(got, "10.0.0.1") || strings.Contains(got, "evil") {
		t.Errorf("a spoof was passed on:\n%s", got)
	}
	for _, want := range []string{"X-Forwarded-For: 127.0.0.1\r\n", "X-Forwarded-Proto: http\r\n", "X-Forwarded-Host: 127.0.0.1:"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestRequestsPassAsTheyAre(t *testing.T) {
	r := newRig(t, echo(), nil)
	for _, target := range []string{"/", "/a%2Fb/../c//d", "/a;b=c?x=1;y=2&z=%zz&", "//double", "/?", "/%e2%82%ac", "/a?b?c"} {
		c := r.dial("DELETE " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		if first, rest, _ := strings.Cut(string(b), "\n"); first != "DELETE "+target {
			t.Errorf("%s arrived as %q", target, first)
		} else if strings.Contains(rest, "User-Agent") || strings.Contains(rest, "Accept-Encoding") {
			t.Errorf("something was added:\n%s", rest)
		}
	}
}

func TestAnswersPassAsTheyAre(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		switch r.URL.Path {
		case "/304":
			w.WriteHeader(http.StatusNotModified)
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/599":
			w.WriteHeader(599)
		}
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", "7")
			return
		}
		_, _ = io.WriteString(w, "<html>")
	}), nil)
	for path, want := range map[string]int{"/": 200, "/204": 204, "/304": 304, "/599": 599} {
		resp, _ := r.do("GET", path, "")
		if resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, resp.Status, want)
		}
		if ct, ok := resp.Header["Content-Type"]; ok {
			t.Errorf("%s: a content type was guessed: %v", path, ct)
		}
	}
	if resp, _ := r.do("HEAD", "/", ""); resp.ContentLength != 7 {
		t.Errorf("HEAD: length %d, want 7", resp.ContentLength)
	}
}

func TestStatusesAreObservedAsClasses(t *testing.T) {
	for status, class := range map[int]haldane.Class{
		200: haldane.OK, 301: haldane.OK, 404: haldane.ClientError, 429: haldane.ClientError, 500: haldane.ServerError, 503: haldane.ServerError,
	} {
		r := newRig(t, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		r.split(haldane.FullWeight)
		if resp, _ := r.do("GET", "/", ""); resp.StatusCode != status {
			t.Errorf("got %s, want %d", resp.Status, status)
		}
		r.observed(haldane.Canary, class)
	}
}
