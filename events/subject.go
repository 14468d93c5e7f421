package events

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/haldane-canary/haldane"
)

// Where decisions and weights are kept, and what decisions are sent as.
const (
	Stream        = "HALDANE_DECISIONS"                           // the stream of all decisions
	WeightsBucket = "HALDANE_WEIGHTS"                             // the key-value bucket of splits in force
	AllDecisions  = decisionPrefix + ">"                          // the subjects of the stream
	AllWindows    = windowPrefix + ">"                            // the subjects of reports
	AllVerdicts   = verdictPrefix + ">"                           // the subjects of verdicts
	ContentType   = "application/cloudevents+json; charset=UTF-8" // of an encoded decision

	decisionPrefix = "haldane.v1."
	windowPrefix   = "haldane.window.v1."
	verdictPrefix  = "haldane.verdict.v1."
)

// ErrToken is returned, wrapped, for text that Token never produces.
var ErrToken = errors.New("not an encoded name")

const upperHex = "0123456789ABCDEF"

// plain reports whether a byte of a name stands for itself in a subject.
func plain(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '_' || b == '-'
}

// Token returns name as one token of a NATS subject: every byte but letters,
// digits, "_" and "-" becomes %XX, so "shop-1.5.0" is "shop-1%2E5%2E0". Two
// names never give the same token. Only the empty name gives an empty token,
// which no subject may hold; Encode refuses a decision with an empty name.
func Token(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', upperHex[c>>4], upperHex[c&15]})
		}
	}
	return b.String()
}

// Untoken returns the name that Token made token of, or ErrToken, wrapped.
func Untoken(token string) (string, error) {
	name := make([]byte, 0, len(token))
	for i := 0; i < len(token); i++ {
		c := token[i]
		if c != '%' {
			name = append(name, c)
			continue
		}
		if i+2 >= len(token) {
			return "", fmt.Errorf("token %q ends inside an escape: %w", token, ErrToken)
		}
		v, err := strconv.ParseUint(token[i+1:i+3], 16, 8)
		if err != nil {
			return "", fmt.Errorf("token %q has no hexadecimal digits after a %%: %w", token, ErrToken)
		}
		name = append(name, byte(v))
		i += 2
	}
	if Token(string(name)) != token {
		return "", fmt.Errorf("token %q is not in the one form that a name has: %w", token, ErrToken)
	}
	return string(name), nil
}

// Subject returns the subject on which d is published.
func Subject(d haldane.Decision) string {
	return decisionPrefix + Token(d.Service) + "." + Token(d.Rollout) + "." + string(d.Kind)
}

// Filter returns the subjects of the decisions of a service, a rollout and a
// kind, each of which may be "" for any.
func Filter(service, rollout, kind string) string {
	return decisionPrefix + orAny(service) + "." + orAny(rollout) + "." + orAny(kind)
}

// orAny returns name's token, or the wildcard if there is no name.
func orAny(name string) string {
	if name == "" {
		return "*"
	}
	return Token(name)
}

// WindowSubject returns the subject on which proxies report what they counted
// of a rollout.
func WindowSubject(service, rollout string) string {
	return windowPrefix + Token(service) + "." + Token(rollout)
}

// VerdictSubject returns the subject on which the analyzer gives its verdicts
// on a rollout.
func VerdictSubject(service, rollout string) string {
	return verdictPrefix + Token(service) + "." + Token(rollout)
}

// SplitKey returns the key under which the split in force is kept in
// WeightsBucket: one for each rollout, whatever its generation. A key may hold
// no "%", so "=" stands for it, which no token holds otherwise.
func SplitKey(s haldane.Split) string {
	name := s.Rollout
	if s.Generation > 1 {
		name = strings.TrimSuffix(name, "."+strconv.Itoa(s.Generation))
	}
	return strings.ReplaceAll(Token(s.Service)+"."+Token(name), "%", "=")
}
