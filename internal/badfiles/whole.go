package badfiles

import (
	"strings"

	"github.com/evenkeel/evenkeel/config"
)

// Whole returns files of which nothing can be taken.
func Whole() Group {
	return Group{
		Good: stream(goodStream) + "services:\n  - name: bad\n" + indent(4, goodService),
		Runs: []string{"good", "bad", "benthos-bad"},
		Files: []File{
			{"empty", "", `f.yaml: it is empty, as a file is that is being written: to declare nothing, write --- in it`},
			{"only a comment", "# soon\n", `f.yaml: it is empty, as a file is that is being written: to declare nothing, write --- in it`},
			{"binary", "services:\n  \x00", `f.yaml:2:3: this is no text: a file must be UTF-8 without control characters`},
			{"a control character", "services: [\x1b]", `f.yaml:1:12: this is no text: a file must be UTF-8 without control characters`},
			{"a bracket too many", "services: [a}", `f.yaml:1:1: this is not YAML: did not find expected ',' or ']'`},
			{"a colon too many", "a: b: c", `f.yaml:1:1: this is not YAML: mapping values are not allowed in this context`},
			{"a password that is no alias", "PASSWORD: *hunter2", `f.yaml:1:11: this is not YAML: there is no anchor of this name`},
			{"no name at all", "services:\n  - name: null\n", `f.yaml:2:5: services.0 has no name`},
			{"not UTF-8", "services: [caf\xe9]", `f.yaml:1:15: this is no text: a file must be UTF-8 without control characters`},
			{"UTF-16", "\xff\xfes\x00:\x00", `f.yaml:1:1: this is no text: a file must be UTF-8 without control characters`},
			{"huge", strings.Repeat("#", config.MaxSize+1), `f.yaml: it has 8388609 bytes, and no file may have more than 8388608: spread its entries over several files`},
			{"cut in a quote", "services:\n  - name: \"a", `f.yaml:2:3: this is not YAML: found unexpected end of stream`},
			{"cut in a list", "services: [{name: a}, {na", `f.yaml:1:1: this is not YAML: did not find expected ',' or '}'`},
			{"a tab", "services:\n\t- name: a\n", `f.yaml:2:2: this is not YAML: found character that cannot start any token`},
			{"two documents", "services: []\n---\nservices: []\n", `f.yaml:2:1: a second document begins: put everything into one, or into several files`},
			{"a list", "- name: a\n", `f.yaml:1:1: the file is a list, and must be a mapping`},
			{"a text", "hello\n", `f.yaml:1:1: the file is a text, and must be a mapping`},
			{"an alias of nothing", "services: *a\n", `f.yaml:1:11: this is not YAML: there is no anchor of this name`},
			{"an alias of itself", "templates: &a [*a]\n", `f.yaml:1:16: the aliases of this file cannot be followed: anchor 'a' value contains itself`},
			{"an alias bomb", bomb(), `f.yaml:3:10: the aliases of this file cannot be followed: document contains excessive aliasing`},
			{"a section misspelt", "servces: []\n", `f.yaml:1:1: there is no servces: did you mean services?`},
			{"one beside a good one", Good + "servces: []\n", `f.yaml:5:1: there is no servces: did you mean services?`},
			{"a section elsewhere", "internal:\n  dataFlows: []\n", `f.yaml:2:3: there is no internal.dataFlows: there are benthos, benthosMonitor, connection, nmap, redpanda, redpandaMonitor, services, topicbrowser`},
			{"a section twice", "services: []\nservices: []\n", `f.yaml:2:1: services is given twice: it is on line 1 already`},
			{"a mapping of names", "services:\n  a: {}\n", `f.yaml:2:3: services is a mapping, and must be a list`},
			{"an entry that is a text", "services: [a]\n", `f.yaml:1:12: services.0 is a text, and must be a mapping`},
			{"no name", "services:\n  - desiredState: running\n", `f.yaml:2:5: services.0 has no name`},
			{"name misspelt", "benthos:\n  - nmae: a\n", `f.yaml:2:5: benthos.0 has no name`},
			{"a path for a name", "services:\n  - name: ../../etc\n", `f.yaml:2:11: services.0.name is "../../etc", and must be of letters, digits, _ and -, with a letter or digit first and last`},
			{"a name that s6 has", "services:\n  - name: s6-svscan-log\n", `f.yaml:2:11: services.0.name cannot be used: name "s6-svscan-log": not a valid instance name: it means something else in a scan directory`},
			{"a long name", "services:\n  - name: " + strings.Repeat("a", 201) + "\n", `f.yaml:2:11: services.0.name cannot be used: name of 201 bytes: not a valid instance name: it must not be longer than 200 bytes`},
		},
	}
}

// bomb is a text that would become a billion.
func bomb() string {
	b := "templates:\n  - &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		name := string(rune('0' + i))
		next := string(rune('1' + i))
		b += "  - &a" + next + " [" + strings.Repeat("*a"+name+", ", 9) + "*a" + name + "]\n"
	}
	return b
}
