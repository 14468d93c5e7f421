// Package sketch summarises observations so that they can be counted in one
// place, carried to another and added up: a [Window] is what was seen of one
// track's route over [From, To), and a [Report] is all the windows of one
// proxy in one weight epoch.
//
// Latencies are kept in an exponential [Histogram], the one of OpenTelemetry
// and of Prometheus's native histograms, at the fixed scale [Scale]: 64 buckets
// to a doubling, each 1.09 % wide, so that what is counted, scraped and
// received is one representation.
//
//	latency   1 ms        2 ms                  4 ms
//	          ├┬┬┬┬┬ … ┬┬┬┼┬┬┬┬┬┬┬ … ┬┬┬┬┬┬┬┬┬┬┬┤
//	index    -638        -574                  -510
//	bucket i holds (base^i, base^(i+1)], base = 2^(1/64), in seconds
//
// Everything here merges by addition: in any order and any grouping the sum
// is the same. All of it is pure; nothing here is safe for concurrent writing.
package sketch
