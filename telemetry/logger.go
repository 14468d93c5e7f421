package telemetry

import (
	"io"
	"log/slog"
)

// NewLogger returns a logger that writes lines of key=value to w, from level
// on. Haldane's messages are constant lower-case phrases; what varies is in
// attributes with fixed keys (rollout, track, step, weight_bp, verdict, log_e,
// trace_id), so that they can be searched for.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
