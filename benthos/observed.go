package benthos

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// Service is what is known of the s6 service under an instance.
type Service = fsm.Snapshot[*s6.Spec, s6.Observed]

// Observed is what was seen of a Benthos instance in one pass.
type Observed struct {
	// Service is the state of the s6 service, whose own pass came first.
	Service *Service `json:"service,omitempty"`
	// Asked is what this instance last asked of the service, empty before the
	// first time. Current says that it was asked with the desired Config.
	// Renoted says that it was asked to run what is the same to an engine, and
	// that another Note is to be kept with it.
	Asked   fsm.State `json:"asked,omitempty"` // in the terms of package s6
	Current bool      `json:"current"`
	Renoted bool      `json:"renoted,omitempty"`
	// Unseen: the service has not been observed since it was asked.
	Unseen bool `json:"unseen,omitempty"`
	// PortTaken says which port another process listens on: before the service
	// is to run, or because its process began without that port, which an
	// engine does not try again. It also says that a process has not listened
	// for so long that another one is run.
	PortTaken string `json:"portTaken,omitempty"`
	// Ended says that the process has ended by itself, while another one waits to
	// be run. The service is asked to stop meanwhile.
	Ended Ended `json:"ended,omitzero"`
	// AnnounceProblem says why s6 could not be told that its process is ready.
	AnnounceProblem string `json:"announceProblem,omitempty"`
	// Health is what the engine itself said last.
	Health Health `json:"health,omitzero"`
	// Traffic is what its counters say.
	Traffic Traffic `json:"traffic,omitzero"`
	// LogProblem is the newest line of its log that reports a problem since the
	// instance was last well, or why the log cannot be read. It is looked for
	// only if something is wrong or no messages come in.
	LogProblem string    `json:"logProblem,omitempty"`
	LogTime    time.Time `json:"logTime,omitzero"`
}

// Health is what an engine answered on its HTTP endpoint.
type Health struct {
	// At is when it was asked, PID the process that was running then.
	At  time.Time `json:"at,omitzero"`
	PID int       `json:"pid,omitempty"`
	// Alive: /ping was answered, by that process. Ready: /ready was.
	Alive bool `json:"alive"`
	Ready bool `json:"ready"`
	// Problem says why it is not alive or not ready, PortTaken that somebody
	// else has a port that the process should listen on, or that the process has
	// not listened on it for long.
	Problem   string `json:"problem,omitempty"`
	PortTaken string `json:"portTaken,omitempty"`
	// Version as /version gives it, empty if it does not.
	Version string `json:"version,omitempty"`
	// MetricsProblem says why the metrics could not be read. It is no failure of
	// the instance: some engines have none.
	MetricsProblem string `json:"metricsProblem,omitempty"`
}

// Traffic is what the counters of an engine said when they were last read. They
// begin with its process. While they cannot be read, what they said stands.
type Traffic struct {
	// At is when that was, zero for never.
	At time.Time `json:"at,omitzero"`
	// InputReceived and OutputSent are messages, OutputErrors failed writes.
	InputReceived uint64 `json:"inputReceived"`
	OutputSent    uint64 `json:"outputSent"`
	OutputErrors  uint64 `json:"outputErrors"`
	// InputRate and OutputRate are messages per second within the activity
	// window before At.
	InputRate  float64 `json:"inputRate"`
	OutputRate float64 `json:"outputRate"`
	// Active: messages came in within the activity window before At.
	Active bool `json:"active"`
	// Began is when the counters of the process that runs were first read since it
	// was ready, and LastMessage when they last told of another message, zero for
	// not since then. Quiet is for how long there had been none when they were last
	// read. Began is zero while that cannot be told. Uncounted: input_received is
	// not among them, so that they tell nothing of it.
	Began       time.Time     `json:"began,omitzero"`
	LastMessage time.Time     `json:"lastMessage,omitzero"`
	Quiet       time.Duration `json:"quiet,omitempty"`
	Uncounted   bool          `json:"uncounted,omitempty"`
	// RecentErrors is how many writes failed within the error window before At.
	RecentErrors uint64 `json:"recentErrors"`
}

// Process is that of the service under the instance. One that runs another
// configuration than is asked for is about to be replaced, and does not work.
func (o *Observed) Process() (there, works bool) {
	if o.Service == nil {
		return false, false
	}
	there, works = o.Service.Observed.Process()
	return there, works && o.up()
}

// up reports whether a process of the desired configuration runs, and is not
// one that was told to end.
func (o *Observed) up() bool {
	s := &o.Service.Observed
	return s.Up() && s.Waits.IsZero() && !s.Stale() && !s.Told && (o.Current || o.Renoted) && !o.Unseen
}

// rested reports whether the service was stopped when it was seen last, and
// nothing of it was seen to run: an adopted service is in that state before it is
// told to stop.
func (o *Observed) rested() bool {
	return o.Service.Phase == fsm.PhaseStopped && o.Service.Observed.Down()
}

// stopped reports whether that was seen since it was asked: what it was asked
// before, or a restart by hand, may have started a process that nobody has seen.
func (o *Observed) stopped() bool { return o.rested() && !o.Unseen }

