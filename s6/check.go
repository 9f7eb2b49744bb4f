package s6

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/fsm"
)

// Check says how it is found out whether a process that runs still does its work.
// The program that manages the service makes the checks: none are made while it
// does not run. One of HTTP, TCP and Exec is given. The zero Check is none.
//
// A process that has failed Failures checks in a row is degraded until it passes
// one. Until it has passed its first one, its service is starting, and as long as
// it is younger than Spec.StartTimeout, failures do not count. A check that cannot
// be made, such as a command that is not there, makes the service degraded in the
// same way, and restarts nothing.
type Check struct {
	// HTTP is a URL that is got, of the scheme http. The process passes if it
	// answers with a status from 200 to 399; a redirect is not followed.
	HTTP string `json:"http,omitempty" yaml:"http,omitempty"`
	// TCP is a host:port that has to take a connection.
	TCP string `json:"tcp,omitempty" yaml:"tcp,omitempty"`
	// Exec is a command that exits with 0 if the process passes. It is started by
	// the program, in the program's environment, with Env, Dir and User of the
	// service. What it has started, and is in its process group, ends with it. If
	// the program is killed, only the command itself ends, and not one of another
	// user.
	Exec []string `json:"exec,omitempty" yaml:"exec,omitempty"`
	// Every is the time from one check to the next; zero means 10 s. A process
	// that has not passed yet is checked each second if that is sooner.
	Every time.Duration `json:"every,omitempty" yaml:"every,omitempty"`
	// Timeout is how long a check may take; zero means a second, or Every if that
	// is less.
	Timeout time.Duration `json:"timeout,omitempty" yaml:"timeout,omitempty"`
	// Failures is how many failures in a row make the service degraded; zero means
	// 3.
	Failures int `json:"failures,omitempty" yaml:"failures,omitempty"`
	// Restart: another process takes the place of one that is degraded for its
	// check, which is ended as a stop would end it. The next such restart is no
	// sooner than half a minute later, the one after it a minute later, and so on
	// up to five minutes. A restart is the first in a row again when a check was
	// passed five minutes after the last one. That count is kept on disk.
	Restart bool `json:"restart,omitempty" yaml:"restart,omitempty"`
}

// IsZero reports whether no check is asked for.
func (c Check) IsZero() bool {
	return c.HTTP == "" && c.TCP == "" && len(c.Exec) == 0 && c.Every == 0 && c.Timeout == 0 && c.Failures == 0 && !c.Restart
}

func (c Check) every() time.Duration   { return cmp.Or(c.Every, defaultCheckEvery) }
func (c Check) timeout() time.Duration { return cmp.Or(c.Timeout, min(defaultCheckTimeout, c.every())) }
func (c Check) failures() int          { return cmp.Or(c.Failures, defaultCheckFailures) }

// what says what a check does, without secrets.
func (c Check) what() string {
	switch {
	case c.HTTP != "":
		return "GET " + fsm.MaskText(c.HTTP)
	case c.TCP != "":
		return "connect to " + c.TCP
	}
	return "run " + strings.Join(fsm.MaskArgs(c.Exec), " ")
}

// validate returns everything that is wrong with the check of a service with a
// policy.
func (c Check) validate(p Policy) (errs []error) {
	if c.IsZero() {
		return nil
	}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	given := 0
	for _, is := range []bool{c.HTTP != "", c.TCP != "", len(c.Exec) > 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		bad("check: one of http, tcp and exec must be given")
	}
	if why := badURL(c.HTTP); why != "" {
		bad("check.http: %s", why)
	}
	if c.TCP != "" && !isAddress(c.TCP) {
		bad("check.tcp: %q must be host:port", c.TCP)
	}
	if len(c.Exec) > 0 && c.Exec[0] == "" {
		bad("check.exec: it must name a program")
	}
	if slices.ContainsFunc(c.Exec, func(v string) bool { return strings.ContainsRune(v, 0) || !utf8.ValidString(v) }) {
		bad("check.exec: it must be UTF-8 without NUL")
	}
	if d := c.Every; d != 0 && (d < shortestCheckEvery || d > longestTimeout) {
		bad("check.every: %v must be from %v to 24h", d, shortestCheckEvery)
	}
	if d := c.Timeout; d != 0 && (d < shortestTimeout || d > longestTimeout) {
		bad("check.timeout: %v must be from 1ms to 24h", d)
	} else if d > c.every() {
		bad("check.timeout: %v must not be more than check.every, %v", d, c.every())
	}
	if c.Failures < 0 {
		bad("check.failures: %d must not be negative", c.Failures)
	}
	if c.Restart && p.Restart == RestartNever {
		bad("check.restart: it has no meaning with restart: never")
	}
	return errs
}

// badURL says why a URL cannot be got, "" for no reason and for no URL. It does
// not repeat what may be a password.
func badURL(text string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "it is not a URL"
	case u.Scheme == "https":
		return "https is not spoken: give http, or a client such as curl to exec"
	case u.Scheme != "http" || u.Opaque != "" || u.Hostname() == "":
		return fmt.Sprintf("%q must be a URL such as http://127.0.0.1:8080/health", fsm.MaskText(text))
	case u.User != nil:
		return "it must be without a user and a password: give a client such as curl to exec"
	case u.Port() != "" && !isPort(u.Port()):
		return fmt.Sprintf("%q is not a port", u.Port())
	}
	return ""
}

// isAddress reports whether a text is host:port.
func isAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	return err == nil && host != "" && isPort(port) && !strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f })
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}
