package benthos

import "strings"

// logKind is what a log line tells about an instance.
type logKind uint8

// The kinds of log lines.
const (
	// logOther is every line that is not known, including messages on stdout.
	logOther logKind = iota

	// logStarting is the first line of a process, logListening the address of
	// its HTTP endpoint, which is written before the port is bound, and
	// logLaunched that the stream was built.
	logStarting
	logListening
	logLaunched
	// logInputActive and logOutputActive tell that a component connected, or,
	// for an http_server, that it is about to listen.
	logInputActive
	logOutputActive
	// logStopping tells that a signal arrived, logFinished that the inputs came
	// to their end and the process ends with exit code 0, and logUnfinished
	// that the process gave up what it had accepted, at the end of the shutdown
	// time-out.
	logStopping
	logFinished
	logUnfinished

	// logConfigRefused tells that the process ends because of its configuration
	// file, logStartFailed that it ends because a component cannot be built.
	logConfigRefused
	logStartFailed
	// logPortInUse tells that a listener failed on a taken port. The process
	// goes on without it, and still calls itself ready if the listener was an
	// http_server or the HTTP endpoint.
	logPortInUse
	// logListenFailed is the same for any other reason.
	logListenFailed
	logInputConnectionFailed
	logInputFailed // a read failed
	logOutputConnectionFailed
	logOutputFailed // a write failed
	logProcessorFailed
	// logCrashed is the first line of a Go panic or fatal error.
	logCrashed
)

// String returns a few words, such as "port in use".
func (k logKind) String() string {
	names := [...]string{
		logOther: "other", logStarting: "starting", logListening: "listening", logLaunched: "launched",
		logInputActive: "input active", logOutputActive: "output active", logStopping: "stopping",
		logFinished: "finished", logUnfinished: "unfinished", logConfigRefused: "configuration refused",
		logStartFailed: "start failed", logPortInUse: "port in use", logListenFailed: "cannot listen",
		logInputConnectionFailed: "input connection failed", logInputFailed: "input failed",
		logOutputConnectionFailed: "output connection failed", logOutputFailed: "output failed",
		logProcessorFailed: "processor failed", logCrashed: "crashed",
	}
	if int(k) >= len(names) {
		return "other"
	}
	return names[k]
}

// logClass is what one line of an engine's log says.
type logClass struct {
	level logLevel
	kind  logKind
	// matters is true for what an operator has to know: errors, refusals and
	// crashes, and warnings of a connection that failed or was lost.
	matters bool
	// message is what the engine says, without the fields around it. For a
	// refused configuration it is the problem, with "line N" for where.
	message string
	// path and label are those of the component that speaks, such as
	// "root.input", empty where the line names none.
	path, label string
}

// maxLogLine is how much of a line is looked at, in bytes.
const maxLogLine = 16 << 10

// classifyLine reads one line of the log of any Benthos lineage, in logfmt or
// JSON, without the supervisor's time stamp.
//
// A stream may write its messages to the same log. A line counts as the
// engine's own if it has the static field @service, which Render sets and
// engines set by default, or if it begins like one of the few lines that
// engines write before they have a logger. Every other line is logOther with an
// empty message.
func classifyLine(line string) logClass {
	line = strings.TrimRight(line[:min(len(line), maxLogLine)], "\r\n")
	f, ok := parseLogLine(line)
	if !ok {
		return classifyBare(line)
	}
	c := logClass{level: parseLogLevel(f.level), message: f.msg, path: f.path, label: f.label}
	c.kind = kindOf(f, c.level)
	switch c.kind {
	case logConfigRefused:
		if f.lint != "" {
			c.message = describeLint(f.lint)
		}
	case logStartFailed:
		c.message = trimFoldPrefix(c.message, closingDueTo)
	}
	c.matters = c.level >= logLevelError || c.level == logLevelWarn && isTrouble(c.message)
	return c
}

const (
	closingDueTo  = "service closing due to: "
	configRead    = "configuration file read error: "
	lintShutdown  = "shutting down due to linter errors"
	loggerFailed  = "failed to create logger: "
	addressInUse  = "address already in use"
	lintErrorText = "config lint error"
)

