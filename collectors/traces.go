package collectors

import (
	"strings"
	"sync/atomic"
)

// maxTraces is how many trace ids a report carries: enough to look at, few
// enough to send ten times a second.
const maxTraces = 8

// traceRing keeps the latest few trace ids. It is safe for concurrent use.
type traceRing struct {
	next atomic.Uint64
	ids  [maxTraces]atomic.Pointer[string]
}

// keep adds id in place of the oldest. It copies id, which may be part of a
// request's header. It is called for failures only, and may allocate.
func (r *traceRing) keep(id string) {
	id = strings.Clone(id)
	r.ids[(r.next.Add(1)-1)%maxTraces].Store(&id)
}

// list returns the ids kept, the latest last.
func (r *traceRing) list() []string {
	var ids []string
	next := r.next.Load()
	for k := range uint64(maxTraces) {
		if id := r.ids[(next+k)%maxTraces].Load(); id != nil {
			ids = append(ids, *id)
		}
	}
	return ids
}
