package benthos

import (
	"cmp"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/s6"
)

// Defaults of the fields of a Config that may be left empty.
const (
	// DefaultHost is the address the HTTP endpoint listens on.
	DefaultHost = "127.0.0.1"
	// DefaultShutdownTimeout is how long an engine may take to finish what it
	// has accepted.
	DefaultShutdownTimeout = 5 * time.Second
	// DefaultLogLevel is the level an engine logs at. Engines write the lines
	// about their start and stop at this level, so these lines are missing
	// above it.
	DefaultLogLevel = "INFO"
)

// Values of Config.Metrics.
const (
	// MetricsPrometheus serves Prometheus text on /metrics.
	MetricsPrometheus = "prometheus"
	// MetricsNone serves nothing on /metrics. An engine that is built without
	// the Prometheus exporter needs it, and refuses the other value.
	MetricsNone = "none"
)

// Config is one Benthos stream: UMH Core's benthosServiceConfig, with its YAML
// keys, and the settings of the HTTP endpoint.
//
// The sections hold what yaml.v3 or encoding/json decode into any: maps, lists,
// strings, numbers, booleans and null. Strings with ${NAME} in them, which the
// engine replaces before it parses YAML, are texts, whatever comes in its place;
// a Text is for all else. A Config that is read from YAML has the one or the
// other, as the user has quoted it. A Config is a value; copies of it share its
// maps, see Clone.
type Config struct {
	// Input and Output are required.
	Input    map[string]any `json:"input" yaml:"input"`
	Pipeline map[string]any `json:"pipeline,omitempty" yaml:"pipeline,omitempty"`
	Buffer   map[string]any `json:"buffer,omitempty" yaml:"buffer,omitempty"`
	Output   map[string]any `json:"output" yaml:"output"`

	CacheResources     []map[string]any `json:"cache_resources,omitempty" yaml:"cache_resources,omitempty"`
	RateLimitResources []map[string]any `json:"rate_limit_resources,omitempty" yaml:"rate_limit_resources,omitempty"`
	InputResources     []map[string]any `json:"input_resources,omitempty" yaml:"input_resources,omitempty"`
	ProcessorResources []map[string]any `json:"processor_resources,omitempty" yaml:"processor_resources,omitempty"`
	OutputResources    []map[string]any `json:"output_resources,omitempty" yaml:"output_resources,omitempty"`

	Tracer map[string]any `json:"tracer,omitempty" yaml:"tracer,omitempty"`
	// HTTP has more settings of the HTTP endpoint: cors, debug_endpoints and
	// read_timeout. Logger has static_fields of the engine's own log, and may have
	// level in place of LogLevel. Every other key of the two is refused: the
	// endpoint is asked by this package, and the log is read by it.
	HTTP   map[string]any `json:"http,omitempty" yaml:"http,omitempty"`
	Logger map[string]any `json:"logger,omitempty" yaml:"logger,omitempty"`

	// MetricsPort is the TCP port of the HTTP endpoint with /ping, /ready,
	// /version and /metrics. Zero is no port: a caller that does not care which
	// one it is can allocate one, with a ports.Allocator for instance.
	MetricsPort uint16 `json:"metrics_port,omitempty" yaml:"metrics_port,omitempty"`

	// LogLevel is one of OFF, NONE, FATAL, ERROR, WARN, INFO, DEBUG, TRACE and
	// ALL, in any case. Empty means DefaultLogLevel.
	LogLevel string `json:"log_level,omitempty" yaml:"log_level,omitempty"`
	// DebugLevel sets the level to DEBUG, whatever LogLevel says.
	DebugLevel bool `json:"debug_level,omitempty" yaml:"debug_level,omitempty"`

	// Host is the address the HTTP endpoint listens on: a host name or an IP
	// address without a port. Empty means DefaultHost, so that nothing listens
	// beyond loopback unless asked.
	Host string `json:"host,omitempty" yaml:"host,omitempty"`

	// Metrics is MetricsPrometheus or MetricsNone. Empty means the former.
	Metrics string `json:"metrics,omitempty" yaml:"metrics,omitempty"`
	// MetricsMapping is a Bloblang mapping by which the engine renames metrics or
	// drops them. Of what it drops nothing is known: a stream without input_received
	// and output_sent is never seen to be active.
	MetricsMapping string `json:"metrics_mapping,omitempty" yaml:"metrics_mapping,omitempty"`

	// ShutdownTimeout is how long the engine may take to finish what it has
	// accepted, once it is told to stop. Zero means DefaultShutdownTimeout.
	// Engines end within it; whoever kills one should leave it a second more.
	ShutdownTimeout time.Duration `json:"shutdown_timeout,omitempty" yaml:"shutdown_timeout,omitempty"`

	// Policy says what follows on the end of the engine, as it says of a service: an
	// engine ends well once its input has come to its end. The zero Policy runs
	// another one, after a pause that grows if that ended well.
	Policy s6.Policy `json:"policy,omitzero" yaml:"-"`

	// ExpectTraffic is how long after its last message a stream is degraded that
	// should get some, from a second to a day; zero means that it may get none. It
	// recovers with the next message. The time begins when a process is ready and
	// its counters are read, for another process and for another run of the program
	// anew. Where input_received is not served or cannot be read, nothing is
	// claimed. A change restarts nothing.
	ExpectTraffic time.Duration `json:"expect_traffic,omitempty" yaml:"-"`

	// Note is kept with the instance, so that a later run of the program finds
	// it, and means nothing to this package: it is UTF-8, the engine never sees
	// it, and a change of it restarts nothing. A kind that is built on streams
	// keeps of its own spec here what is not in the Config.
	Note string `json:"note,omitempty" yaml:"-"`
}

