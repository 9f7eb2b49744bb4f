package ports_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/ports"
)

func TestAllocateGivesEachNameItsPort(t *testing.T) {
	var a ports.Allocator
	for range 2 {
		one, err := a.Allocate("one")
		require.NoError(t, err)
		two, err := a.Allocate("two")
		require.NoError(t, err)
		assert.Equal(t, []uint16{ports.DefaultFirst, ports.DefaultFirst + 1}, []uint16{one, two})
	}
	a.Release("one")
	a.Release("one")
	_, has := a.Port("one")
	assert.False(t, has)
	three, err := a.Allocate("three")
	require.NoError(t, err)
	assert.EqualValues(t, ports.DefaultFirst, three)
	owner, _ := a.Owner(three)
	assert.Equal(t, "three", owner)
}

func TestAllocateRunsOut(t *testing.T) {
	a := ports.Allocator{First: 65534, Last: 65535}
	for _, name := range []string{"a", "b"} {
		_, err := a.Allocate(name)
		require.NoError(t, err)
	}
	_, err := a.Allocate("c")
	require.ErrorIs(t, err, ports.ErrNoneFree)
	assert.EqualError(t, err, "cannot allocate a port for c: no free port in 65534-65535")
	a.Release("a")
	port, err := a.Allocate("c")
	require.NoError(t, err)
	assert.EqualValues(t, 65534, port)
}

func TestAllocatePassesOverWhatCheckRefuses(t *testing.T) {
	taken := errors.New("taken by somebody")
	a := ports.Allocator{First: 9000, Last: 9001, Check: func(port uint16) error {
		if port == 9000 {
			return taken
		}
		return nil
	}}
	port, err := a.Allocate("a")
	require.NoError(t, err)
	assert.EqualValues(t, 9001, port)
	_, err = a.Allocate("b")
	require.ErrorIs(t, err, ports.ErrNoneFree)
	require.ErrorIs(t, err, taken)
}

func TestReserve(t *testing.T) {
	var a ports.Allocator
	require.NoError(t, a.Reserve("one", 9080))
	require.NoError(t, a.Reserve("one", 9080))
	err := a.Reserve("two", 9080)
	var conflict *ports.ConflictError
	require.ErrorAs(t, err, &conflict)
	assert.Equal(t, ports.ConflictError{Port: 9080, Name: "two", Owner: "one"}, *conflict)
	assert.EqualError(t, err, "cannot reserve port 9080 for two: it belongs to one")

	require.NoError(t, a.Reserve("one", 9081))
	require.NoError(t, a.Reserve("two", 9080))
	require.Error(t, a.Reserve("one", 9080))
	port, _ := a.Port("one")
	assert.EqualValues(t, 9081, port, "a refused reservation changes nothing")
	require.Error(t, a.Reserve("three", 0))
}

func TestAllocatorConcurrently(t *testing.T) {
	var (
		a     ports.Allocator
		wg    sync.WaitGroup
		mu    sync.Mutex
		ports = map[uint16]string{}
	)
	for i := range 200 {
		wg.Go(func() {
			name := fmt.Sprint(i % 100)
			port, err := a.Allocate(name)
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			if other, taken := ports[port]; taken {
				assert.Equal(t, name, other)
			}
			ports[port] = name
		})
	}
	wg.Wait()
	assert.Len(t, ports, 100)
}
