//go:build integration

package benthos

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/ports"
)

// portRange hands out ports that nobody listens on and that the kernel does not
// give to outgoing connections, each once.
type portRange struct {
	mu   sync.Mutex // guards next
	next int
}

var portsOfTests portRange

const firstPort = 11000

// freePorts returns the first of n free ports in a row.
func freePorts(t testing.TB, n int) int {
	t.Helper()
	first, err := portsOfTests.take(n)
	require.NoError(t, err)
	return first
}

func (r *portRange) take(n int) (int, error) {
	end, _, err := proc.System.EphemeralPorts()
	if err != nil {
		return 0, err
	}
	end = max(end, firstPort+10000)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == 0 {
		// Another run of the tests at the same time begins elsewhere.
		r.next = firstPort + os.Getpid()*61%(end-firstPort)
	}
	for free, tried := 0, 0; tried < end-firstPort; tried++ {
		if r.next >= end {
			r.next, free = firstPort, 0
		}
		err := ports.Check(local(r.next))
		r.next++
		if err != nil {
			free = 0
			continue
		}
		if free++; free == n {
			return r.next - n, nil
		}
	}
	return 0, fmt.Errorf("there are no %d free ports in a row", n)
}

// connected reports whether there is a connection to a port, from the table of
// connections.
func connected(t testing.TB, port int) bool {
	t.Helper()
	sockets, err := proc.System.TCP()
	require.NoError(t, err)
	return slices.ContainsFunc(sockets, func(s proc.Socket) bool {
		return int(s.Local.Port()) == port && s.State == proc.TCPEstablished
	})
}
