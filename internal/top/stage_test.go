package top

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// program is a Source that says what a test has it say.
type program struct {
	mu      sync.Mutex // guards all below
	list    []api.Summary
	err     error // of whatever is asked
	refuses error // of what is asked by hand
	asked   []string
	lists   int
	watched int           // how often Events was asked for
	takes   time.Duration // what an answer to List takes after it has been made
	why     fsm.Why
	history []fsm.Transition

	events chan api.Event
	ends   chan struct{} // ends Events
}

func (p *program) List(context.Context) (api.List, error) {
	p.mu.Lock()
	p.lists++
	list, err, takes := slices.Clone(p.list), p.err, p.takes
	p.mu.Unlock()
	time.Sleep(takes)
	return api.List{Instances: list}, err
}

func (p *program) Instance(_ context.Context, name string) (api.Instance, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return api.Instance{History: p.history}, p.err
}

func (p *program) Why(_ context.Context, name string) (fsm.Why, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.why
	w.Name, w.Chain = name, slices.Clone(w.Chain)
	return w, p.err
}

func (p *program) Ask(_ context.Context, name, verb string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, verb+" "+name)
	return p.refuses
}

func (p *program) Events(ctx context.Context, _ int64, begun func(), told func(api.Event) error) error {
	p.mu.Lock()
	err := p.err
	p.watched++
	p.mu.Unlock()
	if err != nil {
		return err
	}
	begun()
	for {
		select {
		case e := <-p.events:
			if err := told(e); err != nil {
				return err
			}
		case <-p.ends:
			return io.EOF
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// becomes changes what the program says.
func (p *program) becomes(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// asks returns how often List and Events were asked for.
func (p *program) asks() (lists, watched int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lists, p.watched
}

// stage runs a model in fake time.
type stage struct {
	*Model
	t     *testing.T
	mu    sync.Mutex // guards queue
	queue []tea.Msg
	quit  bool
}

// begins is when a bubble begins: times are shown.
var begins = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// play runs a test with a model of so many cells, which has asked once. What it is
// made from is made in the bubble.
func play(t *testing.T, width, height int, of func() Config, test func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(begins))
		ctx, end := context.WithCancel(t.Context())
		defer func() {
			end()
			time.Sleep(2 * every) // a tick that has begun ends
		}()
		s := &stage{Model: NewModel(ctx, of()), t: t}
		s.run(s.Init())
		s.gets(tea.WindowSizeMsg{Width: width, Height: height})
		s.passes(0)
		test(s)
	})
}

func (s *stage) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		message := cmd()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.queue = append(s.queue, message)
	}()
}

// gets gives the model a message.
func (s *stage) gets(message tea.Msg) {
	switch message := message.(type) {
	case nil:
	case tea.BatchMsg:
		for _, cmd := range message {
			s.run(cmd)
		}
	case tea.QuitMsg:
		s.quit = true
	default:
		_, next := s.Update(message)
		s.run(next)
	}
}

// passes lets time pass, until all that is to happen then has.
func (s *stage) passes(d time.Duration) {
	const step = 10 * time.Millisecond
	for end := time.Now().Add(d); ; time.Sleep(step) {
		for {
			synctest.Wait()
			s.mu.Lock()
			messages := s.queue
			s.queue = nil
			s.mu.Unlock()
			if len(messages) == 0 {
				break
			}
			for _, message := range messages {
				s.gets(message)
			}
		}
		if !time.Now().Before(end) {
			return
		}
	}
}

// presses presses keys, each as tea.Key calls it.
func (s *stage) presses(keys ...string) {
	for _, name := range keys {
		s.gets(pressed(name))
		s.passes(0)
	}
}

// pressed returns the message for a key.
func pressed(name string) tea.KeyPressMsg {
	named := map[string]rune{
		"enter": tea.KeyEnter, "tab": tea.KeyTab, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "pgup": tea.KeyPgUp,
		"pgdown": tea.KeyPgDown, "space": tea.KeySpace, "home": tea.KeyHome, "end": tea.KeyEnd, "backspace": tea.KeyBackspace,
	}
	if code, is := named[name]; is {
		return tea.KeyPressMsg{Code: code}
	}
	if name == "shift+tab" {
		return tea.KeyPressMsg{Code: tea.KeyTab, Mod: tea.ModShift}
	}
	if letter, is := strings.CutPrefix(name, "ctrl+"); is {
		return tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// view returns what is drawn, without colours, after a look at whether it fits.
func (s *stage) view() string {
	s.t.Helper()
	lines := strings.Split(s.View().Content, "\n")
	require.Len(s.t, lines, s.height)
	for n, line := range lines {
		assert.LessOrEqual(s.t, ansi.StringWidth(line), s.width, "%q", line)
		lines[n] = strings.TrimRight(ansi.Strip(line), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// names returns the names that are visible in the table, from top to bottom.
func (s *stage) names() (names []string) {
	for n := s.top; n < min(s.top+s.frame().rows, len(s.shown)); n++ {
		names = append(names, s.shown[n].Name)
	}
	return names
}
