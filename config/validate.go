package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// ErrMissing is the cause of the faults of what must be there and is not.
var ErrMissing = errors.New("missing")

// Validate returns Faults unless c is fit to serve by.
func (c *Config) Validate() error { return c.check().OrNil() }

// A checker notes what is wrong with a Config, and where that stands.
type checker struct {
	c      *Config
	faults Faults
}

// check returns all that is wrong with c's values.
func (c *Config) check() Faults {
	k := &checker{c: c}
	k.listeners()
	k.bus()
	k.orphan()
	k.telemetry()
	if len(c.Services) == 0 {
		k.missing("services", "name at least one service and its tracks")
	}
	for i := range c.Services {
		k.service(index("services", i), &c.Services[i])
	}
	k.names()
	k.routes()
	return k.faults
}

// index returns the path of item i of the list at path.
func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// parent returns the path of what holds the value at path, or "".
func parent(path string) string {
	i := strings.LastIndexAny(path, ".[")
	return path[:max(i, 0)]
}

// fault notes that the value at path is wrong. If nothing stands at path, the
// fault is where its nearest holder stands.
func (k *checker) fault(path, format string, args ...any) {
	k.faults = append(k.faults, k.c.Fault(path, fmt.Errorf(format, args...)))
}

// Fault returns err as what is wrong with the value at path, such as
// "proxy.listen", where it stands in the file.
func (c *Config) Fault(path string, err error) Fault {
	return Fault{c.file, c.position(path), path, err}
}

func (k *checker) missing(path, remedy string) { k.fault(path, "%w: %s", ErrMissing, remedy) }

// position returns where the value at path stands, or its nearest holder.
func (c *Config) position(path string) Position {
	for ; path != ""; path = parent(path) {
		if pos, ok := c.at[path]; ok {
			return pos
		}
	}
	return c.at[""]
}

// listeners checks the addresses that are listened on, each alone and against
// the others.
func (k *checker) listeners() {
	type taken struct{ path, host, port string }
	var before []taken
	for _, l := range k.c.listeners() {
		host, port, err := net.SplitHostPort(l.addr)
		if err != nil {
			k.fault(l.path, "%q is not an address: write host:port, such as 127.0.0.1:8080", l.addr)
			continue
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil {
			k.fault(l.path, "%q is not a port (0 to 65535; 0 takes any that is free)", port)
			continue
		} else if n == 0 {
			continue
		}
		if host == "localhost" {
			host = "127.0.0.1"
		}
		for _, b := range before {
			if b.port == port && (b.host == host || wildcard(host) || wildcard(b.host)) {
				k.fault(l.path, "%s is taken by %s already: give each a port of its own", l.addr, b.path)
			}
		}
		before = append(before, taken{l.path, host, port})
	}
}

func wildcard(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }

// A listener is an address that c wants to listen on.
type listener struct{ path, addr string }

// listeners returns the addresses that c wants to listen on.
func (c *Config) listeners() []listener {
	ls := []listener{{"proxy.listen", c.Proxy.Listen}, {"admin.listen", c.Admin.Listen}}
	if c.Bus.Embedded != nil && c.Bus.Embedded.Listen != "" {
		ls = append(ls, listener{"bus.embedded.listen", c.Bus.Embedded.Listen})
	}
	return ls
}

func (k *checker) bus() {
	b := k.c.Bus
	switch {
	case b.Embedded != nil && len(b.URLs) > 0:
		k.fault("bus", "has both embedded and urls: keep the one that you mean")
	case b.Embedded == nil && len(b.URLs) == 0:
		k.missing("bus.urls", "name a server, such as nats://127.0.0.1:4222, or remove urls to embed one")
	case b.Embedded != nil && b.Embedded.Dir == "":
		k.missing("bus.embedded.dir", "say where its files are kept")
	}
	for i, s := range b.URLs {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			k.fault(index("bus.urls", i), "%q is not the URL of a NATS server: write nats://host:port or tls://host:port", s)
		}
	}
	if k.c.Dir == "" {
		k.missing("dir", "say where the journal is kept")
	}
}

func (k *checker) orphan() {
	p := k.c.Proxy
	if p.Timeout <= 0 {
		k.fault("proxy.timeout", "%v: must be more than nothing", p.Timeout)
	}
	if p.Orphan.Policy != OrphanHold && p.Orphan.Policy != OrphanBaseline {
		k.fault("proxy.orphan.policy", "%q is not hold or baseline", p.Orphan.Policy)
	}
	if p.Orphan.After <= 0 {
		k.fault("proxy.orphan.after", "%v: must be more than nothing", p.Orphan.After)
	}
}

func (k *checker) telemetry() {
	t := k.c.Telemetry
	if !(t.Sample >= 0 && t.Sample <= 1) {
		k.fault("telemetry.sample", "%v: a share from 0 to 1 (0.01 traces one request in a hundred)", t.Sample)
	}
	if t.OTLP == "" {
		return
	}
	if u, err := url.Parse(t.OTLP); err != nil || !isHTTP(u) {
		k.fault("telemetry.otlp", "%q is not the URL of an OTLP/HTTP receiver: write http://host:4318", t.OTLP)
	}
}

func isHTTP(u *url.URL) bool {
	return u.Hostname() != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// name checks what people, subjects and labels call something by.
func (k *checker) name(path, name string) {
	const longest = 100 // bytes; percent-encoding may triple them, and a NATS subject should stay below 1 KiB
	switch {
	case name == "":
		k.missing(path, "give it a name")
	case len(name) > longest:
		k.fault(path, "a name of %d bytes: at most %d", len(name), longest)
	case strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar
	}):
		k.fault(path, "%q has spaces or characters that cannot be printed: write letters, digits, - and .", name)
	}
}
