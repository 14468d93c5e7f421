package rollout

import (
	"testing"
	"testing/synctest"
	"os"
	"log/slog"
)

func TestDbg(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dbgLog = slog.New(slog.NewTextHandler(os.Stdout, nil))
		t.Log(random(t, []act{{"down", 1}, {"start", 1}, {"rollback", 1}, {"start", 1}}))
		dbgLog = nil
	})
}
