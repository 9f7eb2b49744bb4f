package top

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/screen"
)

// TestPicture holds that the picture of the README shows what is drawn today.
func TestPicture(t *testing.T) {
	var p *program
	play(t, 80, 24, func() Config { p = plant(); return Config{Source: p, Logs: printing(nil)} }, func(s *stage) {
		s.lives(p, 75)
		s.presses("enter")
		drawn := strings.ReplaceAll(s.View().Content, "\n", "\r\n")
		golden(t, filepath.FromSlash("../../docs/pictures/top.svg"), screen.SVG(drawn, s.width, s.height))
	})
}
