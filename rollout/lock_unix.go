//go:build unix

package rollout

import (
	"os"
	"syscall"
)

// lock keeps f to this process until f is closed.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
