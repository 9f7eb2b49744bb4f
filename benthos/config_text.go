package benthos

import (
	"errors"

	"gopkg.in/yaml.v3"
)

// Style is how a text stands in YAML. An engine replaces ${NAME} before it
// parses the YAML, so that the style decides what it makes of the value: "4"
// in place of an unquoted ${N} is a number, and in quotes it is a text.
type Style uint8

// The styles. The zero Style is Unquoted.
const (
	Unquoted Style = iota
	SingleQuoted
	DoubleQuoted
	Literal // a block, in which nothing is escaped
	Folded  // a block whose single line feeds are spaces
)

// Text is a text of a configuration with the style in which it is written. Where
// a string will do it is not needed: a string is written so that it is read
// back, and one with ${NAME} in it as a text, whatever the engine replaces it
// by: in double quotes, or as a block where it has several lines. What is to be
// read as a number or a boolean is benthos.Text{Value: "${N}"}.
type Text struct {
	Value string
	Style Style
}

var errNotUnquoted = errors.New("cannot be written without quotes: give it another Style, or a string")

// substitutes reports whether an engine may replace something in a text: all
// know ${NAME}, with letters, digits, underscores and dots, and what follows
// NAME in the braces is of no interest here.
func substitutes(s string) bool {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '$' && s[i+1] == '{' && isVariableByte(s[i+2]) {
			return true
		}
	}
	return false
}

func isVariableByte(b byte) bool {
	return b == '_' || b == '.' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// unquoted returns the node of a text without quotes, nil if YAML has none that
// is read back.
func unquoted(s string) *yaml.Node {
	doc, err := parseNode([]byte(s))
	if err != nil || doc.Kind != yaml.DocumentNode || doc.Content[0].Kind != yaml.ScalarNode {
		return nil
	}
	read := doc.Content[0]
	n := scalarNode(read.Tag, s)
	if text, err := encode(n); err != nil || read.Value != s || read.Style != 0 || string(text) != s+"\n" {
		return nil
	}
	return n
}

// block returns the node of a text as a block of that style, nil if YAML has none
// that is read back.
func block(s string, style yaml.Style) *yaml.Node {
	n := scalarNode("!!str", s)
	n.Style = style
	text, err := encode(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{n}})
	if err != nil {
		return nil
	}
	doc, err := parseNode(text)
	if err != nil || doc.Kind != yaml.DocumentNode || len(doc.Content[0].Content) != 1 {
		return nil
	}
	if read := doc.Content[0].Content[0]; read.Value != s || read.Style != style {
		return nil
	}
	return n
}

// stringNode is the node of a string: a text, whatever an engine replaces in it.
func stringNode(s string) *yaml.Node {
	n := textNode(s)
	if n.Style == 0 && substitutes(s) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// node returns the text as YAML has it. Where the style cannot hold the text it
// is in double quotes, which hold every text.
func (t Text) node() *yaml.Node {
	n := scalarNode("!!str", t.Value)
	n.Style = yaml.DoubleQuotedStyle
	switch t.Style {
	case Unquoted:
		if plain := unquoted(t.Value); plain != nil {
			return plain
		}
	case SingleQuoted:
		n.Style = yaml.SingleQuotedStyle
	case Literal:
		if literal := block(t.Value, yaml.LiteralStyle); literal != nil {
			return literal
		}
	case Folded:
		if folded := block(t.Value, yaml.FoldedStyle); folded != nil {
			return folded
		}
	}
	return n
}

// styled returns a value for a text that was read from a node and in which
// something is to be replaced: a string, if that is written in the same style.
func styled(s string, read yaml.Style) any {
	t := Text{Value: s, Style: DoubleQuoted}
	switch {
	case read&yaml.SingleQuotedStyle != 0:
		t.Style = SingleQuoted
	case read&yaml.LiteralStyle != 0:
		t.Style = Literal
	case read&yaml.FoldedStyle != 0:
		t.Style = Folded
	case read&yaml.DoubleQuotedStyle == 0:
		if unquoted(s) == nil {
			return s
		}
		t.Style = Unquoted
	}
	if t.node().Style == stringNode(s).Style {
		return s
	}
	return t
}
