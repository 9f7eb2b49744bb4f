package runner

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// againTime is how long after the first signal others count as the same one.
// What ends a program often tells it twice: timeout(1) and a closed terminal
// tell the program and its whole process group, an impatient script sends
// SIGINT and SIGTERM.
const againTime = time.Second

// NotifyEnd returns a context that ends with the first of these signals, of those
// that end programs if none is named. At a later one, again is called with it,
// from another goroutine; signals of the first againTime are no later ones. From
// then on, no write to a pipe that nobody reads ends the program.
func NotifyEnd(again func(os.Signal), by ...os.Signal) context.Context {
	// Not Ignore: the programs that are started would ignore it as well.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 1)
	if len(by) == 0 {
		by = endingSignals()
	}
	signal.Notify(signals, by...)
	ctx, first := context.WithCancel(context.Background())
	go hearEnd(signals, first, again)
	return ctx
}

// hearEnd calls first at the first signal, again at the first later one, and
// returns then.
func hearEnd(signals <-chan os.Signal, first func(), again func(os.Signal)) {
	<-signals
	first()
	begun := time.Now()
	for s := range signals {
		if time.Since(begun) >= againTime {
			again(s)
			return
		}
	}
}

// endingSignals are the signals at which the program ends in order. A closed
// terminal is not one of them if the program was started to ignore it, as by
// nohup.
func endingSignals() []os.Signal {
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// EndBy ends the program as a signal does that it does not handle.
func EndBy(s os.Signal) {
	signal.Reset(s)
	number, ok := s.(syscall.Signal)
	if ok && syscall.Kill(os.Getpid(), number) == nil {
		time.Sleep(againTime) // it ends meanwhile
	}
	os.Exit(1)
}
