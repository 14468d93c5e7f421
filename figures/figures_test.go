package figures_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/figures"
)

func TestFiguresReadAsPeopleWriteThem(t *testing.T) {
	nan, inf := haldane.Number(math.NaN()), haldane.Number(math.Inf(1))
	for _, tt := range []struct{ got, want string }{
		{figures.Count(0), "0"},
		{figures.Count(999), "999"},
		{figures.Count(1000), "1,000"},
		{figures.Count(math.MaxUint64), "18,446,744,073,709,551,615"},
		{figures.Share(0), "0 %"},
		{figures.Share(0.00585), "0.585 %"},
		{figures.Share(0.5), "50.0 %"},
		{figures.Share(1), "100 %"},
		{figures.Share(1e-9), "0.000000 %"},
		{figures.Share(nan), "-"},
		{figures.Ratio(1.1749), "1.17"},
		{figures.Ratio(0.0031), "0.00310"},
		{figures.Ratio(999.9), "1000"},
		{figures.Ratio(1234.5), "over 1000"},
		{figures.Ratio(inf), "-"},
		{figures.Latency(0.00412), "4.12 ms"},
		{figures.Latency(0.999), "999 ms"},
		{figures.Latency(12.345), "12.3 s"},
		{figures.Latency(nan), "-"},
		{figures.Value(haldane.Errors, 0.01), "1.00 %"},
		{figures.Value(haldane.Latency, 0.01), "10.0 ms"},
		{figures.Value("other", 2), "2.00"},
		{figures.Margin(haldane.Margin{Ratio: 1.1, Floor: 0.001}), "×1.1 and +0.1 points"},
		{figures.Margin(haldane.Margin{Ratio: 2}), "×2"},
		{figures.Duration(-time.Second), "0s"},
		{figures.Duration(950 * time.Millisecond), "950ms"},
		{figures.Duration(59*time.Second + 999*time.Millisecond), "59s"},
		{figures.Duration(95 * time.Second), "1m35s"},
		{figures.Duration(125 * time.Minute), "2h05m"},
		{figures.Duration(76 * time.Hour), "3d04h"},
		{figures.Needs(haldane.Needs{}), "nothing more"},
		{figures.Needs(haldane.Needs{Requests: 1900, Seconds: 95}), "about 1,900 more requests (1m35s)"},
		{figures.Needs(haldane.Needs{Requests: 3}), "about 3 more requests"},
		{figures.Needs(haldane.Needs{Requests: 1_000_000_000}), "more than can be told yet"},
		{figures.Step(haldane.Status{}), "-"},
		{figures.Step(haldane.Status{Step: 2, Steps: make([]haldane.PlannedStep, 4)}), "2/4"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func ExampleNeeds() {
	fmt.Println(figures.Needs(haldane.Needs{Requests: 1900, Seconds: 95}))
	// Output: about 1,900 more requests (1m35s)
}
