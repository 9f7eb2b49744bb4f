package runner

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const flushTime = 200 * time.Millisecond

// reader is what an outlet prints to. While gate is set, a write waits for it.
type reader struct {
	mu   sync.Mutex // guards the three below
	text strings.Builder
	err  error
	gate chan struct{}
}

func (r *reader) Write(p []byte) (int, error) {
	r.mu.Lock()
	gate := r.gate
	r.mu.Unlock()
	if gate != nil {
		<-gate
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return 0, r.err
	}
	return r.text.Write(p)
}

func (r *reader) be(err error, gate chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err, r.gate = err, gate
}

func (r *reader) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func write(t *testing.T, o *Outlet, text string) {
	t.Helper()
	n, err := io.WriteString(o, text)
	assert.NoError(t, err)
	assert.Equal(t, len(text), n)
}

func TestPrintingMakesNobodyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(reader)
		o := NewOutlet(r, "program", 40)
		write(t, o, "one\n")
		synctest.Wait()
		stopped := make(chan struct{})
		r.be(nil, stopped)
		write(t, o, "two\n")
		synctest.Wait()
		assert.Zero(t, o.Waiting(), "it is being printed")
		write(t, o, "three\n")
		assert.Equal(t, 6, o.Waiting())
		write(t, o, "far too long for what room there is left\n")
		write(t, o, "so\nis\nthis: far too long for what room there is left\n")
		assert.Equal(t, "one\n", r.String())

		r.be(nil, nil)
		close(stopped)
		write(t, o, "four\n")
		Flush(flushTime, o)
		assert.Equal(t, "one\ntwo\nprogram: 4 lines were left out: they were not read in time\nthree\nfour\n", r.String())
	})
}

func TestPrintingThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(reader)
		o := NewOutlet(r, "program", OutletRoom)
		r.be(syscall.ENOSPC, nil)
		write(t, o, "one\n")
		write(t, o, "two\n")
		synctest.Wait()
		r.be(nil, nil)
		write(t, o, "three\n")
		Flush(flushTime, o)
		assert.Equal(t, "program: 2 lines were left out: no space left on device\nthree\n", r.String())
		write(t, o, "nothing comes of it\n")
	})
}

func TestPrintingIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(reader)
		o := NewOutlet(r, "program", 20)
		write(t, o, "one\n")
		synctest.Wait()
		o.Hold()
		write(t, o, "two\n")
		write(t, o, "more than there is room for\n")
		synctest.Wait()
		assert.Equal(t, "one\n", r.String())
		o.Release()
		synctest.Wait()
		const all = "one\nprogram: 1 lines were left out: they were not read in time\ntwo\n"
		assert.Equal(t, all, r.String())
		o.Hold()
		write(t, o, "three\n")
		Flush(flushTime, o)
		assert.Equal(t, all+"three\n", r.String(), "the end of the program releases it")
	})
}

// TestOutputsThatAreOneFile have one order, however often either of them was opened.
func TestOutputsThatAreOneFile(t *testing.T) {
	open := func(name string) *os.File {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, f.Close()) })
		return f
	}
	name := filepath.Join(t.TempDir(), "a")
	out, errs := NewOutlets(open(name), open(name), "program", OutletRoom)
	assert.Same(t, out, errs)
	var all strings.Builder
	for n := range 100 {
		fmt.Fprintln([]*Outlet{out, errs}[n%2], n)
		fmt.Fprintln(&all, n)
	}
	Flush(time.Minute, out, errs)
	printed, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, all.String(), string(printed))

	out, errs = NewOutlets(open(name), open(name+"2"), "program", OutletRoom)
	assert.NotSame(t, out, errs)
	Flush(time.Minute, out, errs)
	out, errs = NewOutlets(new(reader), new(reader), "program", OutletRoom)
	assert.NotSame(t, out, errs)
	Flush(time.Minute, out, errs)
}

func TestWhatIsLeftOutIsToldAsTheProgramSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(reader)
		o := NewOutlet(r, "program", OutletRoom)
		o.TellGaps(func(lines int, why string) []byte { return fmt.Appendf(nil, "%d (%s)\n", lines, why) })
		r.be(syscall.ENOSPC, nil)
		write(t, o, "one\ntwo\n")
		synctest.Wait()
		r.be(nil, nil)
		write(t, o, "three\n")
		Flush(flushTime, o)
		assert.Equal(t, "2 (no space left on device)\nthree\n", r.String())
	})
}

func TestPrintingEndsThoughNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, never := new(reader), make(chan struct{})
		r.be(errors.New("gone"), never)
		o := NewOutlet(r, "program", OutletRoom)
		write(t, o, "one\n")
		begun := time.Now()
		Flush(flushTime, o)
		assert.Equal(t, flushTime, time.Since(begun))
		close(never)
		<-o.done
	})
}
