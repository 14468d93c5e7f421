package proxy

import "time"

// contact is what a proxy knows of its controller. Proxy.mu guards it.
type contact struct {
	connected bool
	last      time.Time // when there was contact; at first, when Contact was first called
	orphaned  bool      // the orphan policy has sent everything to the baseline
}

// Contact tells p at the time now whether its controller can be heard. It is
// to be called on every change, and now and then between. A proxy that has
// heard nothing for as long as its Orphan says then acts by the Orphan's
// policy; contact brings the last known weight back.
func (p *Proxy) Contact(ok bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.contact.connected = ok
	if ok || p.contact.last.IsZero() {
		p.contact.last = now
	}
	orphaned := !ok && p.orphan.Policy == OrphanBaseline && now.Sub(p.contact.last) >= p.orphan.After
	if orphaned == p.contact.orphaned {
		return
	}
	p.contact.orphaned = orphaned
	for _, s := range p.services {
		s.enter(p.tally, s.state.Load().split, orphaned)
	}
}
