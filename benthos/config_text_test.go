package benthos

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

var variable = regexp.MustCompile(`\${[0-9A-Za-z_.]+(:((\${[^}]+})|[^}])*)?}`)

// engineReads does what engines do with a document: each ${PW} is replaced, with
// line feeds escaped, and the result is parsed.
func engineReads(t testing.TB, doc, pw string) (pipeline any, err error) {
	t.Helper()
	defer func() {
		if recover() != nil {
			err = assert.AnError // yaml.v3 panics on some texts
		}
	}()
	replaced := variable.ReplaceAllStringFunc(doc, func(string) string { return strings.ReplaceAll(pw, "\n", `\n`) })
	var read struct{ Pipeline any }
	err = yaml.Unmarshal([]byte(replaced), &read)
	return read.Pipeline, err
}

// user returns the YAML of a configuration that a user has written, with a text
// in several places.
func user(t testing.TB, text string, style yaml.Style) string {
	t.Helper()
	v := func() *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: style} }
	list := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{v(), {Kind: yaml.SequenceNode, Content: []*yaml.Node{v()}}}}
	pipeline := &yaml.Node{Kind: yaml.MappingNode}
	appendEntry(pipeline, "a", v())
	appendEntry(pipeline, "list", list)
	doc := &yaml.Node{Kind: yaml.MappingNode}
	appendEntry(doc, "metrics_port", scalarNode("!!int", "9080"))
	appendEntry(doc, "input", mapNode(map[string]any{"stdin": map[string]any{}}))
	appendEntry(doc, "output", mapNode(map[string]any{"drop": map[string]any{}}))
	appendEntry(doc, "pipeline", pipeline)
	source, err := encode(doc)
	require.NoError(t, err)
	return string(source)
}

// readBack reports whether yaml.v3 has written a text in such a way that it is
// read back.
func readBack(source, text string) bool {
	var written struct{ Pipeline struct{ A string } }
	return yaml.Unmarshal([]byte(source), &written) == nil && written.Pipeline.A == text
}

func readConfig(t testing.TB, source string) Config {
	t.Helper()
	var c Config
	require.NoError(t, yaml.Unmarshal([]byte(source), &c), source)
	return c
}

var styles = []yaml.Style{0, yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle, yaml.LiteralStyle, yaml.FoldedStyle}

// awkwardSecrets are what an environment may hold.
var awkwardSecrets = []string{
	"plain", "", "abc #def", "null", "*abc", "&a", "4", "4.50", "true", "~", "it's", `a"b`, `a\b`, "a: b", "- a", "{", "a\nb", " a ", "${PW}", "%",
}

// What a user has written reaches the engine in the style in which it stands:
// the value is the same as with the engine alone.
func TestSubstitutedTextIsThatOfTheEngineAlone(t *testing.T) {
	for _, style := range styles {
		for _, text := range []string{"${PW}", "${PW:default}", "user:${PW}@host", "a ${PW}", "# ${PW}", "a\n${PW}\n", "\t${PW}\n\n b"} {
			source := user(t, text, style)
			if !readBack(source, text) {
				continue
			}
			document := rendered(t, readConfig(t, source))
			for _, pw := range awkwardSecrets {
				want, wantErr := engineReads(t, source, pw)
				got, err := engineReads(t, document, pw)
				assert.Equal(t, wantErr != nil, err != nil, "%q in\n%s\nfrom\n%s", pw, document, source)
				assert.Equal(t, want, got, "%q in\n%s\nfrom\n%s", pw, document, source)
			}
		}
	}
}

