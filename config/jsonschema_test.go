package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/config"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := config.Schema()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("file.json", doc))
	schema, err := compiler.Compile("file.json")
	require.NoError(t, err)
	return schema
}

// beyondTheSchema are the files of which it cannot know what is wrong.
var beyondTheSchema = []string{
	"one name of two kinds", "one name twice", "one name thrice",
	"a time that is too long", "a signal of nothing", "a relative directory", "memory below nothing", "memory twice", "a small log",
	"a path for a config file", "a secret of no file", "a password that is an anchor", "a secret of no variable", "two ways to be ready", "a descriptor of nothing",
	"two things to check", "nothing to check", "a check by https", "a password in a check", "a port alone to check", "a check that takes too long", "a check too often", "a restart by a check, and never",
	"traffic each moment", "traffic that is not counted",
	"no input", "an address of http", "a pause that shrinks", "a short pause", "never and again",
	"an unknown dependency", "a dependency misspelt", "a dependency on itself", "a dependency twice", "a dependency that is never done",
	"a circle",
}

// TestSchema takes what Read takes, and refuses what it can know to be wrong.
func TestSchema(t *testing.T) {
	schema := compiled(t)
	valid := func(text string) (parsed bool, err error) {
		var doc any
		if yaml.Unmarshal([]byte(text), &doc) != nil {
			return false, nil
		}
		return true, schema.Validate(doc)
	}
	for _, text := range goodFiles() {
		require.Empty(t, problems(readText(t, text)))
		parsed, err := valid(text)
		assert.True(t, parsed)
		assert.NoError(t, err, text)
	}
	for _, test := range allBad() {
		parsed, err := valid(test.Text)
		if !parsed || test.Text == "" || strings.HasPrefix(test.Text, "#") || test.Name == "two documents" {
			continue // an editor sees that without it
		}
		if slices.Contains(beyondTheSchema, test.Name) {
			assert.NoError(t, err, "%s is in the list", test.Name)
		} else {
			assert.Error(t, err, test.Name)
		}
	}
}
