package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/evenkeel/evenkeel/runner"
)

func TestStreamEndsWithinTheStopBudget(t *testing.T) {
	assert.Equal(t, runner.EngineTime, settings{}.stream(0).ShutdownTimeout)
}
