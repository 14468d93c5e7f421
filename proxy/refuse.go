package proxy

import (
	"io"
	"net/http"
	"strings"
)

// refusal returns the status and reason with which r must be refused, or 0.
// Each of these has carried requests past a proxy unseen.
func refusal(r *http.Request) (status int, why string) {
	switch {
	case r.Method == http.MethodConnect:
		return http.StatusMethodNotAllowed, "CONNECT is not for this proxy"
	case r.RequestURI == "*" || !strings.HasPrefix(r.URL.Path, "/") && r.URL.Path != "":
		return http.StatusBadRequest, "the request target is no path"
	case tokenIn(r.Header["Upgrade"], "h2c"):
		return http.StatusBadRequest, "an upgrade to h2c is not for this proxy"
	}
	return 0, ""
}

// explain answers in p's own name, in a line of plain text.
func explain(w http.ResponseWriter, status int, why string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	switch status {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	case http.StatusMethodNotAllowed:
		h.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE")
	}
	w.WriteHeader(status)
	// A client that has gone needs no reason.
	_, _ = io.WriteString(w, "haldane: "+why+"\n")
}
