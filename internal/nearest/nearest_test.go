package nearest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/internal/nearest"
)

func TestWord(t *testing.T) {
	known := []string{"command", "configFiles", "env", "benthos-hello"}
	for word, want := range map[string]string{
		"comand":       "command",
		"ConfigFiles":  "configFiles",
		"envs":         "env",
		"benthos-helo": "benthos-hello",
		"printer":      "",
		"":             "",
	} {
		assert.Equal(t, want, nearest.Word(word, known), word)
	}
	assert.Empty(t, nearest.Word("command", nil))
}
