package benthos

import (
	"encoding/json"
	"strconv"
	"strings"
)

// logLevel is the level of a log line. Levels are ordered by severity.
type logLevel uint8

// The levels of Benthos. logLevelNone is that of a line that has none.
const (
	logLevelNone logLevel = iota
	logLevelTrace
	logLevelDebug
	logLevelInfo
	logLevelWarn
	logLevelError
	logLevelFatal
)

// logFields are the fields of a log line that its class depends on.
type logFields struct {
	level, msg, path, label, lint string
}

// parseLogLine reads a line of an engine's logger; ok is false for any other.
func parseLogLine(line string) (f logFields, ok bool) {
	switch {
	case strings.HasPrefix(line, "{"):
		return parseJSONLine(line)
	case strings.HasPrefix(line, "level="), strings.HasPrefix(line, "time="):
		return parseLogfmt(line)
	default:
		return logFields{}, false
	}
}

func parseJSONLine(line string) (logFields, bool) {
	if !strings.Contains(line, `"@service"`) {
		return logFields{}, false
	}
	var v struct {
		Service *string `json:"@service"`
		Level   string  `json:"level"`
		Msg     string  `json:"msg"`
		Path    string  `json:"path"`
		Label   string  `json:"label"`
		Lint    string  `json:"lint"`
	}
	if json.Unmarshal([]byte(line), &v) != nil || v.Service == nil || parseLogLevel(v.Level) == logLevelNone {
		return logFields{}, false
	}
	return logFields{level: v.Level, msg: v.Msg, path: v.Path, label: v.Label, lint: v.Lint}, true
}

func parseLogfmt(line string) (f logFields, ok bool) {
	for rest := line; rest != ""; {
		var key, val string
		key, val, rest = nextField(rest)
		switch key {
		case "level":
			f.level = val
		case "msg":
			f.msg = val
		case "path":
			f.path = val
		case "label":
			f.label = val
		case "lint":
			f.lint = val
		case "@service":
			ok = true
		}
	}
	return f, ok && parseLogLevel(f.level) != logLevelNone
}

// nextField cuts one key=value from the front of a line. A quoted value that
// does not end is all that is left of the line.
func nextField(line string) (key, val, rest string) {
	line = strings.TrimLeft(line, " ")
	end := strings.IndexAny(line, "= ")
	if end < 0 || line[end] == ' ' {
		_, rest, _ = strings.Cut(line, " ")
		return "", "", rest
	}
	key, line = line[:end], line[end+1:]
	if !strings.HasPrefix(line, `"`) {
		val, rest, _ = strings.Cut(line, " ")
		return key, val, rest
	}
	if quoted, err := strconv.QuotedPrefix(line); err == nil {
		val, err = strconv.Unquote(quoted)
		if err != nil {
			val = quoted
		}
		return key, val, line[len(quoted):]
	}
	return key, line[1:], ""
}

func parseLogLevel(s string) logLevel {
	switch strings.ToLower(s) {
	case "trace":
		return logLevelTrace
	case "debug":
		return logLevelDebug
	case "info":
		return logLevelInfo
	case "warn", "warning":
		return logLevelWarn
	case "error":
		return logLevelError
	case "fatal", "panic":
		return logLevelFatal
	default:
		return logLevelNone
	}
}
