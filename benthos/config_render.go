package benthos

import (
	"maps"
	"strconv"

	"gopkg.in/yaml.v3"
)

// render is Render for a configuration that was checked, and its sectionsText.
func (c Config) render(sections []byte) ([]byte, error) {
	if c.MetricsPort == 0 {
		return nil, &ConfigError{Problems: []FieldProblem{{
			Field:   "metrics_port",
			Problem: "is 0; allocate a port before rendering",
		}}}
	}
	doc := &yaml.Node{Kind: yaml.MappingNode}
	appendEntry(doc, "http", mapNode(added(c.HTTP, map[string]any{"enabled": true, "address": c.listenAddr()})))
	fields, _ := classify(c.Logger["static_fields"])
	appendEntry(doc, "logger", mapNode(map[string]any{
		"level":         c.level(),
		"format":        "logfmt",
		"add_timestamp": false,
		"static_fields": added(fields.m, map[string]any{"@service": "benthos"}),
	}))
	metrics := map[string]any{c.metrics(): map[string]any{}}
	if c.MetricsMapping != "" {
		metrics["mapping"] = c.MetricsMapping
	}
	appendEntry(doc, "metrics", mapNode(metrics))
	appendEntry(doc, "shutdown_timeout", textNode(c.shutdownTimeout().String()))
	head, err := encode(doc)
	return append(head, sections...), err
}

// sectionsText returns the text of the sections and resources that there are.
// Most of a configuration is in them.
func (c Config) sectionsText() ([]byte, error) {
	doc := &yaml.Node{Kind: yaml.MappingNode}
	c.appendSections(doc)
	return encode(doc)
}

// added returns what is given with what this package sets.
func added(given, set map[string]any) map[string]any {
	all := maps.Clone(given)
	if all == nil {
		return set
	}
	maps.Copy(all, set)
	return all
}

// appendSections adds the sections and resources that there are.
func (c Config) appendSections(doc *yaml.Node) {
	for _, s := range c.sections() {
		if len(*s.at) > 0 {
			appendEntry(doc, s.name, mapNode(*s.at))
		}
	}
	for _, r := range c.resources() {
		if len(*r.at) > 0 {
			list := &yaml.Node{Kind: yaml.SequenceNode}
			for _, m := range *r.at {
				list.Content = append(list.Content, mapNode(m))
			}
			appendEntry(doc, r.name, list)
		}
	}
}

func appendEntry(m *yaml.Node, key string, v *yaml.Node) {
	m.Content = append(m.Content, textNode(key), v)
}

func mapNode(m map[string]any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	if len(m) == 0 {
		n.Style = yaml.FlowStyle
	}
	for _, k := range sortedKeys(m) {
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
		if n.style != nil {
			return Text{n.s, *n.style}.node()
		}
		return stringNode(n.s)
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
