//go:build !unix

package rollout

import "os"

// lock does nothing where the system offers no advisory lock.
func lock(*os.File) error { return nil }
