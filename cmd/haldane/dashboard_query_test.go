package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane/dashboards"
)

// A question is a query of the dashboard.
type question struct {
	where  string   // it stands
	query  string   // with Grafana's variables replaced
	labels []string // that are shown of every series
	check  func(value float64) error
}

// questions returns every query of the dashboard, as Grafana puts it with all
// services and rollouts chosen.
func questions(t *testing.T) []question {
	t.Helper()
	field := regexp.MustCompile(`\{\{(\w+)\}\}`)
	var all []question
	add := func(where, expr, shown string, check func(float64) error) {
		q := question{where: where + ": " + expr, query: asked(expr), check: check}
		for _, m := range field.FindAllStringSubmatch(shown, -1) {
			q.labels = append(q.labels, m[1])
		}
		if strings.Contains(q.query, "$") {
			t.Errorf("%s: a variable is left", q.where)
		}
		all = append(all, q)
	}
	d := dashboards.Rollout()
	for _, a := range d.Annotations.List {
		add("mark "+a.Name, a.Expr, a.TitleFormat+a.TextFormat, justNow)
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			add("panel "+p.Title, target.Expr, target.Legend, func(float64) error { return nil })
		}
	}
	if got := d.Queries(); len(all) != len(got) {
		t.Errorf("got %d queries on the page, %d by Queries", len(all), len(got))
	}
	return all
}

// asked returns a query of the dashboard as Grafana sends it, with all chosen.
// A rate is over four scrapes, of 15 s each unless Grafana is told otherwise.
func asked(expr string) string {
	replacements := []string{"$__rate_interval", "1m"}
	for _, v := range dashboards.Rollout().Templating.List {
		replacements = append(replacements, "$"+v.Name, v.AllValue)
	}
	return strings.NewReplacer(replacements...).Replace(expr)
}

// justNow says if a moment, in milliseconds, is not of this hour.
func justNow(ms float64) error {
	if since := time.Since(time.UnixMilli(int64(ms))); since < -time.Minute || since > time.Hour {
		return fmt.Errorf("%v as a time in milliseconds is %v ago", ms, since)
	}
	return nil
}

// put asks questions, and returns those that are still open, with what is
// wrong with each.
func put(ctx context.Context, p *prometheusServer, all []question) (open []question, err error) {
	for _, q := range all {
		if fault := q.put(ctx, p); fault != nil {
			open = append(open, q)
			err = errors.Join(err, fmt.Errorf("%s: %w", q.where, fault))
		}
	}
	return open, err
}

// put asks, and returns what is wrong with the answer: it must have something
// to draw, and everything in it must have a name.
func (q question) put(ctx context.Context, p *prometheusServer) error {
	samples, err := p.ask(ctx, q.query)
	if err != nil {
		return err
	}
	drawn := 0
	for _, s := range samples {
		for _, label := range q.labels {
			if s.labels[label] == "" {
				return fmt.Errorf("a series without %s: %v", label, s.labels)
			}
		}
		if math.IsNaN(s.value) || math.IsInf(s.value, 0) {
			continue // a gap
		}
		drawn++
		if err := q.check(s.value); err != nil {
			return err
		}
	}
	if drawn == 0 {
		return fmt.Errorf("nothing to draw among %v", samples)
	}
	return nil
}
