package haldane

import "time"

// An Observation is one request's outcome. A request is observed once, on the
// track it was first assigned to and in the weight epoch in which it was
// assigned, whenever it ends; retries are not observations of their own.
type Observation struct {
	Track   Track
	Route   string        // the name of the configured route, never a raw path
	Class   Class         //
	Latency time.Duration // from the request's arrival to the end of the answer
	Epoch   uint64        // see Split.Epoch
	TraceID string        // W3C trace id in hex, or "" if the request had none
}
