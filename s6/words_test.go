package s6

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

func TestLastWords(t *testing.T) {
	for _, test := range []struct {
		name, log, want string
	}{
		{"nothing", "", ""},
		{"one line", "cannot open foo.yaml: no such file", "cannot open foo.yaml: no such file"},
		{"the last line", "starting\nlistening\ncannot bind", "cannot bind"},
		{"empty lines", "cannot bind\n\n  \n", "cannot bind"},
		{"what a terminal would obey", "\x1b[31mred\x1b[0m\tand\a", `\x1b[31mred\x1b[0m and\x07`},
		{"no UTF-8", "\xff\xfe", `\xff\xfe`},
		{"a secret", "cannot log in with password=hunter2", "cannot log in with password=***"},
		{"a URL", "cannot reach amqp://user:hunter2@broker:5672", "cannot reach amqp://user:***@broker:5672"},
		{"a secret that would be cut", strings.Repeat("x", 190) + " amqp://u:" + strings.Repeat("hunter2", 20) + "@broker",
			strings.Repeat("x", 190) + " amqp://u:…"},
		{"a long line", strings.Repeat("x", 201), strings.Repeat("x", 200) + "…"},
		{"cut within a character", strings.Repeat("x", 199) + "€uro", strings.Repeat("x", 199) + "…"},
		{"a trace of Java", "starting\nException in thread \"main\" java.lang.Error: boom\n\tat Main.main(Main.java:5)\n\t... 5 more",
			`Exception in thread "main" java.lang.Error: boom`},
		{"a trace of Python", "Traceback (most recent call last):\n  File \"x.py\", line 1\nValueError: boom", "ValueError: boom"},
		{"a trace of Go", "starting\npanic: boom\n\tpanic: again\n\ngoroutine 1 [running]:\nmain.f()\n\t/x.go:5 +0x1d\nmain.main()\n\t/x.go:9 +0x2d",
			"panic: boom"},
		{"a fatal error of Go", "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select (no cases)]:\nmain.main()\n\t/x.go:9 +0x2d",
			"fatal error: all goroutines are asleep - deadlock!"},
		{"a panic long ago", "panic: not ours\nstarting\ncannot bind\n\tport 80", "cannot bind"},
		{"only indented", "\tat Main.main(Main.java:5)", "at Main.main(Main.java:5)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			at := time.Unix(1000, 0)
			var lines []s6log.Line
			for text := range strings.SplitSeq(test.log, "\n") {
				lines = append(lines, s6log.Line{Time: at, Text: text})
			}
			got := lastWords(lines, span{at, at})
			assert.Equal(t, test.want, got)
			assert.Empty(t, lastWords(lines, span{at.Add(1), at.Add(2)}), "of an earlier process")
			assert.Empty(t, lastWords(lines, span{at.Add(-2), at.Add(-1)}), "of a later one")
			assert.Empty(t, lastWords(lines, span{time.Time{}, at}), "it is not known of which")
		})
	}
}

func FuzzLastWords(f *testing.F) {
	f.Add("panic: a\ngoroutine 1\n\tx")
	f.Fuzz(func(t *testing.T, log string) {
		at := time.Unix(1000, 0)
		var lines []s6log.Line
		for text := range strings.SplitSeq(log, "\n") {
			lines = append(lines, s6log.Line{Time: at, Text: text})
		}
		got := lastWords(lines, span{at, at})
		assert.True(t, utf8.ValidString(got) && !strings.Contains(got, "\n") && len(got) <= wordsSize+len("…"), "%q", got)
	})
}

// TestSpanOfLast: what is known of when a process printed, and no more than that.
func TestSpanOfLast(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for _, test := range []struct {
		name        string
		next, mixed time.Time
		deaths      []int
		finish      bool
		want        span
	}{
		{"no end", at(0), time.Time{}, nil, false, span{}},
		{"seen from its start", at(100), time.Time{}, []int{900}, false, span{at(100), at(1400)}},
		{"of an earlier run, the first", time.Time{}, time.Time{}, []int{900}, false, span{time.Time{}, at(1400)}},
		{"of an earlier run, the second", time.Time{}, time.Time{}, []int{900, 9000}, false, span{at(1400), at(9500)}},
		{"soon after another", at(905), time.Time{}, []int{900, 9000}, false, span{at(1400), at(9500)}},
		{"never seen to run", at(100), time.Time{}, []int{900, 1200}, false, span{at(1400), at(1700)}},
		{"beside a process without a supervisor", at(100), at(2000), []int{5000}, false, span{at(2000), at(5500)}},
		{"whose finish command prints", at(100), time.Time{}, []int{900}, true, span{at(100), at(900)}},
	} {
		d := driver{spec: &Spec{}, words: words{next: test.next, mixed: test.mixed}}
		if test.finish {
			d.spec.Finish = []string{"echo"}
		}
		for _, ms := range test.deaths {
			d.tally.deaths = append(d.tally.deaths, supervise.Death{Time: at(ms)})
		}
		assert.Equal(t, test.want, d.spanOfLast(), test.name)
	}
}