// EndpointAddr returns the host:port at which the HTTP endpoint of the
// configuration can be reached from this machine: the loopback address if it
// listens on every address.
func (c Config) EndpointAddr() string {
	host := c.host()
	switch host {
	case "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return net.JoinHostPort(host, strconv.Itoa(int(c.MetricsPort)))
}

func (c Config) listenAddr() string {
	return net.JoinHostPort(c.host(), strconv.Itoa(int(c.MetricsPort)))
}

func (c Config) host() string {
	if c.Host == "" {
		return DefaultHost
	}
	return strings.TrimSuffix(strings.TrimPrefix(c.Host, "["), "]")
}

func (c Config) level() string {
	if c.DebugLevel {
		return "DEBUG"
	}
	inLogger, _ := textOf(c.Logger["level"])
	return strings.ToUpper(cmp.Or(c.LogLevel, inLogger, DefaultLogLevel))
}

func (c Config) metrics() string {
	if c.Metrics == "" {
		return MetricsPrometheus
	}
	return c.Metrics
}

func (c Config) shutdownTimeout() time.Duration {
	if c.ShutdownTimeout == 0 {
		return DefaultShutdownTimeout
	}
	return c.ShutdownTimeout
}

// StopGrace is what an engine gets beyond its own shutdown time-out before it
// is killed.
const StopGrace = 2 * time.Second

// StopTime is how long after it was told to stop an engine is killed.
func (c Config) StopTime() time.Duration { return c.shutdownTimeout() + StopGrace }

// section is a named part of the configuration whose shape is the engine's.
type section struct {
	name string
	at   *map[string]any
}

// resources is a named list of parts of that kind.
type resources struct {
	name string
	at   *[]map[string]any
}

// sections returns the sections that the engine gets as they are.
func (c *Config) sections() []section {
	return []section{
		{"input", &c.Input},
		{"buffer", &c.Buffer},
		{"pipeline", &c.Pipeline},
		{"output", &c.Output},
		{"tracer", &c.Tracer},
	}
}

// additions returns the sections that are added to what this package sets.
func (c *Config) additions() []section {
	return []section{
		{"http", &c.HTTP},
		{"logger", &c.Logger},
	}
}

func (c *Config) resources() []resources {
	return []resources{
		{"cache_resources", &c.CacheResources},
		{"rate_limit_resources", &c.RateLimitResources},
		{"input_resources", &c.InputResources},
		{"processor_resources", &c.ProcessorResources},
		{"output_resources", &c.OutputResources},
	}
}

// parts returns the names of all sections and resources.
func parts() []string {
	var c Config
	var names []string
	for _, s := range append(c.sections(), c.additions()...) {
		names = append(names, s.name)
	}
	for _, r := range c.resources() {
		names = append(names, r.name)
	}
	return names
}