// unseen says that nothing is known of the service since it was asked.
func (o *Observed) unseen() fsm.Reason {
	return fsm.Because("its service has not been seen since it was asked").With(o.serviceErr())
}

// over reports whether the service came to its end, with what is asked of it now.
func (o *Observed) over() bool { return o.Service.Phase.Over() && !o.Unseen }

// healthy reports whether that process says that it is ready.
func (o *Observed) healthy() bool {
	return o.up() && o.Health.Ready && o.Health.PID == o.Service.Observed.Status.PID
}

// alive reports whether that process answers.
func (o *Observed) alive() bool {
	return o.up() && o.Health.Alive && o.Health.PID == o.Service.Observed.Status.PID
}

// doubt says what may be wrong with an instance that is ready, if anything.
func (o *Observed) doubt(expected time.Duration) fsm.Reason {
	unheard := o.unheard(expected)
	switch {
	case o.serviceErr() != "":
		return fsm.Because("passes over its service fail").With(o.serviceErr())
	case o.LogProblem != "":
		return fsm.Because("no messages come in, and its log reports a problem").With(o.LogProblem)
	case unheard != fsm.Reason{}:
		return unheard
	case o.Health.MetricsProblem != "":
		return fsm.Because("its metrics cannot be read").With(o.Health.MetricsProblem)
	}
	return fsm.Reason{}
}

// uncounted says why it cannot be told whether messages come in, "" where it can.
func (o *Observed) uncounted() string {
	if o.Traffic.Uncounted {
		return "the engine does not serve input_received"
	}
	return o.Health.MetricsProblem
}

// silent says that no message has come in for as long as one is expected.
func (o *Observed) silent(expected time.Duration) (r fsm.Reason, is bool) {
	t := &o.Traffic
	if expected == 0 || t.Began.IsZero() || t.Quiet < expected {
		return r, false
	}
	says := fmt.Sprintf("no message for %v, where one is expected each %s", t.Quiet.Truncate(time.Second), short(expected))
	if why := o.uncounted(); why != "" {
		return fsm.Because(says + ", and since then it cannot be told").With(why), true
	}
	return fsm.Because(says).With(o.LogProblem), true
}

// unheard says what is not known of the messages that are expected, if something
// is not.
func (o *Observed) unheard(expected time.Duration) (r fsm.Reason) {
	t := &o.Traffic
	switch {
	case expected == 0:
		return r
	case o.uncounted() != "":
		return fsm.Because("it cannot be told whether messages come in, where one is expected each " + short(expected)).With(o.uncounted())
	case !t.Began.IsZero() && t.LastMessage.IsZero():
		return fsm.Because("no message yet, where one is expected each " + short(expected)).
			With("counted since " + t.Began.Format(time.RFC3339))
	}
	return r
}

// short is a duration without units of which there are none.
func short(d time.Duration) string {
	text := d.String()
	for _, none := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, none) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// serviceErr is why the last pass over the service failed, "" if it did not.
func (o *Observed) serviceErr() string {
	if o.Service.Err == nil {
		return ""
	}
	return o.Service.Err.Error()
}

// evidence is the most telling evidence against an instance.
func (o *Observed) evidence() string {
	switch {
	case o.up() && !o.Health.Alive:
		return cmp.Or(o.Health.Problem, o.LogProblem, o.serviceErr())
	case o.up():
		return cmp.Or(o.LogProblem, o.serviceErr(), o.Health.Problem)
	}
	return cmp.Or(o.LogProblem, o.serviceErr(), o.Service.Reason.Evidence)
}

// serviceSays is what keeps the service from being what it is asked to be.
func (o *Observed) serviceSays() string {
	return cmp.Or(o.serviceErr(), o.Service.Reason.String())
}

// serviceTrouble says what is wrong with a service that does not run.
func (o *Observed) serviceTrouble() fsm.Reason {
	return fsm.Because(cmp.Or(o.Service.Reason.Summary, "its service is "+string(o.Service.State))).
		With(cmp.Or(o.LogProblem, o.serviceErr(), o.Service.Reason.Evidence, o.evidence()))
}

// Ended says that the process of an instance has ended by itself and without an
// error. An input that has come to its end would be read again at once, and
// again; the process is run again after a pause that grows.
type Ended struct {
	// Why says what ended it, as far as its log does.
	Why string `json:"why,omitempty"`
	// At is when the process ended, and Times how many did so in a row.
	At    time.Time `json:"at,omitzero"`
	Times int       `json:"times,omitempty"`
	// Again is when another one runs.
	Again time.Time `json:"again,omitzero"`
}

// waits reports whether the instance waits for the end of a pause.
func (e Ended) waits() bool { return e.Times > 0 }

// reason says why the instance waits, and until when.
func (e Ended) reason() fsm.Reason {
	times := ""
	if e.Times > 1 {
		times = fmt.Sprintf(", %d times in a row", e.Times)
	}
	return fsm.Because(e.Why).With(fmt.Sprintf("exited with 0 at %s%s; it runs again at %s",
		e.At.Format(time.RFC3339), times, e.Again.Format(time.RFC3339)))
}
