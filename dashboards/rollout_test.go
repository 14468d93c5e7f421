package dashboards_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/dashboards"
)

func Example() {
	for _, p := range dashboards.Rollout().Panels {
		if p.Type == "row" {
			fmt.Println(p.Title)
		}
	}
	// Output:
	// Where it stands
	// Baseline and canary
	// Evidence
	// Haldane itself
}

func TestFileIsWhatTheCodeSays(t *testing.T) {
	want, err := dashboards.Rollout().JSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("rollout.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("rollout.json is not what the code says: run go generate ./dashboards")
	}
	if !json.Valid(got) {
		t.Error("rollout.json is not JSON")
	}
}

// parse returns a query as Prometheus reads it, with Grafana's variables
// replaced as Grafana would.
func parse(t *testing.T, query string) parser.Expr {
	t.Helper()
	query = strings.ReplaceAll(query, "$__rate_interval", "1m")
	e, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Fatalf("query %s: %v", query, err)
	}
	return e
}

func TestEveryQueryAsksForWhatIsExposed(t *testing.T) {
	metrics := exposed(t)
	for _, query := range dashboards.Rollout().Queries() {
		parser.Inspect(parse(t, query), func(n parser.Node, _ []parser.Node) error {
			s, ok := n.(*parser.VectorSelector)
			if !ok {
				return nil
			}
			labels, ok := metrics[s.Name]
			if !ok {
				t.Errorf("%s: no collector exposes %s", query, s.Name)
			}
			for _, m := range s.LabelMatchers {
				if m.Name != "__name__" && !slices.Contains(labels, m.Name) {
					t.Errorf("%s: %s has no label %s, only %v", query, s.Name, m.Name, labels)
				}
			}
			return nil
		})
	}
}

func TestEverySumKeepsLabelsThatAreThere(t *testing.T) {
	metrics := exposed(t)
	for _, query := range dashboards.Rollout().Queries() {
		parser.Inspect(parse(t, query), func(n parser.Node, _ []parser.Node) error {
			sum, ok := n.(*parser.AggregateExpr)
			if !ok {
				return nil
			}
			parser.Inspect(sum.Expr, func(n parser.Node, _ []parser.Node) error {
				s, ok := n.(*parser.VectorSelector)
				for _, label := range sum.Grouping {
					if ok && !slices.Contains(metrics[s.Name], label) {
						t.Errorf("%s: sums by %s, which %s has not", query, label, s.Name)
					}
				}
				return nil
			})
			return nil
		})
	}
}

func TestEveryLegendNamesALabelThatIsKept(t *testing.T) {
	field := regexp.MustCompile(`\{\{(\w+)\}\}`)
	for _, p := range dashboards.Rollout().Panels {
		for _, target := range p.Targets {
			var kept []string
			parser.Inspect(parse(t, target.Expr), func(n parser.Node, _ []parser.Node) error {
				if sum, ok := n.(*parser.AggregateExpr); ok {
					kept = append(kept, sum.Grouping...)
				}
				return nil
			})
			for _, label := range field.FindAllStringSubmatch(target.Legend, -1) {
				if !slices.Contains(kept, label[1]) {
					t.Errorf("%s: legend %q names %s; %s keeps %v", p.Title, target.Legend, label[1], target.Expr, kept)
				}
			}
		}
	}
}

func TestErrorsAreTheClassesThatFail(t *testing.T) {
	var failed []string
	for c := range haldane.Class(haldane.NumClasses) {
		if c.Failed() {
			failed = append(failed, c.String())
		}
	}
	want := `class=~"` + strings.Join(failed, "|") + `"`
	if all := strings.Join(dashboards.Rollout().Queries(), "\n"); !strings.Contains(all, want) {
		t.Errorf("queries: got\n%s\nwant one with %s", all, want)
	}
}

func TestPanelsNeitherOverlapNorRepeat(t *testing.T) {
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range dashboards.Rollout().Panels {
		if ids[p.ID] {
			t.Errorf("%s: id %d is taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok || x >= 24 {
					t.Fatalf("%s at %+v is over %q or off the page", p.Title, p.GridPos, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

func TestNothingNeedsToBeEdited(t *testing.T) {
	for _, v := range dashboards.Rollout().Templating.List {
		if v.Type == "query" && (!v.IncludeAll || v.Current == nil || v.Current.Value[0] != "$__all") {
			t.Errorf("variable %s: got %+v, want all chosen", v.Name, v)
		}
	}
	for _, p := range dashboards.Rollout().Panels {
		if p.Type != "row" && (p.Datasource == nil || p.Datasource.UID != "${datasource}") {
			t.Errorf("%s: got data source %v, want the one chosen on the page", p.Title, p.Datasource)
		}
	}
}
