package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

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

func write(t *testing.T, o *outlet, text string) {
	t.Helper()
	n, err := io.WriteString(o, text)
	assert.NoError(t, err)
	assert.Equal(t, len(text), n)
}

func TestPrintingMakesNobodyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(reader)
		o := newOutlet(r, 40)
		write(t, o, "one\n")
		synctest.Wait()
		assert.True(t, o.idle())

		stopped := make(chan struct{})
		r.be(nil, stopped)
		write(t, o, "two\n")
		synctest.Wait()
		assert.False(t, o.idle(), "the reader takes nothing")
		write(t, o, "three\n")
		write(t, o, "far too long for what room there is left\n")
		write(t, o, "so\nis\nthis: far too long for what room there is left\n")
		assert.Equal(t, "one\n", r.String())

		r.be(nil, nil)
		close(stopped)
		write(t, o, "four\n")
		flush(o)
		assert.Equal(t, "one\ntwo\nfivebenthos: 4 lines were left out: they were not read in time\nthree\nfour\n", r.String())
	})
}

func TestPrintingThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(reader)
		o := newOutlet(r, outletRoom)
		r.be(syscall.ENOSPC, nil)
		write(t, o, "one\n")
		write(t, o, "two\n")
		synctest.Wait()
		r.be(nil, nil)
		write(t, o, "three\n")
		flush(o)
		assert.Equal(t, "fivebenthos: 2 lines were left out: no space left on device\nthree\n", r.String())
		write(t, o, "nothing comes of it\n")
	})
}

func TestPrintingEndsThoughNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, never := new(reader), make(chan struct{})
		r.be(errors.New("gone"), never)
		o := newOutlet(r, outletRoom)
		write(t, o, "one\n")
		begun := time.Now()
		flush(o)
		assert.Equal(t, flushTime, time.Since(begun))
		close(never)
		<-o.done
	})
}

func TestOneSignalIsOneHoweverOftenItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal)
		firsts, agains := 0, []os.Signal(nil)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			hearEnd(signals, func() { firsts++ }, func(s os.Signal) { agains = append(agains, s) })
		}()
		for range 3 {
			signals <- syscall.SIGINT
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(againTime - 301*time.Millisecond)
		signals <- syscall.SIGTERM
		synctest.Wait()
		assert.Equal(t, 1, firsts)
		assert.Empty(t, agains)
		time.Sleep(time.Millisecond)
		signals <- syscall.SIGTERM
		<-ended
		assert.Equal(t, 1, firsts)
		assert.Equal(t, []os.Signal{syscall.SIGTERM}, agains)
	})
}
