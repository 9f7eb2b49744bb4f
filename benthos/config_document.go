package benthos

import (
	"crypto/sha256"
	"maps"
	"sync"

	"github.com/evenkeel/evenkeel/s6"
)

// digest is the SHA-256 of a document: configurations with the same digest are
// the same to an engine.
type digest [sha256.Size]byte

// document is a configuration in the form in which an engine gets it, with what
// follows from that. It is not modified.
type document struct {
	config  *Config
	text    []byte // YAML
	part    []byte // of it, Config.sectionsText
	hash    digest
	listens []Listen // those of Ports
	service *s6.Spec // that runs it
}

// newDocument renders a configuration. Its errors are those of Config.Render.
func newDocument(c *Config) (*document, error) {
	listens, err := c.check()
	if err != nil {
		return nil, err
	}
	sections, err := c.sectionsText()
	if err != nil {
		return nil, err
	}
	text, err := c.render(sections)
	if err != nil {
		return nil, err
	}
	return &document{config: c, text: text, part: sections, hash: sha256.Sum256(text), listens: listens}, nil
}

// endpoint is the first address that an engine listens on.
func (d *document) endpoint() []Listen { return d.listens[:1] }

// Render returns the configuration as the one YAML document that an engine is
// started with. Configurations that mean the same give the same bytes: the
// order of keys, the Go types of whole numbers, defaults that are spelled out
// or left out, and sections that are absent or empty make no difference.
//
// Besides the sections the document sets http, logger (logfmt without time
// stamps, which the supervisor's logger adds), metrics and shutdown_timeout.
// Keys below these are sorted. Text is written so that readers of YAML 1.1 and
// 1.2 agree on it. ${NAME} is left for the engine, which replaces it from its
// environment before it parses the document: see Text.
//
// The error is the *ConfigError of Validate, or one that says that MetricsPort
// is still zero.
func (c Config) Render() ([]byte, error) {
	d, err := newDocument(&c)
	if err != nil {
		return nil, err
	}
	return d.text, nil
}

// documents keeps the documents of the configurations in use, so that each is
// rendered once. A configuration is recognised by its pointer: it is not
// modified once it was handed over.
type documents struct {
	// service returns the service that runs a document.
	service func(*document) (*s6.Spec, error)

	mu   sync.Mutex // guards made
	made map[*Config]*document
}

// of returns the document of a configuration. Its errors are those of
// Config.Render and of service; they are not remembered.
func (s *documents) of(c *Config) (*document, error) {
	s.mu.Lock()
	d, known := s.made[c]
	s.mu.Unlock()
	if known {
		return d, nil
	}
	d, err := newDocument(c)
	if err != nil {
		return nil, err
	}
	if d.service, err = s.service(d); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil {
		s.made = make(map[*Config]*document)
	}
	s.made[c] = d
	return d, nil
}

// keep forgets the documents of all other configurations.
func (s *documents) keep(used map[*Config]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.made, func(c *Config, _ *document) bool { return !used[c] })
}
