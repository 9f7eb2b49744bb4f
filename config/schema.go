package config

import (
	"time"

	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
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
	Name            string        `yaml:"name"`
	DesiredState    string        `yaml:"desiredState"`
	S6ServiceConfig serviceConfig `yaml:"s6ServiceConfig"`

	User          string        `yaml:"user"`
	Dir           string        `yaml:"dir"`
	Limits        s6.Limits     `yaml:"limits"`
	Ready         ready         `yaml:"ready"`
	StartTimeout  time.Duration `yaml:"startTimeout"`
	StopSignal    string        `yaml:"stopSignal"`
	StopTimeout   time.Duration `yaml:"stopTimeout"`
	Finish        []string      `yaml:"finish"`
	FinishTimeout time.Duration `yaml:"finishTimeout"`
	Log           s6.Log        `yaml:"log"`
}

// ready are the ways of s6.Readiness that a file can ask for.
type ready struct {
	Stays time.Duration `yaml:"stays"`
	FD    int           `yaml:"fd"`
	Check []string      `yaml:"check"`
}

// serviceConfig is UMH Core's s6ServiceConfig.
type serviceConfig struct {
	Command     []string          `yaml:"command"`
	Env         map[string]value  `yaml:"env"`
	ConfigFiles map[string]string `yaml:"configFiles"`
	// MemoryLimit in bytes; zero means none.
	MemoryLimit int64 `yaml:"memoryLimit"`
	// LogFilesize in bytes; zero means the default.
	LogFilesize int64 `yaml:"logFilesize"`
}

// streamEntry is an entry of a list of Benthos streams.
type streamEntry struct {
	Name         string         `yaml:"name"`
	DesiredState string         `yaml:"desiredState"`
	Config       benthos.Config `yaml:"benthosServiceConfig"`
}

// flowEntry is an entry of the list of data flows.
type flowEntry struct {
	Name         string     `yaml:"name"`
	DesiredState string     `yaml:"desiredState"`
	DebugLevel   bool       `yaml:"debug_level"`
	Config       flowConfig `yaml:"dataFlowComponentConfig"`
}

// flowConfig is UMH Core's dataFlowComponentConfig.
type flowConfig struct {
	Benthos benthos.Config `yaml:"benthos"`
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