// A Go value has no style: a string is a text whatever is put in, and a Text
// may be a number.
func TestSubstitutedTextOfGoValues(t *testing.T) {
	c := Config{Input: map[string]any{"stdin": map[string]any{}}, Output: map[string]any{"drop": map[string]any{}}}
	for _, pw := range []string{"abc #def", "null", "*abc", "4", "it's", "- a", "a\nb"} {
		c.Pipeline = map[string]any{"message": "${PW}", "of": []string{"<${PW}>"}}
		got, err := engineReads(t, rendered(t, c), pw)
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"message": pw, "of": []any{"<" + pw + ">"}}, got)
	}
	c.Pipeline = map[string]any{"threads": Text{Value: "${PW}"}, "single": Text{"${PW}", SingleQuoted}, "block": Text{"${PW}", Literal}, "double": Text{"${PW}", DoubleQuoted}}
	got, err := engineReads(t, rendered(t, c), "4")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"threads": 4, "single": "4", "block": "4", "double": "4"}, got)

	for _, text := range []string{"a: ${PW}", "${PW} #c", "- ${PW}", " ${PW}", "${PW}\n", "", "'${PW}'", "*a", "!t a", "[${PW}]", "---"} {
		c.Pipeline = map[string]any{"threads": Text{Value: text}}
		assert.ErrorContains(t, c.Validate(), "pipeline.threads cannot be written without quotes", text)
	}
	c.Pipeline = map[string]any{"bad": Text{Value: "\xff", Style: DoubleQuoted}}
	assert.ErrorContains(t, c.Validate(), "pipeline.bad is not valid UTF-8")
}

