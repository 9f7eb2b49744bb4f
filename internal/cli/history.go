package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

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
		Short: "Show the transitions of an instance, or of all, also of earlier runs",
		Long: `History shows what the journal has that evenkeel run keeps in the directory journal
of --dir: a line for each transition of an instance, the oldest first, in local time:

  TIME  NAME  FROM -> TO  (EVENT)  why

A name is that of an entry, or of its s6 service. The journal is bounded, so the oldest
transitions may be gone. History needs no program that runs, and changes nothing. It
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
	c.Flags().IntVarP(&o.newest, "newest", "n", 0, "show the newest `COUNT` alone; 0 means all")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON document")
	return c
}

// historyOf returns the transitions of the instance that is meant.
func historyOf(all []fsm.Transition, given string) ([]fsm.Transition, error) {
	known := make(map[string]bool)
	for _, t := range all {
		known[t.Instance] = true
	}
	names, err := findNames([]string{given}, slices.Sorted(maps.Keys(known)))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(t fsm.Transition) bool { return t.Instance != names[0] }), nil
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
		for _, t := range all {
			say(stdout, "%s  %s  %s -> %s  (%s)  %s", t.At.Local().Format("2006-01-02 15:04:05.000"), t.Instance, t.From, t.To, t.Event, t.Reason)
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

func printHistory(stdout io.Writer, all []fsm.Transition, missing int) error {
	document := struct {
		Transitions []fsm.Transition `json:"transitions"`
		Missing     int              `json:"missing"` // records, at most
	}{append([]fsm.Transition{}, all...), missing}
	for n := range document.Transitions {
		t := &document.Transitions[n]
		t.At = t.At.Local()
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot print the history: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "%s\n", fsm.EscapeJSON(text))
	return err
}
