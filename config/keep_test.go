package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

// TestKeep: what cannot be taken stays as it was declared last, and nothing else.
func TestKeep(t *testing.T) {
	const wrong = "services: [{name: a, s6ServiceConfig: {comand: [other]}}]\n"
	for name, test := range map[string]struct {
		files map[string]string // that change; "" for one that goes
		want  []string
	}{
		"nothing":                    {nil, []string{"a", "benthos-c", "b"}},
		"one goes":                   {map[string]string{"d/b.yaml": ""}, []string{"a"}},
		"an entry is wrong":          {map[string]string{"d/a.yaml": wrong}, []string{"a", "benthos-c", "b"}},
		"a file is none":             {map[string]string{"d/b.yaml": "services: ["}, []string{"a", "benthos-c", "b"}},
		"a file is empty":            {map[string]string{"d/b.yaml": "\n"}, []string{"a", "benthos-c", "b"}},
		"wrong, and another goes":    {map[string]string{"d/a.yaml": wrong, "d/b.yaml": ""}, []string{"a"}},
		"nothing is there any more":  {map[string]string{"d/a.yaml": "", "d/b.yaml": ""}, []string{"a", "benthos-c", "b"}},
		"a new entry is wrong":       {map[string]string{"d/e.yaml": "services: [{name: e}]"}, []string{"a", "benthos-c", "b"}},
		"a new file has its name":    {map[string]string{"d/e.yaml": one("a")}, []string{"a", "benthos-c", "b"}},
		"it moves to another file":   {map[string]string{"d/a.yaml": "services: [", "d/e.yaml": one("a")}, []string{"a", "benthos-c", "b"}},
		"a name is of two kinds now": {map[string]string{"d/e.yaml": one("benthos-c")}, []string{"a", "benthos-c", "b"}},
		"nothing is declared":        {map[string]string{"d/a.yaml": "---\n", "d/b.yaml": "---\n"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := memfs.New()
			require.NoError(t, fsys.MkdirAll("d", 0o755))
			require.NoError(t, fsys.WriteFile("d/a.yaml", []byte(one("a")), 0o600))
			require.NoError(t, fsys.WriteFile("d/b.yaml", []byte(one("b")+"benthos: [{name: c, benthosServiceConfig: {input: {stdin: {}}, output: {drop: {}}}}]\n"), 0o600))
			last := config.Reader{FS: fsys}.Read("d")
			require.Empty(t, problems(last))
			for file, text := range test.files {
				if text == "" {
					require.NoError(t, fsys.Remove(file))
				} else {
					require.NoError(t, fsys.WriteFile(file, []byte(text), 0o600))
				}
			}
			d := config.Reader{FS: fsys}.Read("d")
			d.Keep(nil)
			d.Keep(last)
			var names []string
			for key, e := range d.Entries {
				names = append(names, key.Name)
				assert.Equal(t, last.Entries[key].Service, e.Service)
				assert.Equal(t, last.Entries[key].Stream, e.Stream)
			}
			assert.ElementsMatch(t, test.want, names)
		})
	}
}
