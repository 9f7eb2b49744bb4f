package words

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// Table returns instances, one a line below a line of titles. No text does something to
// a terminal.
func Table(all []api.Summary, now time.Time) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATE\tFOR\tPID\tUP\tRESTARTS\tIN/S\tOUT/S\tREASON")
	for _, s := range all {
		pid, in, sent := "-", "-", "-"
		if s.PID != 0 {
			pid = fmt.Sprint(s.PID)
		}
		if t := s.Traffic; t != nil {
			in, sent = fmt.Sprintf("%.1f", t.ReceivedRate), fmt.Sprintf("%.1f", t.SentRate)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", fsm.EscapeLine(s.Name), fsm.EscapeLine(cmp.Or(string(s.State), "refused")),
			Ago(s.Since, now), pid, Ago(s.Up, now), s.Restarts, in, sent, fsm.EscapeLine(Reason(&s, now)))
	}
	w.Flush() // a strings.Builder takes everything
	return b.String()
}
