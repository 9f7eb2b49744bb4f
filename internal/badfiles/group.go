package badfiles

import "strings"

// Path is what the files are called in what is said of them.
const Path = "f.yaml"

// File is a file that cannot be taken.
type File struct {
	Name string // of the case
	Text string
	// Want are the problems with it, each a line.
	Want string
}

// Group are files with one good file before them.
type Group struct {
	// Good is a file that can be taken. All that runs because of it is to go on
	// when one of the others takes its place.
	Good string
	// Runs are the s6 services of Good.
	Runs  []string
	Files []File
}

// Good is an entry that stands beside what is wrong with another one.
const Good = `internal:
  services:
    - name: good
      s6ServiceConfig: {command: [sleep, "1000000"]}
`

const (
	goodService = "s6ServiceConfig: {command: [sleep, '1000000']}"
	goodStream  = "input: {generate: {mapping: 'root = 1', interval: 1s}}\noutput: {stdout: {}}"
)

// service returns a file with a service of the name bad.
func service(lines string) string {
	return Good + "    - name: bad\n" + indent(6, lines)
}

// stream returns a file with a stream of the name bad.
func stream(lines string) string {
	return Good + "  benthos:\n    - name: bad\n      benthosServiceConfig:\n" + indent(8, lines)
}

func indent(n int, lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString(strings.Repeat(" ", n) + line)
	}
	return b.String() + "\n"
}
