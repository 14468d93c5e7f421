// Package telemetry tells what Haldane does to those who watch it: spans over
// OTLP, gauges for Prometheus, lines of log. It is the one package that
// imports OpenTelemetry.
//
// # Traces
//
// [Setup] returns a [Tracing]. Of each request it makes a server span, and a
// client span for each upstream called, named by HTTP's semantic conventions
// and with the attributes haldane.rollout, haldane.track and
// haldane.weight_epoch. W3C trace context is taken from the request, or begun
// here, and handed to the upstream. Which requests are recorded is settled at
// the head: the caller's choice if it made one, else a configured share.
// Requests that fail are recorded in any case: the spans of a request are made
// when it has ended, so that one which is healthy and not sampled costs no
// more than its random numbers.
//
// A decision is a span of its own, linked to the traces that convinced the
// judge. [Tracing.Run] sends the spans; what it cannot send in time it drops
// and counts, and no request ever waits for it.
//
// # Metrics
//
// [Metrics] holds what is known of each rollout: the evidence and how far it
// is from its limit, the effect with its interval, the phase, the decisions.
// Rollouts come from configuration, so that the number of series is bounded;
// [Metrics.Forget] frees those of a rollout that is history.
package telemetry
