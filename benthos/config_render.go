package benthos

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// render is Render for a configuration that was checked.
func (c Config) render() ([]byte, error) {
	if c.MetricsPort == 0 {
		return nil, &ConfigError{Problems: []FieldProblem{{
			Field:   "metrics_port",
			Problem: "is 0; allocate a port before rendering",
		}}}
	}
	doc := &yaml.Node{Kind: yaml.MappingNode}
	appendEntry(doc, "http", mapNode(map[string]any{"enabled": true, "address": c.listenAddr()}))
	appendEntry(doc, "logger", mapNode(map[string]any{
		"level":         c.level(),
		"format":        "logfmt",
		"add_timestamp": false,
		"static_fields": map[string]any{"@service": "benthos"},
	}))
	appendEntry(doc, "metrics", mapNode(map[string]any{c.metrics(): map[string]any{}}))
	appendEntry(doc, "shutdown_timeout", textNode(c.shutdownTimeout().String()))
	c.appendSections(doc)
	return encode(doc)
}

// note returns a text that readNote reads as a Config of the same document,
// whatever Go types its values have and whatever is in its texts. The
// configuration has been checked.
func (c Config) note() (string, error) {
	settings := c
	settings.Input, settings.Output = nil, nil
	settings.Pipeline, settings.Buffer = nil, nil
	settings.CacheResources, settings.RateLimitResources = nil, nil
	all, doc := new(yaml.Node), &yaml.Node{Kind: yaml.MappingNode}
	if err := all.Encode(settings); err != nil {
		return "", fmt.Errorf("cannot write down the configuration: %w", err)
	}
	for entry := range slices.Chunk(all.Content, 2) {
		if name := entry[0].Value; name != "input" && name != "output" {
			doc.Content = append(doc.Content, entry...)
		}
	}
	c.appendSections(doc)
	if c.Note != "" {
		appendEntry(doc, "note", textNode(c.Note))
	}
	b, err := encode(doc)
	return string(b), err
}

// readNote reads what note wrote. Somebody else may have written the text:
// yaml.v3 panics on some texts, and the panic becomes an error like any other.
func readNote(text string) (c Config, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("cannot read the configuration that was written down: %v", problem)
		}
	}()
	var read struct {
		Config `yaml:",inline"`
		Note   string `yaml:"note"`
	}
	if err := yaml.Unmarshal([]byte(text), &read); err != nil {
		return Config{}, fmt.Errorf("cannot read the configuration that was written down: %w", err)
	}
	read.Config.Note = read.Note
	return read.Config, nil
}

// appendSections adds the sections and resources that there are.
func (c Config) appendSections(doc *yaml.Node) {
	for _, s := range c.sections() {
		if len(s.value) > 0 {
			appendEntry(doc, s.name, mapNode(s.value))
		}
	}
	for _, r := range c.resources() {
		if len(r.values) > 0 {
			list := &yaml.Node{Kind: yaml.SequenceNode}
			for _, m := range r.values {
				list.Content = append(list.Content, mapNode(m))
			}
			appendEntry(doc, r.name, list)
		}
	}
}

func encode(doc *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("cannot render the Benthos configuration: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("cannot render the Benthos configuration: %w", err)
	}
	return b.Bytes(), nil
}

func appendEntry(m *yaml.Node, key string, v *yaml.Node) {
	m.Content = append(m.Content, textNode(key), v)
}

func mapNode(m map[string]any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	if len(m) == 0 {
		n.Style = yaml.FlowStyle
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		appendEntry(n, k, valueNode(m[k]))
	}
	return n
}

// valueNode is for values that Validate has accepted.
func valueNode(v any) *yaml.Node {
	n, _ := classify(v)
	switch n.shape {
	case shapeBool:
		return scalarNode("!!bool", strconv.FormatBool(n.b))
	case shapeInt:
		return scalarNode("!!int", strconv.FormatInt(n.i, 10))
	case shapeUint:
		return scalarNode("!!int", strconv.FormatUint(n.u, 10))
	case shapeFloat:
		return scalarNode("!!float", strconv.FormatFloat(n.f, 'g', -1, 64))
	case shapeString:
		return textNode(n.s)
	case shapeTime:
		return scalarNode("!!timestamp", timeText(n.t))
	case shapeMap:
		return mapNode(n.m)
	case shapeList:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		if len(n.list) == 0 {
			list.Style = yaml.FlowStyle
		}
		for _, e := range n.list {
			list.Content = append(list.Content, valueNode(e))
		}
		return list
	default:
		return scalarNode("!!null", "null")
	}
}

func scalarNode(tag, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
}

func textNode(s string) *yaml.Node {
	n := scalarNode("!!str", s)
	switch {
	case strings.Contains(s, "\n"):
		n.Style = yaml.DoubleQuotedStyle
		if isBlock(s) {
			n.Style = yaml.LiteralStyle
		}
	case !isPlain(s):
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// isBlock reports whether s keeps every character as a literal block.
func isBlock(s string) bool {
	if s[0] == ' ' || s[0] == '\n' || strings.HasSuffix(s, "\n\n") || strings.Contains(s, " \n") || strings.HasSuffix(s, " ") {
		return false
	}
	for _, r := range s {
		if r != '\n' && !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// isPlain reports whether s can be given to the encoder without a style: every
// reader of YAML takes it for text when it is not quoted, or the encoder quotes
// it by itself. The encoder does not know the words and numbers that only YAML
// 1.1 reads as something else, nor the characters at which it breaks lines
// itself.
func isPlain(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "=", "<<":
		return false
	}
	if s != "" && strings.Trim(s, "+-0123456789:._") == "" {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
