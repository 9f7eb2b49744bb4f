package config

import (
	"time"

	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm/order"
	"github.com/evenkeel/evenkeel/s6"
)

// file is a file as a whole. The lists are read entry by entry.
type file struct {
	Internal internal       `yaml:"internal"`
	Services []serviceEntry `yaml:"services"`
	Benthos  []streamEntry  `yaml:"benthos"`
	DataFlow []flowEntry    `yaml:"dataFlow"`
}

// internal is the section that UMH Core keeps its own services in.
type internal struct {
	Services []serviceEntry `yaml:"services"`
	Benthos  []streamEntry  `yaml:"benthos"`
}

// notRun are sections of UMH Core's files for components that this package does
// not know. What is in them is not looked at.
var notRun = []string{
	"agent", "templates", "protocolConverter", "streamProcessor", "payloadShapes",
	"dataModels", "dataContracts", "historian",
}

// notRunInside are those below internal.
var notRunInside = []string{
	"nmap", "connection", "redpanda", "topicbrowser", "benthosMonitor", "redpandaMonitor",
}

// serviceEntry is an entry of a list of services.
type serviceEntry struct {
	Name            string        `yaml:"name" jsonschema:"required" jsonschema_description:"of the instance and of its s6 service"`
	DesiredState    string        `yaml:"desiredState" jsonschema:"enum=running,enum=stopped,default=running"`
	S6ServiceConfig serviceConfig `yaml:"s6ServiceConfig" jsonschema:"required"`

	User          string        `yaml:"user" jsonschema_description:"to run as, where evenkeel runs as root"`
	Dir           string        `yaml:"dir" jsonschema_description:"working directory; the service directory if there is none"`
	Limits        s6.Limits     `yaml:"limits" jsonschema_description:"of the process"`
	Ready         ready         `yaml:"ready" jsonschema_description:"how it is known that the process does its work; one of these"`
	Check         s6.Check      `yaml:"check" jsonschema_description:"how it is found out whether the process still does its work: one of http, tcp and exec, each 10s if not said otherwise"`
	StartTimeout  time.Duration `yaml:"startTimeout" jsonschema_description:"how long starting may take before the service is degraded; 30s if not said"`
	StopSignal    string        `yaml:"stopSignal" jsonschema_description:"by which the process is stopped; TERM if not said"`
	StopTimeout   time.Duration `yaml:"stopTimeout" jsonschema_description:"how long after the stop signal the process is killed; 10s if not said"`
	policy        `yaml:",inline"`
	Finish        []string      `yaml:"finish" jsonschema_description:"command that is run after each end of the process"`
	FinishTimeout time.Duration `yaml:"finishTimeout" jsonschema_description:"how long the finish command may take; 5s if not said"`
	Log           s6.Log        `yaml:"log" jsonschema_description:"how what the process prints is kept"`
}

// policy are the keys of an s6.Policy.
type policy struct {
	Restart     string       `yaml:"restart" jsonschema:"enum=always,enum=on-failure,enum=never,default=always" jsonschema_description:"what follows on the end of the process that nobody asked to end"`
	Backoff     s6.Backoff   `yaml:"backoff" jsonschema_description:"how long no process runs in between: a pause that doubles with each end in a row"`
	GiveUpAfter int          `yaml:"giveUpAfter" jsonschema_description:"how many ends in a row are the last one; it is tried for ever if not said"`
	DependsOn   []dependency `yaml:"dependsOn" jsonschema_description:"entries that it starts after and stops before: each a name, or {name: NAME, is: ready, running or done}"`
	Essential   bool         `yaml:"essential" jsonschema_description:"whether everything is stopped, and the program ends, when it has failed for good"`
}

func (p policy) policy() s6.Policy {
	return s6.Policy{Restart: s6.Restart(p.Restart), Backoff: p.Backoff, GiveUpAfter: p.GiveUpAfter}
}

// expects is what is expected of a stream.
type expects struct {
	ExpectTraffic time.Duration `yaml:"expectTraffic" jsonschema_description:"how long after its last message the stream is degraded, from 1s to 24h; it may get none if not said"`
}

// ready are the ways of s6.Readiness that a file can ask for.
type ready struct {
	Stays time.Duration `yaml:"stays"`
	FD    int           `yaml:"fd"`
	Check []string      `yaml:"check"`
}

// serviceConfig is UMH Core's s6ServiceConfig.
type serviceConfig struct {
	Command     []string          `yaml:"command" jsonschema:"required" jsonschema_description:"program and arguments"`
	Env         map[string]value  `yaml:"env" jsonschema_description:"environment variables: each a text, {file: PATH} or {env: NAME}"`
	ConfigFiles map[string]string `yaml:"configFiles" jsonschema_description:"files that are written to config/ in the service directory: name to content"`
	MemoryLimit int64             `yaml:"memoryLimit" jsonschema_description:"in bytes; 0 means none"`
	LogFilesize int64             `yaml:"logFilesize" jsonschema_description:"in bytes; 0 means the default of 1 MiB"`
}

// streamEntry is an entry of a list of Benthos streams.
type streamEntry struct {
	Name         string `yaml:"name" jsonschema:"required" jsonschema_description:"its s6 service is benthos-NAME"`
	DesiredState string `yaml:"desiredState" jsonschema:"enum=active,enum=stopped,default=active"`
	expects      `yaml:",inline"`
	policy       `yaml:",inline"`
	Config       benthos.Config `yaml:"benthosServiceConfig" jsonschema:"required"`
}

// flowEntry is an entry of the list of data flows.
type flowEntry struct {
	Name         string `yaml:"name" jsonschema:"required" jsonschema_description:"its s6 service is benthos-dataflow-NAME"`
	DesiredState string `yaml:"desiredState" jsonschema:"enum=active,enum=stopped,default=active"`
	DebugLevel   bool   `yaml:"debug_level"`
	expects      `yaml:",inline"`
	policy       `yaml:",inline"`
	Config       flowConfig `yaml:"dataFlowComponentConfig" jsonschema:"required"`
}

// flowConfig is UMH Core's dataFlowComponentConfig.
type flowConfig struct {
	Benthos benthos.Config `yaml:"benthos" jsonschema:"required"`
}

// dependency is one as a file has it: a name, or a name and what it has to be.
type dependency struct {
	Name string   `yaml:"name" jsonschema:"required"`
	Is   order.Is `yaml:"is" jsonschema:"enum=ready,enum=running,enum=done"`
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *dependency) UnmarshalYAML(n *yaml.Node) error {
	*d = dependency{}
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&d.Name)
	}
	type plain dependency
	return n.Decode((*plain)(d))
}

// value is a text, or where it is: {file: PATH} or {env: NAME}.
type value struct {
	text string
	file string
	env  string
	at   *yaml.Node
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *value) UnmarshalYAML(n *yaml.Node) error {
	*v = value{at: n}
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&v.text)
	}
	var from struct {
		File string `yaml:"file"`
		Env  string `yaml:"env"`
	}
	if err := n.Decode(&from); err != nil {
		return err
	}
	v.file, v.env = from.File, from.Env
	return nil
}