func TestTextIsATextToAllElse(t *testing.T) {
	c := Config{
		Input:  map[string]any{"http_server": map[string]any{"address": Text{"127.0.0.1:8080", SingleQuoted}}},
		Output: map[string]any{"a": map[string]any{"address": Text{Value: "http://u:secret@h/${X}"}, "password": Text{Value: "${PW}"}, "token": Text{Value: "hush"}}},
	}
	assert.Equal(t, []Listen{{Host: "127.0.0.1", Port: 8080, Path: "input.http_server.address"}}, Ports(c))
	assert.NotContains(t, c.String(), "secret")
	assert.NotContains(t, c.String(), "hush")
	data, err := json.Marshal(c)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"password":"${PW}"`)
}

// A configuration that is read, written and read again is the same, and a
// decoder's settings hold.
func TestConfigYAML(t *testing.T) {
	const source = `
base: &base
  input:
    generate:
      count: "${N}"
      interval: ${I}
  pw: &pw '${PW}'
config:
  <<: *base
  metrics_port: 9080
  log_level: "${LEVEL}"
  pipeline:
    threads: ${N}
    processors:
      - log: {message: *pw}
      - log:
          message: >-
            ${PW}
      - log: {message: "${PW}", fields: {"${K}": 1}}
  output: {drop: {}}
`
	var read struct{ Config Config }
	require.NoError(t, yaml.Unmarshal([]byte(source), &read))
	c := read.Config
	assert.Equal(t, map[string]any{"generate": map[string]any{"count": "${N}", "interval": Text{Value: "${I}"}}}, c.Input)
	assert.Equal(t, map[string]any{"threads": Text{Value: "${N}"}, "processors": []any{
		map[string]any{"log": map[string]any{"message": Text{"${PW}", SingleQuoted}}},
		map[string]any{"log": map[string]any{"message": Text{"${PW}", Folded}}},
		map[string]any{"log": map[string]any{"message": "${PW}", "fields": map[string]any{"${K}": 1}}},
	}}, c.Pipeline)
	assert.Equal(t, "${LEVEL}", c.LogLevel)

	text, err := yaml.Marshal(c)
	require.NoError(t, err)
	assert.Equal(t, c, readConfig(t, string(text)))
	c.Input = map[string]any{"x": make(chan int)}
	_, err = yaml.Marshal(c)
	assert.ErrorContains(t, err, "input.x is a Go chan int")

	strict := yaml.NewDecoder(strings.NewReader("inptu: {}\noutput: {drop: {}}\n"))
	strict.KnownFields(true)
	assert.ErrorContains(t, strict.Decode(new(Config)), "inptu")
	for _, odd := range []string{"", "null", "[]", "text", "input: 5", "input: {a: &a [*a]}", "? [a]\n: b"} {
		assert.NotPanics(t, func() { _ = yaml.Unmarshal([]byte(odd), new(Config)) }, odd)
	}
}

// The engine's own metrics section is read where its settings are ours.
func TestConfigYAMLOfMetrics(t *testing.T) {
	for text, want := range map[string]Config{
		"metrics: none":                                            {Metrics: "none"},
		"metrics: {mapping: root = this}":                          {MetricsMapping: "root = this"},
		"metrics: {none: {}, mapping: root = this}":                {Metrics: "none", MetricsMapping: "root = this"},
		"metrics: {prometheus: {}}":                                {Metrics: "prometheus"},
		"metrics: {prometheus: }":                                  {Metrics: "prometheus"},
		"metrics_mapping: root = this":                             {MetricsMapping: "root = this"},
		"metrics: {mapping: own}\n<<: {metrics: {mapping: other}}": {MetricsMapping: "own"},
		"<<: {metrics: {mapping: other}}\nmetrics: none":           {Metrics: "none"},
		"tracer: {t: &m {mapping: root = this}}\nmetrics: *m":      {MetricsMapping: "root = this", Tracer: map[string]any{"t": map[string]any{"mapping": "root = this"}}},
		"<<: {metrics: {mapping: root = this}}\nlog_level: DEBUG":  {MetricsMapping: "root = this", LogLevel: "DEBUG"},
	} {
		assert.Equal(t, want, readConfig(t, text), text)
	}
	for text, want := range map[string]string{
		"metrics: {statsd: {}}":                                "metrics.statsd cannot be given",
		"metrics: {prometheus: {file: x}}":                     "metrics.prometheus cannot be given",
		"metrics: {prometheus: {}, none: {}}":                  "metrics.none cannot be given",
		"metrics: {mapping: [a]}":                              "metrics.mapping cannot be given",
		"tracer: {t: &o {file: x}}\nmetrics: {prometheus: *o}": "metrics.prometheus cannot be given",
		"metrics: [a]":                                         "cannot unmarshal",
		"<<: {metrics: {statsd: {}}}\ninput: {}":               "metrics.statsd cannot be given",
	} {
		assert.ErrorContains(t, yaml.Unmarshal([]byte(text), new(Config)), want, text)
	}
}

// Decoding leaves the nodes that it was given as they were.
func TestConfigYAMLChangesNoNode(t *testing.T) {
	var doc yaml.Node
	source := user(t, "${PW}", yaml.SingleQuotedStyle)
	require.NoError(t, yaml.Unmarshal([]byte(source), &doc))
	for range 2 {
		var c Config
		require.NoError(t, doc.Decode(&c))
		assert.Equal(t, Text{"${PW}", SingleQuoted}, c.Pipeline["a"])
	}
	text, err := yaml.Marshal(&doc)
	require.NoError(t, err)
	assert.NotContains(t, string(text), mark)
}

// What an earlier version has written down, which wrote every text as if nothing
// were replaced in it, is still the same document, so that its process goes on.
func TestSubstitutedTextThatWasWrittenEarlier(t *testing.T) {
	note, err := os.ReadFile("testdata/substituted.note")
	require.NoError(t, err)
	document, err := os.ReadFile("testdata/substituted.document")
	require.NoError(t, err)
	c, err := readNote(string(note))
	require.NoError(t, err)
	assert.Equal(t, string(document), rendered(t, c))
	assert.Equal(t, string(note), noteOf(t, c))
}

func FuzzSubstitutedText(f *testing.F) {
	for i, pw := range awkwardSecrets {
		f.Add("a ", "\nb", pw, uint8(i))
	}
	f.Fuzz(func(t *testing.T, before, after, pw string, style uint8) {
		text := before + "${PW}" + after
		if value, err := stringValue(text); err != nil || value.s != text || strings.Contains(before+after, "${") {
			return
		}
		source := user(t, text, styles[int(style)%len(styles)])
		if !readBack(source, text) {
			return
		}
		document := rendered(t, readConfig(t, source))
		want, wantErr := engineReads(t, source, pw)
		got, err := engineReads(t, document, pw)
		require.Equal(t, wantErr != nil, err != nil, "%v, %v: %q in\n%s\nfrom\n%s", wantErr, err, pw, document, source)
		if err == nil {
			require.Equal(t, want, got, "%q in\n%s\nfrom\n%s", pw, document, source)
		}
	})
}
