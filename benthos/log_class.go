package benthos

import "strings"

// LogLevel is the level of a log line. Levels are ordered by severity.
type LogLevel uint8

// The levels of Benthos. LogLevelNone is that of a line that has none.
const (
	LogLevelNone LogLevel = iota
	LogLevelTrace
	LogLevelDebug
	LogLevelInfo
	LogLevelWarn
	LogLevelError
	LogLevelFatal
)

// String returns the level as engines write it.
func (l LogLevel) String() string {
	switch l {
	case LogLevelTrace:
		return "trace"
	case LogLevelDebug:
		return "debug"
	case LogLevelInfo:
		return "info"
	case LogLevelWarn:
		return "warning"
	case LogLevelError:
		return "error"
	case LogLevelFatal:
		return "fatal"
	default:
		return "none"
	}
}

// LogKind is what a log line tells about an instance.
type LogKind uint8

// The kinds of log lines.
const (
	// LogOther is every line not known, messages on stdout among them.
	LogOther LogKind = iota

	// LogStarting is the first line of a process, LogListening the address of
	// its HTTP endpoint, which is written before the port is bound, and
	// LogLaunched that the stream was built.
	LogStarting
	LogListening
	LogLaunched
	// LogInputActive and LogOutputActive tell that a component connected, or,
	// for an http_server, that it is about to listen.
	LogInputActive
	LogOutputActive
	// LogStopping tells that a signal arrived, LogFinished that the inputs came
	// to their end and the process ends with exit code 0, LogUnfinished that it
	// gave up what it had accepted at the end of the shutdown time-out.
	LogStopping
	LogFinished
	LogUnfinished

	// LogConfigRefused tells that the process ends because of its configuration
	// file, LogStartFailed that it ends because a component cannot be built.
	LogConfigRefused
	LogStartFailed
	// LogPortInUse tells that a listener failed on a taken port. The process
	// goes on without it, and goes on calling itself ready where the listener
	// was an http_server or the HTTP endpoint.
	LogPortInUse
	// LogListenFailed is the same for any other reason.
	LogListenFailed
	LogInputConnectionFailed
	LogInputFailed // a read failed
	LogOutputConnectionFailed
	LogOutputFailed // a write failed
	LogProcessorFailed
	// LogCrashed is the first line of a Go panic or fatal error.
	LogCrashed
)

// String returns a few words, such as "port in use".
func (k LogKind) String() string {
	names := [...]string{
		LogOther: "other", LogStarting: "starting", LogListening: "listening", LogLaunched: "launched",
		LogInputActive: "input active", LogOutputActive: "output active", LogStopping: "stopping",
		LogFinished: "finished", LogUnfinished: "unfinished", LogConfigRefused: "configuration refused",
		LogStartFailed: "start failed", LogPortInUse: "port in use", LogListenFailed: "cannot listen",
		LogInputConnectionFailed: "input connection failed", LogInputFailed: "input failed",
		LogOutputConnectionFailed: "output connection failed", LogOutputFailed: "output failed",
		LogProcessorFailed: "processor failed", LogCrashed: "crashed",
	}
	if int(k) >= len(names) {
		return "other"
	}
	return names[k]
}

// LogClass is what one line of an engine's log says.
type LogClass struct {
	Level LogLevel
	Kind  LogKind
	// Matters is true for what an operator has to know of: errors, refusals and
	// crashes, and warnings of a connection that failed or was lost.
	Matters bool
	// Message is what the engine says, without the fields around it. For a
	// refused configuration it is the problem, with "line N" for where.
	Message string
	// Path and Label are those of the component that speaks, such as
	// "root.input", empty where the line names none.
	Path, Label string
}

// maxLogLine is as much of a line as is looked at.
const maxLogLine = 16 << 10

