package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// MaxSize is how large a file may be, in bytes.
const MaxSize = 8 << 20

// parse returns the one document of a file, nil for one that declares nothing.
func parse(name string, text []byte) (*yaml.Node, *Problem) {
	wrong := func(line, column int, format string, args ...any) (*yaml.Node, *Problem) {
		return nil, &Problem{At: Position{name, line, column}, What: fmt.Sprintf(format, args...)}
	}
	switch line, column := badByte(text); {
	case len(text) > MaxSize:
		return wrong(0, 0, "it has %d bytes, and no file may have more than %d: spread its entries over several files", len(text), MaxSize)
	case line > 0:
		return wrong(line, column, "this is no text: a file must be UTF-8 without control characters")
	}
	documents := yaml.NewDecoder(bytes.NewReader(text))
	doc, err := next(documents)
	switch {
	case errors.Is(err, io.EOF):
		return wrong(0, 0, "it is empty, as a file is that is being written: to declare nothing, write --- in it")
	case err != nil:
		line, why := whatYAMLSays(err)
		line = max(line, 1) // it names the first one not
		column := indentation(text, line)
		if m := unknownAnchor.FindStringSubmatch(why); m != nil {
			line, column = firstOf(text, "*"+m[1])
			why = "there is no anchor of this name" // which may be a password without quotes
		}
		return wrong(line, column, "this is not YAML: %s", why)
	}
	if second, err := next(documents); !errors.Is(err, io.EOF) {
		at := 0
		if err == nil {
			at = second.Line
		}
		return wrong(at, min(at, 1), "a second document begins: put everything into one, or into several files")
	}
	if alias := firstAlias(doc); alias != nil {
		// The decoder knows how much they may make of how little.
		var any any
		err := decode(doc, &any)
		_, why := whatYAMLSays(err)
		if strings.Contains(why, "contains itself") || strings.Contains(why, "excessive aliasing") {
			return wrong(alias.Line, alias.Column, "the aliases of this file cannot be followed: %s", why)
		}
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == nullTag {
		return nil, nil
	}
	return root, nil
}

// next returns the next document. yaml.v3 panics on some texts, and the panic
// becomes an error like any other.
func next(d *yaml.Decoder) (doc *yaml.Node, err error) {
	defer recovered(&err)
	doc = new(yaml.Node)
	return doc, d.Decode(doc)
}

// decode makes a value of a node.
func decode(n *yaml.Node, into any) (err error) {
	defer recovered(&err)
	return n.Decode(into)
}

func recovered(err *error) {
	if problem := recover(); problem != nil {
		*err = fmt.Errorf("%v", problem)
	}
}

var (
	yamlLine = regexp.MustCompile(`^line (\d+): `)
	// unknownAnchor is an error of yaml.v3 that has no line.
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// quotedByYAML is a value of the file in an error of yaml.v3: it may be a secret.
var quotedByYAML = regexp.MustCompile("(?s) `.*`")

// whatYAMLSays takes the line out of an error of yaml.v3, 0 for none.
func whatYAMLSays(err error) (line int, why string) {
	if err == nil {
		return 0, ""
	}
	why = strings.TrimPrefix(err.Error(), "yaml: ")
	if typed := new(yaml.TypeError); errors.As(err, &typed) {
		why = typed.Errors[0]
	}
	if m := yamlLine.FindStringSubmatch(why); m != nil {
		line, _ = strconv.Atoi(m[1])
		why = why[len(m[0]):]
	}
	return line, quotedByYAML.ReplaceAllString(why, "")
}

// indentation returns the column at which a line begins, 0 if there is none.
func indentation(text []byte, line int) int {
	for n, l := range bytes.Split(text, []byte("\n")) {
		if n+1 == line {
			return 1 + len(l) - len(bytes.TrimLeft(l, " \t"))
		}
	}
	return 0
}

// firstOf returns where a word is in a text first.
func firstOf(text []byte, word string) (line, column int) {
	before, _, _ := bytes.Cut(text, []byte(word))
	last := before[bytes.LastIndexByte(before, '\n')+1:]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(last)
}

// badByte returns where a text is none, zeros where it is one.
func badByte(text []byte) (line, column int) {
	line, column = 1, 1
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1, r == 0x7f, r < ' ' && r != '\t' && r != '\n' && r != '\r':
			return line, column
		case r == '\n':
			line, column = line+1, 0
		}
		column++
		text = text[size:]
	}
	return 0, 0
}

func firstAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n
	}
	for _, e := range n.Content {
		if alias := firstAlias(e); alias != nil {
			return alias
		}
	}
	return nil
}

const (
	nullTag  = "!!null"
	boolTag  = "!!bool"
	intTag   = "!!int"
	mergeTag = "!!merge"
)

// resolved follows an alias.
func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// described says what a node is, for a sentence that says what it should be.
func described(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == nullTag:
		return "nothing"
	}
	return strconv.Quote(cut(n.Value))
}

// cut shortens a text that is to be quoted.
func cut(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
