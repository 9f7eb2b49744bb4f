package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/slogtest"
	"testing/synctest"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
)

// options returns those that a command line says.
func options(t *testing.T, args ...string) (o logOptions) {
	t.Helper()
	c := &cobra.Command{Use: "x"}
	logFlags(c, &o)
	require.NoError(t, c.ParseFlags(args))
	return o
}

// written returns what a log writes to each of its outputs.
func written(t *testing.T, o logOptions, write func(*programLog)) (out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	l := o.open(&stdout, &stderr)
	write(l)
	l.flush()
	return stdout.String(), stderr.String()
}

// objects returns the records of a log of JSON.
func objects(t *testing.T, text string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var one map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &one), line)
		all = append(all, one)
	}
	return all
}

func TestWhatIsWrongIsOnStandardError(t *testing.T) {
	for _, format := range []string{"text", "json", "auto"} {
		out, errs := written(t, options(t, "--log-format", format, "--log-level", "debug"), func(l *programLog) { story(l.Handler()) })
		assert.Equal(t, 5, strings.Count(out, "\n"), out)
		assert.Equal(t, 8, strings.Count(errs, "\n"), errs)
		assert.Equal(t, format != "text", strings.HasPrefix(out, "{"), "no terminal is here")
		assert.Equal(t, format != "text", strings.HasPrefix(errs, "{"))
	}
}

func TestLevelOfALog(t *testing.T) {
	for level, want := range map[string][2]int{"debug": {5, 8}, "info": {4, 8}, "warn": {0, 8}, "error": {0, 2}} {
		for _, format := range []string{"text", "json"} {
			out, errs := written(t, options(t, "--log-format", format, "--log-level", level), func(l *programLog) { story(l.Logger.Handler()) })
			assert.Equal(t, want, [2]int{strings.Count(out, "\n"), strings.Count(errs, "\n")}, "%s %s\n%s%s", level, format, out, errs)
		}
	}
}

func TestLogOfJSON(t *testing.T) {
	out, errs := written(t, options(t, "--log-format", "json"), func(l *programLog) { story(l.Handler()) })
	all := append(objects(t, out), objects(t, errs)...)
	const at = "2000-01-02T15:04:05.006Z"
	assert.Equal(t, map[string]any{
		"time": at, "level": "INFO", "msg": "transition", "kind": "s6", "name": "a", "from": "starting", "to": "running",
		"event": "start_done", "phase": "running", "reason": "its process runs: pid 7",
	}, all[0])
	assert.Contains(t, all, map[string]any{
		"time": at, "level": "WARN", "msg": "pass failed", "kind": "s6", "name": "a", "error": "cannot start: no room",
		"times": 10.0, "since": "2000-01-02T14:59:05.006Z", "held": true,
	})
	assert.Contains(t, all, map[string]any{
		"time": at, "level": "WARN", "msg": "problem in a file", "error": "there is no comand",
		"at":    map[string]any{"file": "a.yaml", "line": 6.0, "column": 23.0},
		"entry": map[string]any{"kind": "service", "name": "a"},
	})
}

// What others have written arrives as they wrote it, is obeyed by no terminal and
// shows no secret.
func TestLogOfJSONObeysNobody(t *testing.T) {
	_, errs := written(t, options(t, "--log-format", "json"), func(l *programLog) {
		l.Warn(wild, wild, wild+" token="+secret, "error", errors.New(wild+" http://u:"+secret+"@h"), "kind", config.Kind(wild))
		l.trouble(config.Problem{At: config.Position{File: wild}, What: wild + ` password="` + secret + `"`})
		l.trouble(errors.New("token=" + secret + `"} {"` + wild))
		l.untold(errors.New(wild))
		assert.ErrorIs(t, l.end(errors.New(wild+" --token "+secret)), exitProblems)
		fsm.LogTo(l.Logger)(fsm.Refused{Subject: fsm.Subject{Instance: wild, Kind: wild}, Err: errors.New(wild + " token=" + secret)})
	})
	all := objects(t, errs)
	require.Len(t, all, 6)
	as := strings.ToValidUTF8(wild, "\ufffd")
	assert.Equal(t, as, all[0]["msg"])
	assert.Equal(t, as+" token=***", all[0][as])
	assert.Equal(t, as, all[3]["error"])
	assert.Equal(t, as, all[5]["name"])
	for line := range strings.Lines(errs) {
		line = strings.TrimSuffix(line, "\n")
		assert.Equal(t, fsm.EscapeText(line), line)
	}
	assert.NotContains(t, errs, secret)
}