// ClassifyLine reads one line of the log of any Benthos lineage, in logfmt or
// JSON, without the supervisor's time stamp.
//
// A stream may write its messages to the same log. A line is taken for the
// engine's own when it has the static field @service, which Render sets and
// engines set by default, or begins as the few lines do that engines write
// before they have a logger; every other line is LogOther with Message empty.
func ClassifyLine(line string) LogClass {
	line = strings.TrimRight(line[:min(len(line), maxLogLine)], "\r\n")
	f, ok := parseLogLine(line)
	if !ok {
		return classifyBare(line)
	}
	c := LogClass{Level: parseLogLevel(f.level), Message: f.msg, Path: f.path, Label: f.label}
	c.Kind = kindOf(f, c.Level)
	switch c.Kind {
	case LogConfigRefused:
		if f.lint != "" {
			c.Message = describeLint(f.lint)
		}
	case LogStartFailed:
		c.Message = trimFoldPrefix(c.Message, closingDueTo)
	}
	c.Matters = c.Level >= LogLevelError || c.Level == LogLevelWarn && isTrouble(c.Message)
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
func classifyBare(line string) LogClass {
	c := LogClass{Level: LogLevelError, Matters: true, Message: line}
	switch {
	case hasFoldPrefix(line, configRead):
		c.Kind, c.Message = LogConfigRefused, describeLint(line[len(configRead):])
	case hasFoldPrefix(line, lintShutdown), hasFoldPrefix(line, loggerFailed):
		c.Kind = LogConfigRefused
	case hasFoldPrefix(line, closingDueTo):
		c.Kind, c.Message = LogStartFailed, line[len(closingDueTo):]
	case strings.HasPrefix(line, "panic: "), strings.HasPrefix(line, "fatal error: "):
		c.Kind, c.Level = LogCrashed, LogLevelFatal
	default:
		return LogClass{}
	}
	return c
}

func kindOf(f logFields, level LogLevel) LogKind {
	if level >= LogLevelError {
		return errorKind(f)
	}
	switch msg := f.msg; {
	case strings.HasPrefix(msg, "Running main config"):
		return LogStarting
	case strings.HasPrefix(msg, "Listening for HTTP requests at"):
		return LogListening
	case strings.HasPrefix(msg, "Launching a "):
		return LogLaunched
	case strings.HasPrefix(msg, "Input type ") && strings.HasSuffix(msg, " is now active"),
		strings.HasPrefix(msg, "Receiving HTTP messages at"):
		return LogInputActive
	case strings.HasPrefix(msg, "Output type ") && strings.HasSuffix(msg, " is now active"),
		strings.HasPrefix(msg, "Serving messages through HTTP"):
		return LogOutputActive
	case strings.HasPrefix(msg, "Received SIG"):
		return LogStopping
	case strings.HasPrefix(msg, "Pipeline has terminated"):
		return LogFinished
	case strings.HasPrefix(msg, "Some components prevented forced termination"):
		return LogUnfinished
	}
	if level == LogLevelWarn && isTrouble(f.msg) {
		return componentKind(f)
	}
	return LogOther
}

func errorKind(f logFields) LogKind {
	switch msg := f.msg; {
	case hasFoldPrefix(msg, lintErrorText), hasFoldPrefix(msg, lintShutdown), hasFoldPrefix(msg, configRead):
		return LogConfigRefused
	case hasFoldPrefix(msg, closingDueTo):
		return LogStartFailed
	case strings.Contains(msg, addressInUse) && strings.Contains(msg, "listen "):
		return LogPortInUse
	case strings.HasPrefix(msg, "Server error: "), strings.HasPrefix(msg, "HTTP Server error: "):
		return LogListenFailed
	}
	return componentKind(f)
}

// componentKind tells troubles apart by the component that has them.
func componentKind(f logFields) LogKind {
	connection := strings.HasPrefix(f.msg, "Failed to connect") || strings.Contains(strings.ToLower(f.msg), "connection lost")
	section := strings.TrimPrefix(f.path, "root.")
	switch {
	case strings.Contains(section, "processors."), strings.HasPrefix(section, "pipeline"):
		return LogProcessorFailed
	case strings.HasPrefix(section, "input"):
		if connection {
			return LogInputConnectionFailed
		}
		return LogInputFailed
	case strings.HasPrefix(section, "output"):
		if connection {
			return LogOutputConnectionFailed
		}
		return LogOutputFailed
	default:
		return LogOther
	}
}

// isTrouble picks the warnings that are worth an operator's look.
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
