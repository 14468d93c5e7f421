package analyzer

import (
	"math"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer/evalue"
)

// An indicator is one comparison under way: the processes against "not worse
// than the margin" and against "worse than the promotion margin".
type indicator struct {
	haldane.Indicator
	harm    []group
	promote haldane.Margin
	fine    []*process
	average bool // whether fine is averaged (the null is an intersection) or its least counts
}

// A group is several processes of which the least e-value counts, and its
// share of the stake.
type group struct {
	share     float64
	processes []*process
}

func newIndicator(ind haldane.Indicator) *indicator {
	i := &indicator{Indicator: ind}
	if ind.Name == haldane.Errors {
		i.harm, i.average = errorsHarm(ind.Margin), true
	} else {
		i.harm = latencyHarm(ind.Margin)
	}
	return i
}

// enter begins a step: the promotion evidence starts afresh.
func (i *indicator) enter(step int, m haldane.Margin, last bool) {
	i.promote = m
	if i.Name == haldane.Errors {
		i.fine = errorsFine(m, step)
	} else {
		i.fine = latencyFine(m, step, last)
	}
}

// each calls f for every process of i.
func (i *indicator) each(f func(*process)) {
	for _, g := range i.harm {
		for _, p := range g.processes {
			f(p)
		}
	}
	for _, p := range i.fine {
		f(p)
	}
}

// logHarm returns the log of the e-value against "not worse than the margin".
// Where the canary has shown no latency at all, its absence is no evidence.
func (i *indicator) logHarm(t *Trial) float64 {
	if i.Name == haldane.Latency && t.canaryLatencies == 0 {
		return 0
	}
	logs, shares := i.groupLogs(t)
	return evalue.Shares(shares...).LogE(logs)
}

// groupLogs returns the log e-value of each group of harm, and its share.
func (i *indicator) groupLogs(t *Trial) (logs, shares []float64) {
	for _, g := range i.harm {
		least := math.Inf(1)
		for _, p := range g.processes {
			least = min(least, p.logE(t.open, t.weightOf))
		}
		logs, shares = append(logs, least), append(shares, g.share)
	}
	return logs, shares
}

// logFine returns the log of the e-value against "worse than the promotion margin".
func (i *indicator) logFine(t *Trial) float64 {
	logs := make([]float64, 0, 4)
	for _, p := range i.fine {
		logs = append(logs, p.logE(t.open, t.weightOf))
	}
	if i.average {
		return evalue.Equal(len(logs)).LogE(logs)
	}
	least := math.Inf(1)
	for _, l := range logs {
		least = min(least, l)
	}
	return least
}
