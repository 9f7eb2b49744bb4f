package ports

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/proc"
)

func TestCheckNamesTheHolder(t *testing.T) {
	l, addr := loopback(t)
	port := l.Addr().(*net.TCPAddr).Port
	name, err := proc.System.Command(os.Getpid())
	require.NoError(t, err)

	for _, asked := range []string{addr, fmt.Sprintf("0.0.0.0:%d", port), fmt.Sprintf(":%d", port)} {
		err := Check(asked)
		var taken *TakenError
		require.ErrorAs(t, err, &taken, asked)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		assert.Equal(t, TakenError{Addr: asked, Port: uint16(port), PID: os.Getpid(), Process: name}, *taken)
	}
	assert.EqualError(t, Check(addr), fmt.Sprintf("port %d is taken: process %d (%s) listens on %s", port, os.Getpid(), name, addr))

	require.NoError(t, l.Close())
	require.NoError(t, Check(addr))
	require.NoError(t, Check(addr), "the check lets go of the port")
}

// What is said of a port is what listening on it would have shown.
func TestCheckIsAsListening(t *testing.T) {
	for _, held := range []string{"127.8.9.10:0", "0.0.0.0:0", ":0", "[::1]:0"} {
		l, err := net.Listen("tcp", held)
		require.NoError(t, err)
		for _, host := range []string{"", "0.0.0.0", "::", "127.8.9.10", "127.0.0.1", "localhost", "::1"} {
			addr := net.JoinHostPort(host, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
			other, err := net.Listen("tcp", addr)
			if err == nil {
				require.NoError(t, other.Close())
			}
			assert.Equal(t, err == nil, Check(addr) == nil, "%s is held, %s is asked", l.Addr(), addr)
		}
		require.NoError(t, l.Close())
	}
}

func TestCheckOtherReasons(t *testing.T) {
	require.ErrorContains(t, Check("nohost"), "is not host:port")
	err := Check("192.0.2.1:9080")
	require.ErrorIs(t, err, syscall.EADDRNOTAVAIL)
	assert.ErrorContains(t, err, "cannot listen on port 9080")
	assert.EqualError(t, &TakenError{Addr: ":80", Port: 80}, "port 80 is taken: a process that cannot be read from here listens on :80")
}

// A process that is being started has copies of all sockets until it runs its
// own program.
func TestCheckedPortIsFreeThoughProcessesStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.8.9.10:0") // connections come from 127.0.0.1
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	ctx, cancel := context.WithCancel(t.Context())
	var starters sync.WaitGroup
	for range 4 {
		starters.Go(func() {
			for ctx.Err() == nil {
				assert.NoError(t, exec.Command("true").Run())
			}
		})
	}
	for range 2000 {
		if !assert.NoError(t, Check(addr)) {
			break
		}
	}
	cancel()
	starters.Wait()
}
