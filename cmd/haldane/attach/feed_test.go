package attach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/api/apitest"
)

// A script is a server whose nth stream tells what the nth part says and then
// breaks, or, after the last, stays silent until it is left.
type script [][]any

func (s *script) Stream(ctx context.Context, _ string, fn func(api.Update) error) error {
	if len(*s) == 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	part := (*s)[0]
	*s = (*s)[1:]
	for _, step := range part {
		var u api.Update
		switch step := step.(type) {
		case haldane.Status:
			u.Status = &step
		case haldane.Decision:
			u.Decision = &step
		case error:
			return step
		case time.Duration:
			time.Sleep(step) // on the fake clock
			continue
		}
		if err := fn(u); err != nil {
			return err
		}
	}
	return errors.New("connection reset")
}

func (s *script) Do(context.Context, string, string, string) (haldane.Status, error) {
	return haldane.Status{}, nil
}

func TestAFeedOutlivesItsServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		d1, d2 := apitest.Decided(rollout, 1), apitest.Decided(rollout, 2)
		refused := errors.New("connection refused")
		s := script{{d1, api.Update{}}, {refused}, {refused}, {apitest.Stepping(rollout), d1, d2}}
		var told []string
		err := follow(ctx, &s, rollout, func(n news) error {
			switch {
			case n.lost != nil:
				told = append(told, "lost")
			case n.decision != nil:
				told = append(told, fmt.Sprint(n.decision.Seq))
			case n.status != nil:
				told = append(told, "status")
			}
			return nil
		})
		want := []string{"1", "lost", "lost", "lost", "status", "2", "lost"}
		if err != nil || !slices.Equal(told, want) {
			t.Errorf("told %v, %v; want %v", told, err, want)
		}
	})
}

func TestAFeedEndsWhenThereIsNothingToFollow(t *testing.T) {
	for _, cause := range []error{api.ErrUnknown, api.ErrToken} {
		s := script{{fmt.Errorf("x: %w", cause)}}
		err := follow(t.Context(), &s, rollout, func(news) error { return nil })
		if !errors.Is(err, cause) {
			t.Errorf("follow: %v, want %v", err, cause)
		}
	}
}

// settled is a rollout's end: its status, which comes first, and its decision.
func settled() (haldane.Status, haldane.Decision) {
	st := apitest.Stepping(rollout)
	st.Phase, st.Weight, st.Reason = haldane.RolledBack, 0, "errors: worse"
	d := apitest.Decided(rollout, 3)
	d.Kind, d.From, d.To, d.Weight, d.Reason = haldane.KindRolledBack, d.To, haldane.Position{Phase: haldane.RolledBack, Step: 2}, 0, "errors: worse"
	return st, d
}

func TestPlainLinesTellTheStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		local := time.Local
		time.Local = time.UTC
		defer func() { time.Local = local }()
		st := apitest.Stepping(rollout)
		passed := apitest.Stepping(rollout)
		v := *passed.Verdict
		v.Judgement, v.Reason, v.Needs = haldane.Pass, "errors and latency within their margins", haldane.Needs{}
		passed.Verdict, passed.Needs = &v, v.Needs
		pending := haldane.Status{Name: rollout, Phase: haldane.Pending}
		end, last := settled()
		s := script{
			{pending, apitest.Decided(rollout, 1), apitest.Decided(rollout, 2), st, time.Second, st, 10 * time.Second, st},
			{errors.New("connection refused")},
			{apitest.Decided(rollout, 2), passed, end, last},
			{end},
		}
		var b strings.Builder
		if err := Plain(t.Context(), &s, rollout, &b); err != nil {
			t.Fatal(err)
		}
		golden(t, "plain.golden", b.String())
	})
}

func TestADecisionWithoutReasonEndsWithWhoMadeIt(t *testing.T) {
	d := apitest.Decided("shop-2", 1)
	d.Actor, d.Reason = "alice", ""
	if got, want := Decision(d), "started 0 % → 1 %, alice"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	d.Reason = "release day"
	if got, want := Decision(d), "started 0 % → 1 %, alice: release day"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJSONLinesAreTheSameForPrograms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := apitest.Stepping(rollout)
		end, last := settled()
		s := script{{st, st, apitest.Decided(rollout, 2), st}, {end, last, end}}
		var b strings.Builder
		if err := JSON(t.Context(), &s, rollout, &b); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(b.String()) {
			var n struct {
				Status   *haldane.Status
				Decision *haldane.Decision
			}
			if err := json.Unmarshal([]byte(line), &n); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if n.Status != nil {
				got = append(got, string(n.Status.Phase))
			} else {
				got = append(got, string(n.Decision.Kind))
			}
		}
		want := []string{"stepping", "weight", "rolledback", "rolledback"}
		if !slices.Equal(got, want) {
			t.Errorf("lines of %v, want %v", got, want)
		}
	})
}

// broken takes nothing.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAReaderThatHasGoneEndsTheLines(t *testing.T) {
	for _, f := range []func() error{
		func() error { return Plain(t.Context(), &script{{apitest.Stepping(rollout)}}, rollout, broken{}) },
		func() error { return JSON(t.Context(), &script{{apitest.Stepping(rollout)}}, rollout, broken{}) },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), "broken pipe") {
			t.Errorf("%v, want the broken pipe", err)
		}
	}
}

func TestTheScreenRunsInATerminalThatIsNone(t *testing.T) {
	world := apitest.NewWorld(apitest.Stepping(rollout))
	client, err := api.NewClient(world.Serve(t).URL, apitest.Token)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	// Keys come at once, and those of verbs do nothing before the first status.
	if err := Screen(t.Context(), client, rollout, strings.NewReader("q"), &out); err != nil {
		t.Fatalf("Screen: %v", err)
	}
}
