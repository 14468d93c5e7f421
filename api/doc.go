// Package api is how people and programs outside see and steer rollouts over
// HTTP: a [Server], which the admin listener serves, and a [Client], by which
// the command line asks it.
//
//	GET  /api/v1/rollouts                  where every rollout stands
//	GET  /api/v1/rollouts/{name}           … and one of them
//	POST /api/v1/rollouts/{name}/{verb}    start, hold, resume, promote, rollback, abort
//	GET  /api/v1/rollouts/{name}/stream    the same as it changes, and each decision (server-sent events)
//	GET  /api/v1/events                    decisions as CloudEvents, one a line; ?follow=true for those to come
//	GET  /api/v1/accounts                  every rollout that was ever decided on
//	GET  /api/v1/accounts/{rollout}        all decisions on one, the oldest first
//	GET  /metrics, /healthz, /readyz       for Prometheus and for whoever restarts us
//	GET  /openapi.json, /                  all of this for programs, and for people
//
// Who may do what: whoever comes from the same machine may read; everything
// else wants a token (see [Tokens]), and what changes something wants one that
// may. A token is sent as "Authorization: Bearer …", never as a cookie, so
// that no page in a browser can borrow it; requests that a browser makes for
// another site's page, and requests to this machine under a name that is not
// its own (DNS rebinding), are refused besides.
//
// Whatever goes wrong is answered as {"error": what, "hint": what to do}; the
// Client returns it as an [*Error].
//
// The package knows no controller and no stream: it is given both as the
// interfaces [Rollouts] and [Log].
package api
