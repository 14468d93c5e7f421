// Package events says how a decision looks on the wire: the subject it is
// published on, the envelope it travels in, and the names of the places where
// it is kept. It is pure: package events/bus does the sending.
//
// A decision is a CloudEvent 1.0 in structured JSON mode, published on a
// subject that names the service, the rollout and the kind, so that a plain
// NATS client can ask for exactly what it wants:
//
//	haldane.v1.shop.shop-1%2E5%2E0.rolledback    one decision
//	haldane.v1.*.*.rolledback                    "tell me of rollbacks"
//	haldane.v1.shop.>                            all that happens to a service
//
// A name is one token of a subject; what NATS gives a meaning (dots, spaces,
// wildcards) is percent-encoded by [Token]. The event itself carries the plain
// names.
//
// An event's id is its rollout and its number there, so that a decision that
// is sent twice is recognised as one: consumers need remember nothing but ids.
//
// What holds for every event: [Decode] of [Encode] gives the decision back;
// encoding the same decision again gives the same bytes; and Decode takes
// nothing whose envelope and decision tell different stories.
package events
