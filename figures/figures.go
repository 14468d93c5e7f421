// Package figures writes numbers for people: counts with their thousands set
// apart, shares as percentages, latencies and times in the unit that suits
// them. What is not known is written as a dash. Programs read JSON instead.
package figures

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/haldane-canary/haldane"
)

// Unknown stands for what is not known.
const Unknown = "-"

// Count returns n with commas between its thousands: 48,212.
func Count(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// known reports whether x is a number that can be written.
func known(x haldane.Number) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

// Share returns x, in [0, 1], as a percentage of three significant digits:
// 0.585 %.
func Share(x haldane.Number) string {
	if !known(x) {
		return Unknown
	}
	return significant(100*float64(x)) + " %"
}

// Ratio returns x with two decimals, more if it is small: 1.17, 0.0031; what is
// beyond a thousand is no more than that.
func Ratio(x haldane.Number) string {
	if !known(x) {
		return Unknown
	}
	if x > 1000 {
		return "over 1000"
	}
	if math.Abs(float64(x)) >= 0.1 && math.Abs(float64(x)) < 100 {
		return strconv.FormatFloat(float64(x), 'f', 2, 64)
	}
	return significant(float64(x))
}

// Latency returns x, in seconds, in milliseconds or seconds: 4.12 ms.
func Latency(x haldane.Number) string {
	switch {
	case !known(x):
		return Unknown
	case math.Abs(float64(x)) < 1:
		return significant(1000*float64(x)) + " ms"
	}
	return significant(float64(x)) + " s"
}

// significant returns x with three significant digits, and no fewer than its
// whole part has.
func significant(x float64) string {
	if x == 0 {
		return "0"
	}
	decimals := 2 - int(math.Floor(math.Log10(math.Abs(x))))
	return strconv.FormatFloat(x, 'f', max(0, min(decimals, 6)), 64)
}

// Value returns the value x of the named indicator in its unit.
func Value(indicator string, x haldane.Number) string {
	switch indicator {
	case haldane.Errors:
		return Share(x)
	case haldane.Latency:
		return Latency(x)
	}
	return Ratio(x)
}

// Margin returns m as what it tolerates: "×1.1", or "×1.1 and +0.1 points".
func Margin(m haldane.Margin) string {
	s := "×" + strconv.FormatFloat(m.Ratio, 'g', -1, 64)
	if m.Floor > 0 {
		s += " and +" + strconv.FormatFloat(100*m.Floor, 'g', 4, 64) + " points"
	}
	return s
}

// Duration returns d in at most two units: 950ms, 41s, 1m35s, 2h05m, 3d04h.
func Duration(d time.Duration) string {
	two := func(major, minor time.Duration, a, b string) string {
		n := int64(d / major)
		rest := strconv.FormatInt(int64(d%major/minor), 10)
		return strconv.FormatInt(n, 10) + a + strings.Repeat("0", 2-len(rest)) + rest + b
	}
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < time.Minute:
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	case d < time.Hour:
		return two(time.Minute, time.Second, "m", "s")
	case d < day:
		return two(time.Hour, time.Minute, "h", "m")
	}
	return two(day, time.Hour, "d", "h")
}

// Needs returns how much more n asks for: "about 1,900 more requests (1m35s)",
// or "nothing more".
func Needs(n haldane.Needs) string {
	const boundless = 1_000_000_000 // what the analyzer writes if no amount is foreseeable
	switch {
	case n.Requests == 0:
		return "nothing more"
	case n.Requests >= boundless:
		return "more than can be told yet"
	}
	s := "about " + Count(n.Requests) + " more requests"
	if n.Seconds > 0 {
		s += " (" + Duration(time.Duration(n.Seconds)*time.Second) + ")"
	}
	return s
}

// Step returns where st is on its plan: "2/4", or a dash before the first.
func Step(st haldane.Status) string {
	if st.Step == 0 {
		return Unknown
	}
	return strconv.Itoa(st.Step) + "/" + strconv.Itoa(len(st.Steps))
}
