package screen_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// TestSVG draws every word where it stands, in its colours, and nothing else.
func TestSVG(t *testing.T) {
	drawn := screen.SVG("\x1b[1;31m<one>\x1b[m  two\r\n\x1b[7m▁█\x1b[m\x1b[2m──\x1b[m", 12, 2)
	var texts []string
	rects := 0
	decoder := xml.NewDecoder(strings.NewReader(drawn))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" {
				texts = append(texts, text)
			}
		case xml.StartElement:
			if token.Name.Local == "rect" {
				rects++
			}
		}
	}
	assert.Equal(t, []string{"<one>", "two"}, texts)
	assert.Equal(t, 1+1+2+1, rects, "the paper, what is behind the blocks, the blocks, the rule")
	assert.Contains(t, drawn, `<text x="12" y="25" textLength="40" fill="#ff8078" font-weight="bold">&lt;one&gt;</text>`)
	assert.Contains(t, drawn, `<text x="68" y="25" textLength="24" fill="#d6dde4">two</text>`)
}
