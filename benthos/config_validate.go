package benthos

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Validate checks what can be known without an engine: input and output are
// there, values have types that YAML has, and addresses to listen on have a
// port and collide neither with each other nor with the HTTP endpoint. It
// returns nil or a *ConfigError. A MetricsPort of zero is accepted.
func (c Config) Validate() error {
	_, err := c.check()
	return err
}

// check does what Validate does, and returns the addresses that the
// configuration listens on.
func (c Config) check() ([]Listen, error) {
	var listens []Listen
	var p problems
	if len(c.Input) == 0 {
		p.add("input", "is missing")
	}
	if len(c.Output) == 0 {
		p.add("output", "is missing")
	}
	c.validateValues(&p)
	c.validateSettings(&p)
	if len(p) == 0 {
		listens = c.validateListens(&p)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return listens, nil
}

// checkValues returns a *ConfigError unless YAML has all values.
func (c Config) checkValues() error {
	var p problems
	c.validateValues(&p)
	return p.err()
}

func (c Config) validateValues(p *problems) {
	for _, s := range append(c.sections(), c.additions()...) {
		p.walk(s.name, *s.at, 0)
	}
	for _, r := range c.resources() {
		for i, m := range *r.at {
			p.walk(r.name+"."+strconv.Itoa(i), m, 0)
		}
	}
}

// What Config.ExpectTraffic may be.
const (
	shortestExpected = time.Second
	longestExpected  = 24 * time.Hour
)

func (c Config) validateSettings(p *problems) {
	if c.LogLevel != "" && !isLevel(c.LogLevel) {
		p.add("log_level", fmt.Sprintf("is %q, not one of %s", c.LogLevel, strings.Join(levels, ", ")))
	}
	if m := c.metrics(); m != MetricsPrometheus && m != MetricsNone {
		p.add("metrics", fmt.Sprintf("is %q, neither %s nor %s", m, MetricsPrometheus, MetricsNone))
	}
	c.validateAdditions(p)
	if wrong, is := c.Policy.Validate().(interface{ Unwrap() []error }); is {
		for _, err := range wrong.Unwrap() {
			field, problem, _ := strings.Cut(err.Error(), ": ")
			p.add("policy."+field, problem)
		}
	}
	if d := c.ExpectTraffic; d != 0 && (d < shortestExpected || d > longestExpected) {
		p.add("expectTraffic", fmt.Sprintf("is %v, and must be from 1s to 24h", d))
	} else if d != 0 && c.metrics() == MetricsNone {
		p.add("expectTraffic", "cannot be told without metrics: take metrics: none away, or this")
	}
	if !utf8.ValidString(c.MetricsMapping) {
		p.add("metrics_mapping", errNotUTF8.Error())
	}
	if c.ShutdownTimeout < 0 {
		p.add("shutdown_timeout", fmt.Sprintf("is %s, less than nothing", c.ShutdownTimeout))
	}
	if !utf8.ValidString(c.Note) {
		p.add("note", "is not UTF-8")
	}
	if err := checkHost(c.host()); err != nil {
		p.add("host", err.Error())
	}
}

// validateAdditions refuses what would keep this package from asking the
// endpoint, or from reading the log.
func (c Config) validateAdditions(p *problems) {
	for _, key := range sortedKeys(c.HTTP) {
		switch key {
		case "cors", "debug_endpoints", "read_timeout":
		case "address":
			p.add("http.address", "cannot be given: it is made of host and metrics_port")
		default:
			p.add("http."+key, "cannot be given: only cors, debug_endpoints and read_timeout can")
		}
	}
	for _, key := range sortedKeys(c.Logger) {
		switch level, isText := textOf(c.Logger[key]); {
		case key == "static_fields":
			if n, err := classify(c.Logger[key]); err == nil && n.shape != shapeMap && n.shape != shapeNull {
				p.add("logger.static_fields", "is no mapping")
			}
		case key != "level":
			p.add("logger."+key, "cannot be given: only level and static_fields can, for the log is read")
		case c.LogLevel != "":
			p.add("logger.level", "and log_level are one setting: give one of them")
		case !isText || !isLevel(level):
			p.add("logger.level", fmt.Sprintf("is %v, not one of %s", c.Logger[key], strings.Join(levels, ", ")))
		}
	}
}

// levels are those of the engines' logs.
var levels = []string{"OFF", "NONE", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"}

func isLevel(s string) bool { return slices.Contains(levels, strings.ToUpper(s)) }

func (c Config) validateListens(p *problems) []Listen {
	found, bad := c.listens()
	*p = append(*p, bad...)
	for i, a := range found {
		for _, b := range found[:i] {
			if a.Overlaps(b) {
				p.add(a.Path, fmt.Sprintf("is %s, which %s listens on already (%s)", a.Addr(), b.Path, b.Addr()))
				break
			}
		}
	}
	return found
}

var errBadHost = errors.New("is neither a host name nor an IP address; it takes no port")

// checkHost accepts an IP address or a host name by RFC 1123, underscores
// included as name services do.
func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	if host == "" || len(host) > 253 {
		return errBadHost
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return errBadHost
		}
		for i := range len(label) {
			if !isHostByte(label[i]) {
				return errBadHost
			}
		}
	}
	return nil
}

func isHostByte(b byte) bool {
	return b == '-' || b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func (p *problems) walk(path string, v any, depth int) {
	n, err := classify(v)
	if err == nil && depth > maxDepth {
		err = errTooDeep
	}
	if err == nil && n.style != nil && *n.style == Unquoted && unquoted(n.s) == nil {
		err = errNotUnquoted
	}
	if err != nil {
		p.add(path, err.Error())
		return
	}
	switch n.shape {
	case shapeMap:
		for _, k := range sortedKeys(n.m) {
			if _, err := stringValue(k); err != nil {
				p.add(path, fmt.Sprintf("has the key %q, which %s", k, err))
				continue
			}
			p.walk(path+"."+k, n.m[k], depth+1)
		}
	case shapeList:
		for i, e := range n.list {
			p.walk(path+"."+strconv.Itoa(i), e, depth+1)
		}
	}
}