// classifyBare reads the lines that come without level and fields.
func classifyBare(line string) logClass {
	c := logClass{level: logLevelError, matters: true, message: line}
	switch {
	case hasFoldPrefix(line, configRead):
		c.kind, c.message = logConfigRefused, describeLint(line[len(configRead):])
	case hasFoldPrefix(line, lintShutdown), hasFoldPrefix(line, loggerFailed):
		c.kind = logConfigRefused
	case hasFoldPrefix(line, closingDueTo):
		c.kind, c.message = logStartFailed, line[len(closingDueTo):]
	case strings.HasPrefix(line, "panic: "), strings.HasPrefix(line, "fatal error: "):
		c.kind, c.level = logCrashed, logLevelFatal
	default:
		return logClass{}
	}
	return c
}

func kindOf(f logFields, level logLevel) logKind {
	if level >= logLevelError {
		return errorKind(f)
	}
	switch msg := f.msg; {
	case strings.HasPrefix(msg, "Running main config"):
		return logStarting
	case strings.HasPrefix(msg, "Listening for HTTP requests at"):
		return logListening
	case strings.HasPrefix(msg, "Launching a "):
		return logLaunched
	case strings.HasPrefix(msg, "Input type ") && strings.HasSuffix(msg, " is now active"),
		strings.HasPrefix(msg, "Receiving HTTP messages at"):
		return logInputActive
	case strings.HasPrefix(msg, "Output type ") && strings.HasSuffix(msg, " is now active"),
		strings.HasPrefix(msg, "Serving messages through HTTP"):
		return logOutputActive
	case strings.HasPrefix(msg, "Received SIG"):
		return logStopping
	case strings.HasPrefix(msg, "Pipeline has terminated"):
		return logFinished
	case strings.HasPrefix(msg, "Some components prevented forced termination"):
		return logUnfinished
	}
	if level == logLevelWarn && isTrouble(f.msg) {
		return componentKind(f)
	}
	return logOther
}

func errorKind(f logFields) logKind {
	switch msg := f.msg; {
	case hasFoldPrefix(msg, lintErrorText), hasFoldPrefix(msg, lintShutdown), hasFoldPrefix(msg, configRead):
		return logConfigRefused
	case hasFoldPrefix(msg, closingDueTo):
		return logStartFailed
	case strings.Contains(msg, addressInUse) && strings.Contains(msg, "listen "):
		return logPortInUse
	case strings.HasPrefix(msg, "Server error: "), strings.HasPrefix(msg, "HTTP Server error: "):
		return logListenFailed
	}
	return componentKind(f)
}

// componentKind tells troubles apart by the component that has them.
func componentKind(f logFields) logKind {
	connection := strings.HasPrefix(f.msg, "Failed to connect") || strings.Contains(strings.ToLower(f.msg), "connection lost")
	section := strings.TrimPrefix(f.path, "root.")
	switch {
	case strings.Contains(section, "processors."), strings.HasPrefix(section, "pipeline"):
		return logProcessorFailed
	case strings.HasPrefix(section, "input"):
		if connection {
			return logInputConnectionFailed
		}
		return logInputFailed
	case strings.HasPrefix(section, "output"):
		if connection {
			return logOutputConnectionFailed
		}
		return logOutputFailed
	default:
		return logOther
	}
}

// isTrouble reports whether a warning is worth an operator's attention.
func isTrouble(msg string) bool {
	msg = strings.ToLower(msg)
	return strings.Contains(msg, "failed to") || strings.Contains(msg, "connection lost") || strings.Contains(msg, "unable to")
}

// describeLint turns "path(5,1) message" and "path: (5,1) message" into
// "line 5: message", and drops the path where there is no line.
func describeLint(text string) string {
	if i := strings.IndexByte(text, '('); i >= 0 {
		if p := parseLintProblem(text[i:]); p.Line > 0 {
			var b strings.Builder
			p.describe(&b)
			return b.String()
		}
	}
	if file, rest, ok := strings.Cut(text, ": "); ok && !strings.Contains(file, " ") {
		return rest
	}
	return text
}

func hasFoldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func trimFoldPrefix(s, prefix string) string {
	if hasFoldPrefix(s, prefix) {
		return s[len(prefix):]
	}
	return s
}
