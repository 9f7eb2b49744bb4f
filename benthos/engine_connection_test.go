package benthos

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestIdleConnectionIsNotUsed over which something has come: it would pass for the
// answer to the next request.
func TestIdleConnectionIsNotUsed(t *testing.T) {
	for name, comes := range map[string]func(net.Conn) error{
		"an answer to nothing": func(c net.Conn) error { _, err := c.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")); return err },
		"its end":              net.Conn.Close,
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			c, err := dial(t.Context(), l.Addr().String(), time.Now().Add(time.Minute))
			require.NoError(t, err)
			there, err := l.Accept()
			require.NoError(t, err)
			defer there.Close()
			var cs connections
			cs.keep("a", c)
			require.Same(t, c, cs.take("a"))
			require.Nil(t, cs.take("a"), "it is taken")
			require.NoError(t, comes(there))
			require.Eventually(t, func() bool { return !c.quiet() }, time.Minute, time.Millisecond)
			cs.keep("a", c)
			assert.Nil(t, cs.take("a"))
			_, err = c.Write([]byte("x"))
			assert.ErrorIs(t, err, net.ErrClosed)
		})
	}
}
