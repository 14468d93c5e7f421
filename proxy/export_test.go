package proxy

import (
	"context"
	"net"
)

// For the fuzz targets, which belong to the decoders and not to a server.
var (
	TraceIDOf    = traceIDOf
	DecodeSplits = decodeSplits
	EncodeSplits = encodeSplits
)

// DialWith makes p reach its upstreams by dial, so that time can be made up.
func DialWith(p *Proxy, dial func(context.Context, string, string) (net.Conn, error)) {
	for _, s := range p.services {
		for _, t := range s.tracks {
			t.transport.DialContext = dial
		}
	}
}
