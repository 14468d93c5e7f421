package proxy

import (
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// hopByHop are the header fields that are about one connection (RFC 9110,
// section 7.6.1, and what older software sends), and so are never passed on.
var hopByHop = [...]string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings",
}

// endToEnd returns a copy of h without hop-by-hop fields: the known ones, and
// those that any line of Connection names. It shares h's values.
func endToEnd(h http.Header) http.Header {
	out := make(http.Header, len(h)+4) // and what forward adds
	for name, values := range h {
		out[name] = slices.Clip(values)
	}
	strip(out, h["Connection"])
	return out
}

// strip deletes the hop-by-hop fields of h, given its lines of Connection. (Of an
// answer that says close, net/http hides those lines: what they name besides
// is then passed on.)
func strip(h http.Header, connection []string) {
	for _, line := range connection {
		for name := range strings.SplitSeq(line, ",") {
			if name = textproto.TrimString(name); name != "" {
				h.Del(name)
			}
		}
	}
	for _, name := range hopByHop {
		delete(h, name)
	}
}

// forwarded are the fields by which a client could pretend to be another; a
// proxy that faces strangers writes its own.
var forwarded = [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// outgoingHeader returns the header with which r goes to an upstream.
func outgoingHeader(r *http.Request, upgrade string) http.Header {
	h := endToEnd(r.Header)
	for _, name := range forwarded {
		delete(h, name)
	}
	client := r.RemoteAddr
	if host, _, err := net.SplitHostPort(client); err == nil {
		client = host
	}
	proto := "http"
	if r.TLS != nil {
		proto = "https"
	}
	own := [...]string{client, r.Host, proto} // one allocation for three values
	h["X-Forwarded-For"], h["X-Forwarded-Host"], h["X-Forwarded-Proto"] = own[0:1:1], own[1:2:2], own[2:3:3]
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // or net/http would write its own
	}
	if tokenIn(r.Header["Te"], "trailers") {
		h["Te"] = []string{"trailers"} // hop by hop, but true of this hop too
	}
	if upgrade != "" {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{upgrade}
	}
	return h
}

// upgradeOf returns the protocol that a message with header h asks to switch
// to, or "".
func upgradeOf(h http.Header) string {
	if len(h["Upgrade"]) == 0 || !tokenIn(h["Connection"], "upgrade") {
		return ""
	}
	return h.Get("Upgrade")
}

// tokenIn reports whether one of the comma-separated lists in lines has token,
// whatever its case. Parameters and versions after it ("h2c/1", "x;q=1") do
// not matter.
func tokenIn(lines []string, token string) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			item = textproto.TrimString(item)
			if end := strings.IndexAny(item, ";/ \t"); end >= 0 {
				item = item[:end]
			}
			if strings.EqualFold(item, token) {
				return true
			}
		}
	}
	return false
}
