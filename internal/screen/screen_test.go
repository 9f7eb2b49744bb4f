package screen_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/internal/screen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOf(t *testing.T) {
	written := "old\x1b[?1049h\x1b[H\x1b[2J\x1b[?2026$p\x1b[c\x1b[31mone\x1b[m\x1b[2;3Htwo"
	assert.Equal(t, []string{"one", "  two", ""}, trimmed(screen.Of(written, 10, 3)))
	assert.Equal(t, []string{"old", "", ""}, trimmed(screen.Of(written+"\x1b[?1049l", 10, 3)))
}

func trimmed(text string) (lines []string) {
	for _, line := range strings.Split(text, "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}
