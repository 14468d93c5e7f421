package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// maxBody is the longest body that a request may have. Reasons are sentences.
const maxBody = 64 << 10

// guard lets requests through to next that may do what next does.
func (s *Server) guard(need role, next http.HandlerFunc) http.Handler {
	foreign := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		if need == anybody {
			next(w, r)
			return
		}
		if !ownHost(r) {
			s.refuse(w, r, http.StatusForbidden, "host "+r.Host+" is not this machine",
				"use 127.0.0.1 or localhost: a page in a browser may have been led here under its own name")
			return
		}
		if err := foreign.Check(r); err != nil {
			s.refuse(w, r, http.StatusForbidden, "a page of another site asks for this", "use the command line, or a page that this server gave")
			return
		}
		who, status := s.authorize(r, need)
		if status != 0 {
			h.Set("WWW-Authenticate", "Bearer")
			s.refuse(w, r, status, "no token that may do this",
				"set HALDANE_TOKEN to the contents of operator.token in the server's data folder")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next(w, r.WithContext(withActor(r.Context(), who)))
	})
}

// refuse answers that the request is not permitted, and logs it: who knocks
// at the wrong door is worth knowing.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, message, hint string) {
	s.cfg.Logger.Warn("request refused", "method", r.Method, "pattern", r.Pattern, "remote", r.RemoteAddr, "status", status, "reason", message)
	s.fail(w, r, status, message, hint)
}

// authorize returns who asks, or the status by which to refuse: 401 without a
// token that is known, 403 with one that may not do this.
func (s *Server) authorize(r *http.Request, need role) (who string, refusal int) {
	header := r.Header.Get("Authorization")
	if header == "" {
		if need == viewer && local(r) {
			return "", 0
		}
		return "", http.StatusUnauthorized
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", http.StatusUnauthorized
	}
	who, has, ok := s.cfg.Tokens.find(strings.TrimSpace(token))
	switch {
	case !ok:
		return "", http.StatusUnauthorized
	case has < need:
		return "", http.StatusForbidden
	}
	return who, 0
}

// local reports whether r comes from this machine, and not by way of a proxy
// on it.
func local(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// ownHost reports whether r is addressed to this machine by a name that
// cannot be another's. Only where it arrived on loopback is that known; from
// elsewhere, a token is wanted for everything.
func ownHost(r *http.Request) bool {
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if ap, err := netip.ParseAddrPort(at.String()); err == nil && !ap.Addr().Unmap().IsLoopback() {
			return true
		}
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || strings.EqualFold(host, "localhost")
}
