// Draw lays out the state machines of the kinds that the page draws, and writes
// where their states and rows are. "go generate ./api/page" runs it.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evenkeel/evenkeel/api/page/internal/machine"
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: draw TOOLS DIRECTORY")
		os.Exit(2)
	}
	for kind, newTable := range map[string]func() (*fsm.Table, error){s6.KindName: s6.NewTable, benthos.KindName: benthos.NewTable} {
		if err := draw(os.Args[1], filepath.Join(os.Args[2], kind+".json"), newTable); err != nil {
			fmt.Fprintf(os.Stderr, "draw: %s: %v\n", kind, err)
			os.Exit(1)
		}
	}
}

// draw lays out a table with the tool in a directory, and writes the file.
func draw(tools, file string, newTable func() (*fsm.Table, error)) error {
	table, err := newTable()
	if err != nil {
		return err
	}
	layout := exec.Command("go", "-C", tools, "run", "./layout")
	layout.Stdin, layout.Stderr = strings.NewReader(graph(table)), os.Stderr
	plain, err := layout.Output()
	if err != nil {
		return fmt.Errorf("cannot lay the table out: %w", err)
	}
	drawn, err := machine.Read(table, string(plain))
	if err != nil {
		return err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(drawn); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o644)
}

// attributes are those of all states and rows. The arrows are small, for there are many.
const attributes = `	graph [nodesep=0.22, ranksep=0.4]; node [fontname=Helvetica, fontsize=12, margin="0.15,0.04"]; edge [arrowsize=0.7];
`

var labels = regexp.MustCompile(` \[label="(?:[^"\\]|\\.)*"\];\n`)

// graph is the table in the language of Graphviz: rows without their events, and
// states with room for a line below their names.
func graph(table *fsm.Table) string {
	text := labels.ReplaceAllString(table.DOT(), ";\n")
	for _, s := range table.States() {
		label := strings.Join(append(machine.Lines(s.Name), " "), "\n")
		text = strings.Replace(text, fmt.Sprintf("\t%q [", s.Name), fmt.Sprintf("\t%q [label=%q, ", s.Name, label), 1)
	}
	return strings.Replace(text, "{\n", "{\n"+attributes, 1)
}
