package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestFaultsCanBeMade: what each fault changes is where it says.
func TestFaultsCanBeMade(t *testing.T) {
	names := make(map[string]bool)
	for _, m := range mutations() {
		assert.False(t, names[m.name], "%s is there twice", m.name)
		names[m.name] = true
		assert.NotEmpty(t, m.edits, m.name)
		for _, file := range m.files() {
			_, err := m.apply("../../..", file)
			assert.NoError(t, err, m.name)
		}
	}
}