func TestLogOfJSONIsAHandler(t *testing.T) {
	var out bytes.Buffer
	var l *programLog
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		out.Reset()
		o := options(t)
		l = o.open(&out, io.Discard)
		return l.Handler()
	}, func(t *testing.T) map[string]any {
		l.flush()
		return objects(t, out.String())[0]
	})
}

// What lasts is told once, with what has no place in a file as often as it is news.
func TestTroubleIsToldOnce(t *testing.T) {
	_, errs := written(t, options(t, "--log-format", "text"), func(l *programLog) {
		for range 100 {
			l.trouble(errors.New("cannot write declarations: no space left on device"))
		}
		l.trouble(config.Problem{At: config.Position{File: "a.yaml"}, What: "it cannot be read"})
		l.trouble(errors.New("cannot write declarations: read-only file system"))
	})
	var said []string
	for line := range strings.Lines(errs) {
		_, line, _ := strings.Cut(strings.TrimSpace(line), " ")
		line, _, _ = strings.Cut(line, " since")
		said = append(said, line)
	}
	assert.Equal(t, []string{
		"trouble with what is declared: cannot write declarations: no space left on device",
		"trouble with what is declared: cannot write declarations: no space left on device (10 times",
		"trouble with what is declared: cannot write declarations: no space left on device (100 times",
		"a.yaml: it cannot be read",
		"trouble with what is declared: cannot write declarations: read-only file system (101 times",
	}, said)
}

// A command that ends with what was told already tells nothing more.
func TestEndIsToldOnce(t *testing.T) {
	_, errs := written(t, options(t), func(l *programLog) {
		assert.NoError(t, l.end(nil))
		assert.Equal(t, exit(7), l.end(exit(7)))
	})
	assert.Empty(t, errs)
}

// brokenThenFine is a writer whose first write fails.
type brokenThenFine struct {
	bytes.Buffer
	failed bool
}

func (b *brokenThenFine) Write(text []byte) (int, error) {
	if !b.failed {
		b.failed = true
		return 0, syscall.ENOSPC
	}
	return b.Buffer.Write(text)
}

func TestLinesThatAreLeftOutAreARecord(t *testing.T) {
	for format, want := range map[string]string{
		"json": `^\{"time":"[^"]+","level":"WARN","msg":"lines were left out","error":"no space left on device","lines":1\}\n\{.*"msg":"b"\}\n$`,
		"text": `^\S+ lines were left out: no space left on device \(lines=1\)\n\S+ b\n$`,
	} {
		synctest.Test(t, func(t *testing.T) {
			var out brokenThenFine
			l := options(t, "--log-format", format).open(&out, io.Discard)
			l.Info("a")
			synctest.Wait()
			l.Info("b")
			l.flush()
			assert.Regexp(t, want, out.String())
		})
	}
}

// Where both outputs are one file, records are in it in their order.
func TestRecordsOfOneFileKeepTheirOrder(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	defer file.Close()
	again, err := os.OpenFile(file.Name(), os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	defer again.Close()
	l := options(t).open(file, again)
	for n := range 100 {
		l.Info("calm", "n", 2*n)
		l.Warn("trouble", "n", 2*n+1)
	}
	l.flush()
	text, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	all := objects(t, string(text))
	require.Len(t, all, 200)
	for n, record := range all {
		assert.EqualValues(t, n, record["n"])
	}
}
