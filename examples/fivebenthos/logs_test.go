package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMessageOf(t *testing.T) {
	message := `{"test":"load","number":"<31>"}`
	for line, want := range map[string]string{
		message: message,
		message + `level=info msg="Received SIGTERM, the service is closing" @service=benthos`: message,
		`level=info msg="Received SIGTERM, the service is closing"`:                            "",
		"": "",
	} {
		assert.Equal(t, want, messageOf(line), line)
	}
}
