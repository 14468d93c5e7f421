// Package account makes a readable record of a rollout from its decisions, and
// from nothing else: what was done, when, by whom, and on what evidence. The
// decision stream is the truth; this is a way of reading it.
//
//	shop-1.5.0 of shop, 1.4.0 → 1.5.0: rolledback after 24s, 2 decisions
//
//	#1  2026-11-22 17:00:00.000Z  started  pending, 0 % → stepping 1, 1 %  by controller
//	    starts by itself
//
//	#2  2026-11-22 17:00:24.000Z  rolledback  stepping 1, 1 % → rolledback 1, 0 %  by controller
//	    errors: canary 4.9 % against baseline 0.5 % …
//
// It leaves to others where decisions come from and who may read them.
package account
