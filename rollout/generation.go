package rollout

import (
	"strconv"
	"strings"
)

// GenerationName returns the name of the nth generation of the rollout base:
// base itself for the first, then base.2, base.3 and so on.
func GenerationName(base string, n int) string {
	if n <= 1 {
		return base
	}
	return base + "." + strconv.Itoa(n)
}

// Generation returns which generation of the rollout base the name is, and
// whether it is one at all.
func Generation(base, name string) (n int, ok bool) {
	if name == base {
		return 1, true
	}
	digits, ok := strings.CutPrefix(name, base+".")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	// Only the spelling that GenerationName gives: "shop.02" and "shop.+2" are other rollouts.
	if err != nil || n < 2 || strconv.Itoa(n) != digits {
		return 0, false
	}
	return n, true
}
