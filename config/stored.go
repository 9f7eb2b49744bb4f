package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// stored is an entry as Encode writes it.
type stored struct {
	Kind    Kind            `yaml:"kind"`
	Name    string          `yaml:"name"`
	State   fsm.State       `yaml:"state"`
	File    string          `yaml:"file"`
	Line    int             `yaml:"line"`
	Column  int             `yaml:"column"`
	Service *s6.Spec        `yaml:"service,omitempty"`
	Stream  *benthos.Config `yaml:"stream,omitempty"`
}

// Encode writes down the entries of a declaration as Decode reads them: as YAML,
// with all values in it that are elsewhere in the files, secrets included.
func (d *Declaration) Encode() ([]byte, error) {
	all := make([]stored, 0, len(d.Entries))
	byName := func(a, b Key) int { return strings.Compare(a.Name, b.Name) }
	for _, key := range slices.SortedFunc(maps.Keys(d.Entries), byName) {
		e := d.Entries[key]
		all = append(all, stored{key.Kind, key.Name, e.State, e.At.File, e.At.Line, e.At.Column, e.Service, e.Stream})
	}
	text, err := yaml.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("cannot write down what is declared: %w", err)
	}
	return text, nil
}

// Decode returns the declaration that Encode wrote. Whatever else the text is, it
// is an error.
func Decode(text []byte) (d *Declaration, err error) {
	var all []stored
	var doc yaml.Node
	err = unmarshal(text, &doc)
	if err == nil && doc.Kind != 0 {
		err = decode(&doc, &all)
	}
	if err == nil && doc.Kind == 0 {
		err = fmt.Errorf("it is empty")
	}
	d = &Declaration{Entries: make(map[Key]Entry, len(all))}
	for _, s := range all {
		key := Key{s.Kind, s.Name}
		if err == nil {
			err = s.check()
		}
		d.Entries[key] = Entry{At: Position{s.File, s.Line, s.Column}, State: s.State, Service: s.Service, Stream: s.Stream}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read what was declared: %w", err)
	}
	return d, nil
}

// check returns an error unless the entry can be one of a Declaration.
func (s stored) check() error {
	if err := s6.CheckName(s.Name); err != nil {
		return err
	}
	switch {
	case s.Kind == KindService && s.Service != nil && s.Stream == nil:
		return s.Service.Validate()
	case s.Kind == KindStream && s.Stream != nil && s.Service == nil:
		return s.Stream.Validate()
	}
	return fmt.Errorf("%s is neither a service nor a stream", s.Name)
}

func unmarshal(text []byte, n *yaml.Node) (err error) {
	defer recovered(&err)
	return yaml.Unmarshal(text, n)
}
