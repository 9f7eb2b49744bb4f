package s6

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestProgramLimit: a program that may open a thousand files takes as many
// services as leave some for all else.
func TestProgramLimit(t *testing.T) {
	limit := programLimit(1024)
	assert.Equal(t, 896, limit.Most/limit.each())
	assert.Equal(t, "this program may open 1024 files, one for each service and 128 for all else", limit.Name)
}
