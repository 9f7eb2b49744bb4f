package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/fsm"
)

func TestMasks(t *testing.T) {
	var m fsm.Masks
	assert.Equal(t, "***", m.Is("a", "new", "***"), "nothing was shown so")
	for _, was := range []string{"one", "two"} {
		assert.Equal(t, "***", m.Was("a", was, "***"))
		assert.Equal(t, "***", m.Is("a", was, "***"), "it stays")
	}
	assert.Equal(t, "plain", m.Was("a", "plain", "plain"))
	assert.Equal(t, "*** (changed)", m.Is("a", "three", "***"))
	assert.Equal(t, "***", m.Is("b", "three", "***"), "it is new there")
	m.Was("u", "//u:p@h", "//u:***@h")
	assert.Equal(t, "//u:*** (changed)@h", m.Is("u", "//u:q@h", "//u:***@h"))
	assert.Equal(t, "//u:***@i", m.Is("u", "//u:q@i", "//u:***@i"), "that it differs is seen")
	assert.Equal(t, "***", m.Is("c", "***", "***"))
	m.Was("c", "text", "***")
	assert.Equal(t, "***", m.Is("c", "***", "***"), "it is no secret")
}
