package config

import (
	"encoding/json"
	"fmt"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// stored is an entry as Encode writes it. A stream is a text of YAML, in which a
// text in which the engine is to replace something keeps its style.
type stored struct {
	Kind    Kind          `json:"kind"`
	Name    string        `json:"name"`
	State   fsm.State     `json:"state"`
	At      Position      `json:"at"`
	Service *s6.Spec      `json:"service,omitempty"`
	Stream  string        `json:"stream,omitempty"`
	Policy  s6.Policy     `json:"policy,omitzero"` // of the stream, as is the next
	Expect  time.Duration `json:"expectTraffic,omitempty"`

	Essential bool         `json:"essential,omitempty"`
	DependsOn []Dependency `json:"dependsOn,omitempty"`
}

// Encode writes down the entries of a declaration as Decode reads them: as JSON,
// with all values in it that are elsewhere in the files, secrets included.
func (d *Declaration) Encode() ([]byte, error) {
	all := make([]stored, 0, len(d.Entries))
	for _, key := range sortedKeys(d.Entries) {
		e := d.Entries[key]
		s := stored{Kind: key.Kind, Name: key.Name, State: e.State, At: e.At, Service: e.Service, Essential: e.Essential, DependsOn: e.DependsOn}
		if e.Stream != nil {
			text, err := yaml.Marshal(*e.Stream)
			if err != nil {
				return nil, fmt.Errorf("cannot write down %s: %w", key, err)
			}
			s.Stream, s.Policy, s.Expect = string(text), e.Stream.Policy, e.Stream.ExpectTraffic
		}
		all = append(all, s)
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("cannot write down what is declared: %w", err)
	}
	return text, nil
}

// Decode returns the declaration that Encode wrote. It does not look at what is
// asked for, which may not be valid any more; whatever else the text is, it is an
// error.
func Decode(text []byte) (*Declaration, error) {
	var all []stored
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("cannot read what was declared: %w", err)
	}
	if all == nil {
		return nil, fmt.Errorf("cannot read what was declared: it is null")
	}
	d := &Declaration{Entries: make(map[Key]Entry, len(all))}
	for _, s := range all {
		e, err := s.entry()
		if err != nil {
			return nil, fmt.Errorf("cannot read what was declared of %q: %w", s.Name, err)
		}
		d.Entries[Key{s.Kind, s.Name}] = e
	}
	return d, nil
}

func (s stored) entry() (e Entry, err error) {
	e = Entry{At: s.At, State: s.State, Service: s.Service, Essential: s.Essential, DependsOn: s.DependsOn}
	if s.Stream != "" {
		e.Stream = new(benthos.Config)
		if err := unmarshal([]byte(s.Stream), e.Stream); err != nil {
			return e, err
		}
		e.Stream.Policy, e.Stream.ExpectTraffic = s.Policy, s.Expect
	}
	service, stream := s.Kind == KindService, s.Kind == KindStream
	if service == stream || service != (e.Service != nil) || stream != (e.Stream != nil) {
		return e, fmt.Errorf("it is neither a service nor a stream")
	}
	return e, s6.CheckName(s.Name)
}

func unmarshal(text []byte, into any) (err error) {
	defer recovered(&err)
	return yaml.Unmarshal(text, into)
}
