package proxy_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the package if a test leaves a goroutine behind: of a client
// that left, a tunnel, a request that timed out.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
