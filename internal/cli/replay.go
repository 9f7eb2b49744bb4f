package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/serve"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/s6"
)

func newReplay() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "replay [PATH]",
		Short: "Decide again about the passes of a journal, and say what differs",
		Long: `Replay reads a journal, or one file of it, and has this evenkeel decide again about
each pass from what it was decided on. Without PATH it reads the journal in --dir. It
prints each decision that is another one now:

  file:line: NAME (KIND) in STATE: what was decided; now what is decided

and exits with 0 if there is none, otherwise with 1. Of another version of evenkeel
this says what that would have done otherwise. It touches nothing that runs.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name := serve.JournalIn(dir)
			if len(args) > 0 {
				name = args[0]
			}
			err := replay(name, c.OutOrStdout(), c.ErrOrStderr())
			if errors.Is(err, fs.ErrNotExist) && len(args) == 0 {
				return noJournal(dir, err)
			}
			return err
		},
	}
	journalFlag(c, &dir)
	return c
}

// replayed counts what came of passes.
type replayed struct{ same, differ, other, unread, missing int }

func replay(name string, stdout, stderr io.Writer) error {
	var n replayed
	for r, err := range journal.Read(filesystem.OS{}, name) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return err
		case err != nil:
			n.unread++
			say(stderr, "evenkeel: %v", err)
		case r.Gap != nil:
			n.missing += r.Gap.Missing
		case r.Pass != nil && r.Pass.Input != nil:
			n.pass(r, stdout)
		}
	}
	if n.missing > 0 {
		say(stderr, "evenkeel: %s of the journal may be missing: some could not be written or read", counted(n.missing, "record"))
	}
	if n.other > 0 {
		say(stderr, "evenkeel: %s of other kinds cannot be made again here", counted(n.other, "decision"))
	}
	found := fmt.Sprint(n.differ, " differ")
	switch n.differ {
	case 0:
		found = "none differs"
	case 1:
		found = "1 differs"
	}
	fmt.Fprintf(stdout, "%s: %s.\n", counted(n.same+n.differ, "decision"), found)
	if n.differ > 0 || n.unread > 0 {
		return exitProblems
	}
	return nil
}

// pass decides again about one.
func (n *replayed) pass(r *journal.Record, stdout io.Writer) {
	again, known := kinds()[r.Pass.Kind]
	if !known {
		n.other++
		return
	}
	at := fmt.Sprintf("%s:%d: %s (%s) in %s", r.File, r.Line, r.Pass.Instance, r.Pass.Kind, r.Pass.State)
	switch now, same, err := again(r.Pass); {
	case err != nil:
		n.differ++
		fmt.Fprintln(stdout, fsm.EscapeLine(at+": "+fsm.MaskText(err.Error())))
	case !same:
		n.differ++
		// Both are masked, part by part.
		fmt.Fprintln(stdout, fsm.EscapeLine(at+": "+decided(r.Pass.Decision)+"; now "+decided(now)))
	default:
		n.same++
	}
}

// kinds are those whose decisions can be made here, by their names.
func kinds() map[string]func(*journal.Pass) (fsm.Decision, bool, error) {
	return map[string]func(*journal.Pass) (fsm.Decision, bool, error){
		s6.KindName: func(p *journal.Pass) (fsm.Decision, bool, error) {
			return journal.Again(fsm.Kind[*s6.Spec, s6.Observed]{Decide: s6.Decide}, p)
		},
		benthos.KindName: func(p *journal.Pass) (fsm.Decision, bool, error) {
			return journal.Again(fsm.Kind[*benthos.Config, benthos.Observed]{Decide: benthos.Decide}, p)
		},
	}
}

// decided says what a decision is.
func decided(d fsm.Decision) string {
	var parts []string
	for _, action := range d.Do {
		parts = append(parts, "do "+string(action))
	}
	if d.Fire != "" {
		parts = append(parts, "fire "+string(d.Fire))
	}
	if len(parts) == 0 {
		parts = append(parts, "nothing")
	}
	if d.Pending {
		parts = append(parts, "pending")
	}
	if d.After != 0 {
		parts = append(parts, fmt.Sprintf("look again after %v", d.After))
	}
	text := strings.Join(parts, ", ")
	if d.Reason != (fsm.Reason{}) {
		text += fmt.Sprintf(" (%s)", d.Reason)
	}
	return text
}
