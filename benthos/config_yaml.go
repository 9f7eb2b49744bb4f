package benthos

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// MarshalYAML returns the configuration as UnmarshalYAML reads it. It implements
// yaml.Marshaler.
func (c Config) MarshalYAML() (any, error) {
	if err := c.checkValues(); err != nil {
		return nil, err
	}
	return c.yaml(), nil
}

// yaml returns the configuration but for its ExpectTraffic and Note. Its values
// have been checked.
func (c Config) yaml() *yaml.Node {
	doc := &yaml.Node{Kind: yaml.MappingNode}
	c.appendSettings(doc)
	c.appendSections(doc)
	c.appendAdditions(doc)
	return doc
}

// appendSettings adds the settings of this package's that there are.
func (c Config) appendSettings(doc *yaml.Node) {
	add := func(name, text string) {
		if text == "" {
			return
		}
		n := new(yaml.Node)
		if n.Encode(text) != nil { // the encoder's own styles, in which notes have always been
			n = textNode(text)
		}
		appendEntry(doc, name, n)
	}
	if c.MetricsPort != 0 {
		appendEntry(doc, "metrics_port", scalarNode("!!int", strconv.Itoa(int(c.MetricsPort))))
	}
	add("log_level", c.LogLevel)
	if c.DebugLevel {
		appendEntry(doc, "debug_level", scalarNode("!!bool", "true"))
	}
	add("host", c.Host)
	add("metrics", c.Metrics)
	if c.MetricsMapping != "" {
		appendEntry(doc, "metrics_mapping", textNode(c.MetricsMapping)) // the encoder's own blocks lose what a text begins with
	}
	if c.ShutdownTimeout != 0 {
		add("shutdown_timeout", c.ShutdownTimeout.String())
	}
}

// appendAdditions adds what is given of the sections that this package sets.
func (c Config) appendAdditions(doc *yaml.Node) {
	for _, s := range c.additions() {
		if len(*s.at) > 0 {
			appendEntry(doc, s.name, mapNode(*s.at))
		}
	}
}

// note returns a text that readNote reads as a Config of the same document,
// whatever Go types its values have and whatever is in its texts. The
// configuration has been checked, and the sections are its sectionsText.
func (c Config) note(sections []byte) (string, error) {
	before, after := &yaml.Node{Kind: yaml.MappingNode}, &yaml.Node{Kind: yaml.MappingNode}
	c.appendSettings(before)
	c.appendAdditions(after)
	if c.ExpectTraffic != 0 {
		appendEntry(after, "expect_traffic", textNode(c.ExpectTraffic.String()))
	}
	if c.Note != "" {
		appendEntry(after, "note", textNode(c.Note))
	}
	settings, err := encode(before)
	if err != nil {
		return "", err
	}
	additions, err := encode(after)
	return string(settings) + string(sections) + string(additions), err
}

// readNote reads what note wrote. Somebody else may have written the text:
// yaml.v3 panics on some texts, and the panic becomes an error like any other.
func readNote(text string) (c Config, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("cannot read the configuration that was written down: %v", problem)
		}
	}()
	var beside struct {
		ExpectTraffic time.Duration `yaml:"expect_traffic"`
		Note          string        `yaml:"note"`
	}
	err = yaml.Unmarshal([]byte(text), &c)
	if err == nil {
		err = yaml.Unmarshal([]byte(text), &beside)
	}
	if err != nil {
		return Config{}, fmt.Errorf("cannot read the configuration that was written down: %w", err)
	}
	c.ExpectTraffic, c.Note = beside.ExpectTraffic, beside.Note
	return c, nil
}

