package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// onTerminal returns what is printed on a terminal by do.
func onTerminal(t *testing.T, do func(terminal *os.File)) string {
	t.Helper()
	shown, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	defer shown.Close()
	require.NoError(t, unix.IoctlSetPointerInt(int(shown.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(shown.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	terminal, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	var text bytes.Buffer
	read := make(chan struct{})
	go func() {
		_, _ = io.Copy(&text, shown) // its end is an error, when the terminal is closed
		close(read)
	}()
	do(terminal)
	require.NoError(t, terminal.Close())
	<-read
	return text.String()
}

// TestTerminalGetsNothingThatItWouldObey but the colors of the names, where they are
// wanted.
func TestTerminalGetsNothingThatItWouldObey(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"web": "\x1b[31mred\x1b[0m \r\tpassword=geheim \x9b2J \u202e",
		"db":  "listening",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "logs", name), 0o755))
		text = "@400000006b03c4e616a351b8 " + text + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, "logs", name, "current"), []byte(text), 0o644))
	}
	const web = `\x1b[31mred\x1b[0m \x0d	password=*** \x9b2J \u202e`
	show := func(noColor string, o logsOptions, names ...string) string {
		t.Setenv("NO_COLOR", noColor)
		o.dir, o.last = dir, -1
		return onTerminal(t, func(terminal *os.File) {
			assert.NoError(t, showLogs(t.Context(), o, names, terminal, io.Discard))
		})
	}
	plain := "db  | listening\r\nweb | " + web + "\r\n"
	assert.Equal(t, "\x1b[36mdb  | \x1b[0mlistening\r\n\x1b[33mweb | \x1b[0m"+web+"\r\n", show("", logsOptions{}))
	assert.Equal(t, plain, show("1", logsOptions{}))
	assert.Equal(t, plain, show("", logsOptions{noColor: true}))
	assert.Equal(t, web+"\r\n", show("", logsOptions{}, "web"))
}
