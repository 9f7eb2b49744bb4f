package repo

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

const minimalPath = "examples/minimal/main.go"

// minimal holds that the smallest program stays one that can be read at once.
func minimal(t *tree) []string {
	if n := lines(t.texts[minimalPath]); n >= 60 {
		return []string{fmt.Sprintf("%s: %d lines, 59 are allowed: what a first program needs belongs into the library", minimalPath, n)}
	}
	return nil
}

// makeTargets holds that the make targets that documents and messages name are
// in the Makefile.
func makeTargets(t *tree) (found []string) {
	targets := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllStringSubmatch(t.texts["Makefile"], -1) {
		targets[m[1]] = true
	}
	for _, name := range t.names() {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, target := range told(name, t.texts[name]) {
			if !targets[target] {
				found = append(found, fmt.Sprintf("%s: make %s is told, but the Makefile has no such target: name one that it has, or add it", name, target))
			}
		}
	}
	return found
}

// told returns the targets that a text names: in quotes, and in a document in
// the lines of fenced blocks.
func told(name, text string) (targets []string) {
	quoted := regexp.MustCompile("[`\"]make ([a-z -]+)")
	command := regexp.MustCompile(`(?m)^[ \t]*(?:\$ )?make ([a-z -]+)`)
	found := quoted.FindAllStringSubmatch(text, -1)
	if strings.HasSuffix(name, ".md") {
		for _, block := range regexp.MustCompile("(?ms)^```.*?^```").FindAllString(text, -1) {
			found = append(found, command.FindAllStringSubmatch(block, -1)...)
		}
	}
	for _, m := range found {
		targets = append(targets, strings.Fields(m[1])...)
	}
	return targets
}

// tables returns how to build the tables whose diagrams documents show.
func tables() map[string]func() (*fsm.Table, error) {
	return map[string]func() (*fsm.Table, error){"s6": s6.NewTable, "benthos": benthos.NewTable}
}

// generate returns what stands in the block after a marker, and its language.
func generate(fsys fs.FS, kind, name string) (language, text string, err error) {
	switch kind {
	case "diagram":
		newTable, ok := tables()[name]
		if !ok {
			return "", "", fmt.Errorf("there is no table %q, only %q", name, slices.Sorted(maps.Keys(tables())))
		}
		table, err := newTable()
		if err != nil {
			return "", "", err
		}
		return "mermaid", table.Mermaid(), nil
	case "file":
		source, err := fs.ReadFile(fsys, name)
		return strings.TrimPrefix(filepath.Ext(name), "."), string(source), err
	}
	return "", "", fmt.Errorf("there is nothing of the kind %q, only diagram and file", kind)
}

var (
	// marked is a marker with the block after it, which may be missing.
	marked = regexp.MustCompile("(?ms)^<!-- (\\w+): (\\S+) -->\n(?:\n*```\\w*\n.*?^```\n)?")
	// drawn is a diagram of a state machine.
	drawn = regexp.MustCompile("(?m)^```mermaid\nstateDiagram")
)

// regenerate returns a document with every marked block written again, and what
// it shows, each as "kind: name".
func regenerate(fsys fs.FS, document string) (fresh string, shown []string, err error) {
	diagrams := 0
	fresh = marked.ReplaceAllStringFunc(document, func(whole string) string {
		m := marked.FindStringSubmatch(whole)
		language, text, failed := generate(fsys, m[1], m[2])
		if failed != nil {
			err = fmt.Errorf("<!-- %s: %s -->: %w", m[1], m[2], failed)
			return whole
		}
		if m[1] == "diagram" {
			diagrams++
		}
		shown = append(shown, m[1]+": "+m[2])
		return fmt.Sprintf("<!-- %s: %s -->\n```%s\n%s\n```\n", m[1], m[2], language, strings.TrimSuffix(text, "\n"))
	})
	if n := len(drawn.FindAllString(fresh, -1)); err == nil && n > diagrams {
		err = fmt.Errorf("a diagram of a state machine was not generated: put \"<!-- diagram: NAME -->\" before it")
	}
	return fresh, shown, err
}

// TestDocumentsShowTheCode holds that diagrams and examples in the documents
// are those of the code, and that there are such.
func TestDocumentsShowTheCode(t *testing.T) {
	var all []string
	var inReadme []string
	documents, err := fs.Glob(os.DirFS(root), "docs/*.md")
	require.NoError(t, err)
	for _, name := range append(documents, "README.md", "ARCHITECTURE.md") {
		file := filepath.Join(root, name)
		text, err := os.ReadFile(file)
		if !assert.NoError(t, err, "write it") {
			continue
		}
		fresh, shown, err := regenerate(os.DirFS(root), string(text))
		if !assert.NoError(t, err, name) {
			continue
		}
		all = append(all, shown...)
		if name == "README.md" {
			inReadme = shown
		}
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(fresh), 0o644))
			continue
		}
		assert.True(t, fresh == string(text), "%s does not show what the code is: run go test ./internal/repo -update", name)
	}
	for name := range tables() {
		assert.Contains(t, all, "diagram: "+name, "a document is to show it")
	}
	assert.Contains(t, inReadme, "file: "+minimalPath, "README.md is to show it")
}

func TestRegenerate(t *testing.T) {
	table, err := s6.NewTable()
	require.NoError(t, err)
	fsys := os.DirFS("testdata")
	right := "# T\n<!-- diagram: s6 -->\n```mermaid\n" + table.Mermaid() + "```\n\nx\n\n<!-- file: a.go -->\n```go\npackage a\n```\ny\n"
	for name, document := range map[string]string{
		"right":         right,
		"stale":         strings.Replace(right, "running", "walking", 1),
		"no block":      "# T\n<!-- diagram: s6 -->\n\nx\n\n<!-- file: a.go -->\ny\n",
		"other spacing": strings.ReplaceAll(right, " -->\n```", " -->\n\n```"),
	} {
		t.Run(name, func(t *testing.T) {
			fresh, shown, err := regenerate(fsys, document)
			require.NoError(t, err)
			assert.Equal(t, []string{"diagram: s6", "file: a.go"}, shown)
			assert.Contains(t, fresh, table.Mermaid())
			assert.Contains(t, fresh, "```go\npackage a\n```")
			again, _, err := regenerate(fsys, fresh)
			require.NoError(t, err)
			assert.Equal(t, fresh, again)
			if name == "right" {
				assert.Equal(t, document, fresh)
			}
		})
	}
	for name, document := range map[string]string{
		"unknown table":    "<!-- diagram: s7 -->\n",
		"unknown kind":     "<!-- picture: s6 -->\n",
		"missing file":     "<!-- file: b.go -->\n",
		"diagram unmarked": right + "\n```mermaid\nstateDiagram-v2\n```\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := regenerate(fsys, document)
			assert.Error(t, err)
		})
	}
}
