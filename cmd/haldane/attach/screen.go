package attach

import (
	"context"
	"io"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/haldane-canary/haldane"
)

// Screen follows a rollout on the whole terminal that in and out are, until
// the user quits or ctx ends.
func Screen(ctx context.Context, s Server, name string, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newModel(name, func(verb, reason string) tea.Cmd {
		return func() tea.Msg {
			_, err := s.Do(ctx, name, verb, reason)
			return done{verb: verb, err: err}
		}
	})
	program := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithoutSignalHandler())
	fed := make(chan error, 1)
	go func() {
		fed <- follow(ctx, s, name, func(n news) error {
			program.Send(n)
			return nil
		})
		program.Quit() // if the feed has ended there is nothing more to show
	}()
	_, err := program.Run()
	ended := ctx.Err() != nil // from outside: the user has asked for that
	cancel()
	if feedErr := <-fed; feedErr != nil {
		return feedErr
	}
	if ended {
		return nil
	}
	return err
}

// A model is all that the screen knows. Messages change it; drawing it reads
// nothing else, not even the clock.
type model struct {
	name string
	do   func(verb, reason string) tea.Cmd

	width, height int
	now           time.Time
	status        *haldane.Status // nil until the first comes
	decisions     []haldane.Decision
	history       recorder
	lost          error // why there is no connection; nil if there is one
	lostAt        time.Time
	note          string // what came of the latest command
	noteAt        time.Time
	ask           *prompt // the question that is open, if any
	theme         theme
}

// A prompt asks for the reason of a verb before it is carried out.
type prompt struct {
	verb   string
	reason string
}

// noteFor is how long a note is shown.
const noteFor = 10 * time.Second

// tick says what time it is, and done what came of a command.
type (
	tick time.Time
	done struct {
		verb string
		err  error
	}
)

func newModel(name string, do func(verb, reason string) tea.Cmd) model {
	return model{name: name, do: do, width: 80, height: 24, theme: newTheme()}
}

func everySecond() tea.Cmd {
	return tea.Tick(time.Second, func(t time.Time) tea.Msg { return tick(t) })
}

// Init begins the clock.
func (m model) Init() tea.Cmd { return func() tea.Msg { return tick(time.Now()) } }

// View draws the whole terminal.
func (m model) View() tea.View {
	v := tea.NewView(m.draw())
	v.AltScreen = true
	v.WindowTitle = "haldane " + m.name
	return v
}

// Update returns the model after a message.
func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tick:
		m.now = time.Time(msg)
		if m.now.Sub(m.noteAt) > noteFor {
			m.note = ""
		}
		return m, everySecond()
	case news:
		m.hear(msg)
	case done:
		m.noteAt = m.now
		m.note = msg.verb + ": done"
		if msg.err != nil {
			m.note = msg.verb + " failed: " + msg.err.Error()
		}
	case tea.PasteMsg:
		if m.ask != nil {
			m.ask = &prompt{m.ask.verb, m.ask.reason + oneLine(msg.Content)}
		}
	case tea.KeyPressMsg:
		if m.ask != nil {
			return m.answer(msg)
		}
		return m.key(msg)
	}
	return m, nil
}

// hear takes in what the feed tells.
func (m *model) hear(n news) {
	switch {
	case n.lost != nil:
		if m.lost == nil {
			m.lostAt = m.now
		}
		m.lost = n.lost
		return
	case n.decision != nil:
		m.decisions = append(slices.Clip(m.decisions), *n.decision)
	case n.status != nil:
		m.status = n.status
		if v := n.status.Verdict; v != nil {
			m.history.take(*v, m.now)
		}
	}
	m.lost = nil
}
