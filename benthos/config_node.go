package benthos

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// encode returns a document as text. That of a mapping is the texts of its entries,
// one after the other, so that parts of it can be encoded apart; a mapping without
// entries is none.
func encode(doc *yaml.Node) ([]byte, error) {
	if doc.Kind == yaml.MappingNode && len(doc.Content) == 0 {
		return nil, nil
	}
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

// parseNode parses a text. yaml.v3 panics on some texts, and the panic becomes
// an error like any other.
func parseNode(text []byte) (n *yaml.Node, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	n = new(yaml.Node)
	return n, yaml.Unmarshal(text, n)
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
