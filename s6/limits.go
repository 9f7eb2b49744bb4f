package s6

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Limit is one of the limits on how many services an s6-svscan serves.
type Limit struct {
	// Most is the limit. A service takes PerService of it, and its logger
	// PerLogger on top of that.
	Most, PerService, PerLogger int
	// Name says what limit it is, and Remedy how it is raised.
	Name, Remedy string
}

// mostServices is how many services the s6-svscan of a private tree takes.
const mostServices = 10000

// What s6-svscan takes without an option: services up to 2.11, and from 2.12 on
// supervisors, with those of loggers.
const (
	defaultServices    = 500
	defaultSupervisors = 1000
)

// scanOptions is what a version of s6-svscan knows. Up to 2.14 it has -c for a
// number of services, from 2.12 on -C for a number of supervisors.
type scanOptions struct {
	services, supervisors bool
}

var (
	servicesOption    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`-c\b`) })
	supervisorsOption = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`-C\b`) })
)

// optionsIn reads what an s6-svscan says about how it is used.
func optionsIn(usage []byte) scanOptions {
	return scanOptions{services: servicesOption().Match(usage), supervisors: supervisorsOption().Match(usage)}
}

// raised returns the arguments by which s6-svscan takes many services.
func (o scanOptions) raised() []string {
	switch {
	case o.supervisors:
		return []string{"-C", strconv.Itoa(2 * mostServices)}
	case o.services:
		return []string{"-c", strconv.Itoa(mostServices)}
	}
	return nil
}

// servicesLimit reads the limit that an s6-svscan was started with.
func servicesLimit(args []string, options scanOptions) Limit {
	services := func(n int, how string) Limit {
		return Limit{Most: n, PerService: 1, Name: fmt.Sprintf("%d services (%s)", n, how)}
	}
	supervisors := func(n int, how string) Limit {
		return Limit{Most: n, PerService: 1, PerLogger: 1, Name: fmt.Sprintf("%d services and loggers (%s)", n, how)}
	}
	limit := services(defaultServices, "without the option -c")
	if options.supervisors {
		limit = supervisors(defaultSupervisors, "without the option -C")
	}
	for at := 1; at < len(args) && strings.HasPrefix(args[at], "-") && args[at] != "--"; at++ {
		letters := args[at][1:]
		flag := strings.IndexAny(letters, "cCtdX") // each takes a value
		if flag < 0 {
			continue
		}
		value := letters[flag+1:]
		if value == "" && at+1 < len(args) {
			at++
			value = args[at]
		}
		n, err := strconv.Atoi(value)
		switch {
		case err != nil:
		case letters[flag] == 'c':
			limit = services(n, "-c")
		case letters[flag] == 'C':
			limit = supervisors(n, "-C")
		}
	}
	return limit
}