// UnmarshalYAML reads a configuration. The engine's own metrics section is taken
// for Metrics and MetricsMapping, if it has no more than mapping and an exporter
// without settings. Texts in which an engine will replace
// ${NAME} keep the style in which they stand: they become strings, or a Text
// where a string would be written in another style. It implements the interface
// of yaml.v3 by which a decoder keeps its settings.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	m := marker{parts: parts(), seen: make(map[*yaml.Node]bool)}
	if err := unmarshal(&m); err != nil {
		return err
	}
	defer m.undo()
	type plain Config
	read := plain(*c)
	if err := unmarshal(&read); err != nil {
		return err
	}
	*c = Config(read).converted(unmarked)
	if exporter, mapping, both := strings.Cut(c.Metrics, mark); both {
		c.Metrics, c.MetricsMapping = exporter, cmp.Or(mapping, c.MetricsMapping)
	}
	return nil
}

// mark stands before a text while it is decoded, and a byte with its style
// between the two. It is not UTF-8, as all text in YAML is.
const mark = "\xff\xfe"

// marker marks the texts of a configuration in which something is to be
// replaced, so that their styles survive being decoded.
type marker struct {
	parts  []string // of a configuration, in which texts are marked
	seen   map[*yaml.Node]bool
	marked []*yaml.Node
	before []yaml.Node // what these were
}

// UnmarshalYAML marks the texts of a configuration. It implements
// yaml.Unmarshaler, which is given the nodes that are decoded.
func (m *marker) UnmarshalYAML(config *yaml.Node) error {
	return m.sections(config)
}

func (m *marker) undo() {
	for i, n := range m.marked {
		*n = m.before[i]
	}
}

// sections marks the texts of the sections of a mapping, those that it takes
// over from another one included.
func (m *marker) sections(n *yaml.Node) error {
	if n == nil || m.seen[n] {
		return nil
	}
	m.seen[n] = true
	switch n.Kind {
	case yaml.AliasNode:
		return m.sections(n.Alias)
	case yaml.SequenceNode:
		for _, e := range n.Content {
			if err := m.sections(e); err != nil {
				return err
			}
		}
	case yaml.MappingNode:
		for entry := range slices.Chunk(n.Content, 2) {
			var err error
			switch name := entry[0].Value; {
			case slices.Contains(m.parts, name):
				m.texts(entry[1])
			case name == "metrics":
				err = m.metrics(entry[1])
			case name == "<<":
				err = m.sections(entry[1])
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// metrics puts the name of the exporter in the place of the engine's own section,
// and the mapping after a mark.
func (m *marker) metrics(n *yaml.Node) error {
	of := aliased(n)
	if of.Kind != yaml.MappingNode {
		return nil
	}
	exporter, mapping := "", ""
	for entry := range slices.Chunk(of.Content, 2) {
		switch name, v := entry[0].Value, aliased(entry[1]); {
		case name == "mapping" && v.Kind == yaml.ScalarNode:
			mapping = v.Value
		case (name == MetricsPrometheus || name == MetricsNone) && exporter == "" && v.Kind != yaml.SequenceNode && len(v.Content) == 0:
			exporter = name
		default:
			return fmt.Errorf("metrics.%s cannot be given: only mapping can, and one of %s: {} and %s: {}", name, MetricsPrometheus, MetricsNone)
		}
	}
	m.marked, m.before = append(m.marked, n), append(m.before, *n)
	*n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: exporter + mark + mapping}
	return nil
}

func aliased(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// texts marks a text, or all texts below a node that are no keys.
func (m *marker) texts(n *yaml.Node) {
	if n == nil || m.seen[n] {
		return
	}
	m.seen[n] = true
	switch n.Kind {
	case yaml.AliasNode:
		m.texts(n.Alias)
	case yaml.SequenceNode:
		for _, e := range n.Content {
			m.texts(e)
		}
	case yaml.MappingNode:
		for entry := range slices.Chunk(n.Content, 2) {
			m.texts(entry[1])
		}
	case yaml.ScalarNode:
		if n.ShortTag() == "!!str" && substitutes(n.Value) {
			m.marked, m.before = append(m.marked, n), append(m.before, *n)
			n.Value = mark + string(rune(n.Style)) + n.Value
		}
	}
}

// unmarked returns a marked text with its style, and any other value as it is.
func unmarked(_ place, v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	s, ok = strings.CutPrefix(s, mark)
	if !ok {
		return v
	}
	return styled(s[1:], yaml.Style(s[0]))
}
