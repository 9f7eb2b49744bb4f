package runner

import (
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/evenkeel/evenkeel/s6"
)

// nowhere is the name of a file that is not there, in a difference.
const nowhere = "/dev/null"

// differences returns how the files of a service would differ.
func differences(service string, was, is []s6.ShownFile) string {
	before, after := textsOf(was), textsOf(is)
	var b strings.Builder
	for _, f := range is {
		b.WriteString(differ(service, f.Name, before[f.Name], f.Text))
	}
	for _, f := range was {
		if _, stays := after[f.Name]; !stays {
			b.WriteString(differ(service, f.Name, f.Text, ""))
		}
	}
	return b.String()
}

func textsOf(files []s6.ShownFile) map[string]string {
	texts := make(map[string]string, len(files))
	for _, f := range files {
		texts[f.Name] = f.Text
	}
	return texts
}

// differ returns how a file would differ. No file that is shown is empty.
func differ(service, name, was, is string) string {
	before, after := "a/"+service+"/"+name, "b/"+service+"/"+name
	if was == "" {
		before = nowhere
	}
	if is == "" {
		after = nowhere
	}
	return string(diff.Diff(before, []byte(was), after, []byte(is)))
}
