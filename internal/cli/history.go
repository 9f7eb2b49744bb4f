package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/serve"
	"github.com/evenkeel/evenkeel/journal"
)

// historyOptions are the flags of evenkeel history.
type historyOptions struct {
	dir    string
	newest int
	json   bool
}

func newHistory() *cobra.Command {
	var o historyOptions
	c := &cobra.Command{
		Use:   "history [NAME]",
		Short: "Show what happened to an instance, or to all, also in earlier runs",
		Long: `History shows what the journal has that evenkeel run keeps in the directory journal
of --dir: a line for each transition of an instance, and one for each time when it was
declared otherwise, refused, taken again, warned of, or could not be looked at or acted
on; the oldest first, in local time:

  TIME  NAME  FROM -> TO  (EVENT)  why
  TIME  NAME  WHAT: text

A name is that of an entry, or of its s6 service. The journal is bounded, so the oldest
lines may be gone. History needs no program that runs, and changes nothing. It
exits with 1 where there is no journal, or nothing of NAME in it.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return history(o, name, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	journalFlag(c, &o.dir)
	c.Flags().IntVarP(&o.newest, "newest", "n", 0, "show the newest `COUNT` lines alone; 0 means all")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON document")
	return c
}

// historyOf returns what happened to the instance that is meant.
func historyOf(all []*journal.Record, given string) ([]*journal.Record, error) {
	known := make(map[string]bool)
	for _, r := range all {
		known[instanceOf(r)] = true
	}
	names, err := findNames([]string{given}, slices.Sorted(maps.Keys(known)))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(r *journal.Record) bool { return instanceOf(r) != names[0] }), nil
}

func instanceOf(r *journal.Record) string {
	to, _ := r.Happened()
	return to.Instance
}

// journalFlag is how a command is told whose journal to read.
func journalFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "dir", defaultDir(), "`PATH` of the --dir of evenkeel run, which has journal/ in it")
}

func history(o historyOptions, name string, stdout, stderr io.Writer) error {
	all, missing, err := journal.History(filesystem.OS{}, serve.JournalIn(o.dir), "")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noJournal(o.dir, err)
	case err != nil:
		say(stderr, "evenkeel: %v", err) // and what can be read is shown
	}
	if name != "" {
		if all, err = historyOf(all, name); err != nil {
			return fmt.Errorf("cannot show a history in %s: %w", serve.JournalIn(o.dir), err)
		}
	}
	if o.newest > 0 && len(all) > o.newest {
		all = all[len(all)-o.newest:]
	}
	if missing > 0 {
		say(stderr, "evenkeel: %s of the journal may be missing: some could not be written or read", counted(missing, "record"))
	}
	if o.json {
		if err := printHistory(stdout, all, missing); err != nil {
			return err
		}
	} else {
		for _, r := range all {
			say(stdout, "%s", historyLine(r))
		}
	}
	if err != nil {
		return exitProblems
	}
	return nil
}

func noJournal(dir string, err error) error {
	return fmt.Errorf("there is no journal to read: %w: evenkeel run with --dir %s keeps one, unless it has --journal 0", err, dir)
}

// historyLine is what is printed of something that happened.
func historyLine(r *journal.Record) string {
	to, _ := r.Happened()
	line := to.At.Local().Format("2006-01-02 15:04:05.000") + "  " + to.Instance + "  "
	if t := r.Transition; t != nil {
		return line + fmt.Sprintf("%s -> %s  (%s)  %s", t.From, t.To, t.Event, t.Reason)
	}
	return strings.TrimSuffix(line+string(r.Note.What)+": "+r.Note.Text, ": ")
}

func printHistory(stdout io.Writer, all []*journal.Record, missing int) error {
	document := struct {
		Transitions []fsm.Transition `json:"transitions"`
		Notes       []journal.Note   `json:"notes"`
		Missing     int              `json:"missing"` // records, at most
	}{[]fsm.Transition{}, []journal.Note{}, missing}
	for _, r := range all {
		to, _ := r.Happened()
		to.At = to.At.Local()
		if r.Transition != nil {
			document.Transitions = append(document.Transitions, r.Transition.Transition)
		} else {
			document.Notes = append(document.Notes, *r.Note)
		}
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot print the history: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "%s\n", fsm.EscapeJSON(text))
	return err
}
