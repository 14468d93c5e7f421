// Package bus carries what the parts of Haldane say to one another, and is the
// only one that knows that it is NATS.
//
// Three things travel, each with the guarantee that it needs:
//
//   - Decisions are kept for ever in a stream. [Bus.Append] returns once a
//     decision is on the disk, in the order of its rollout, exactly once: the
//     same decision twice is nothing, another under the same number is
//     haldane.ErrConflict. [Bus.Follow] reads them all, from any time on, and
//     goes on with those to come.
//   - Splits are kept in a bucket, the latest of each rollout. [Bus.PutSplit]
//     refuses one that is older than what is there, so that a controller that
//     has been overtaken cannot bring its weight back. [Bus.WatchSplits] tells
//     what is there, and every change.
//   - Reports and verdicts are said once, to whoever listens. Some may be lost;
//     a report is cumulative and a verdict is repeated, so nothing is lost with
//     them but time.
//
// By default the server is inside the process and keeps its files in the data
// folder, synced to the disk with every decision; other processes and plain
// NATS clients reach it on a port, if one is configured:
//
//	b, err := bus.Open(ctx, bus.Config{Dir: "haldane-data", Listen: "127.0.0.1:4222"})
//
// With Config.URLs the same code talks to servers elsewhere, and reconnects to
// them for ever. While they are away, calls fail or wait for their context;
// nothing is buffered that could arrive late.
//
// What cannot be trusted is an error, never a fresh start: [ErrDamaged] for
// files that have lost something, [ErrStore] for a stream that is not kept as
// decisions must be kept.
package bus
