package sim

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/haldane-canary/haldane"
)

// A Measurement is what many rollouts through one world came to.
type Measurement struct {
	World      string
	Rollouts   int
	RolledBack int
	Completed  int
	Unsettled  int     // at the horizon
	Lower      float64 // 99 % interval (Clopper and Pearson 1934) of the share rolled back
	Upper      float64
	Mean       float64 // requests until the rollback, over those rolled back
	StdErr     float64 // of Mean
	P95        float64 // 95th percentile of the same
	CanaryMean float64 // canary requests until the rollback
	HarmMean   float64 // canary requests that failed until the rollback
}

// Measure takes rollouts with the seeds 0 to n-1 through w, on all cores. The
// result depends on n alone.
func Measure(w World, n int) (Measurement, error) {
	results, errs := make([]Result, n), make([]error, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				results[i], errs[i] = Run(w, uint64(i))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return Measurement{}, fmt.Errorf("measure: %w", err)
		}
	}
	return summarise(w.Name, results), nil
}

func summarise(name string, results []Result) Measurement {
	m := Measurement{World: name, Rollouts: len(results)}
	var requests []float64
	for _, r := range results {
		switch {
		case r.Phase == haldane.RolledBack:
			m.RolledBack++
			requests = append(requests, float64(r.Requests))
			m.CanaryMean += float64(r.Canary)
			m.HarmMean += float64(r.Harm)
		case r.Phase == haldane.Completed:
			m.Completed++
		default:
			m.Unsettled++
		}
	}
	m.Lower, m.Upper = clopperPearson(m.RolledBack, m.Rollouts, 0.01)
	if k := float64(len(requests)); k > 0 {
		slices.Sort(requests)
		for _, x := range requests {
			m.Mean += x / k
		}
		for _, x := range requests {
			m.StdErr += (x - m.Mean) * (x - m.Mean)
		}
		m.StdErr = math.Sqrt(m.StdErr) / k
		m.P95 = requests[int(0.95*(k-1))]
		m.CanaryMean /= k
		m.HarmMean /= k
	}
	return m
}

// clopperPearson returns the exact interval of a share of which k in n were
// seen, missed with probability alpha at most.
func clopperPearson(k, n int, alpha float64) (lower, upper float64) {
	lower, upper = 0, 1
	if k > 0 {
		lower = distuv.Beta{Alpha: float64(k), Beta: float64(n-k) + 1}.Quantile(alpha / 2)
	}
	if k < n {
		upper = distuv.Beta{Alpha: float64(k) + 1, Beta: float64(n - k)}.Quantile(1 - alpha/2)
	}
	return lower, upper
}
