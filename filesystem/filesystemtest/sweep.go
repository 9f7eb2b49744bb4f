package filesystemtest

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Mishap is one way in which one operation can go wrong.
type Mishap struct {
	Name string
	// At returns what lets it befall the n-th operation that it can befall.
	At func(n int) Injector
	// Loses is not nil where the machine goes down with the program that dies,
	// and says which files are lost: see [Faulty.LosePower]. A test does what
	// that means.
	Loses func(file int) bool
}

// Mishaps returns the ways in which an operation can go wrong: it fails, or the
// program dies, in the middle of it and after it. What dies before an operation
// has died after the one before.
func Mishaps() []Mishap {
	const parted = WriteFile | AppendFile | MkdirAll | RemoveAll
	const outage = 20 * time.Second
	const repeats = 2 // of what waiting does again and again
	crash := func(n int) Injector { return OnKind(Changes, CrashAfter(n)) }
	return []Mishap{
		{Name: "fails", At: func(n int) Injector { return News(repeats, FailNth(n, syscall.EIO)) }},
		{Name: "fails half done", At: func(n int) Injector { return OnKind(parted, TearNth(n, syscall.ENOSPC)) }},
		{Name: "fails though done", At: func(n int) Injector { return OnKind(Changes, LoseNth(n, syscall.EIO)) }},
		{Name: "fails with all changes for a while", At: func(n int) Injector { return OnKind(Changes, FailFrom(n, outage, syscall.ENOSPC)) }},
		{Name: "is half done when the program dies", At: func(n int) Injector { return News(repeats, Crash(n)) }},
		{Name: "is done when the program dies", At: crash},
		{Name: "is done when the power fails", At: crash, Loses: func(int) bool { return true }},
		{Name: "is done when the power fails, even files lost", At: crash, Loses: func(file int) bool { return file%2 == 0 }},
		{Name: "is done when the power fails, odd files lost", At: crash, Loses: func(file int) bool { return file%2 == 1 }},
	}
}

// Sweep calls do for each mishap at each operation in turn, until there was no
// operation that it could befall. do hands the injector to [Inject]; what
// it does may not depend on anything but that. The name of a subtest is the
// mishap, and a failure names the operation. With -short only every fourth
// operation has its mishaps.
func Sweep(t *testing.T, mishaps []Mishap, do func(t *testing.T, m Mishap, injector Injector)) {
	for _, m := range mishaps {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			step := 1
			if testing.Short() {
				step = 4
			}
			for n, more := 1, true; more; n += step {
				more = sweepOne(t, m, n, do)
			}
		})
	}
}

func sweepOne(t *testing.T, m Mishap, n int, do func(t *testing.T, m Mishap, injector Injector)) (hit bool) {
	w := &witness{Injector: m.At(n)}
	defer func() { // whether do returns or not
		if t.Failed() {
			t.Logf("it was this operation that %s: %s", m.Name, w.what())
		}
	}()
	do(t, m, w)
	if t.Failed() {
		t.FailNow()
	}
	return w.what() != none
}

// none is what a witness says that has seen no mishap.
const none = "none"

// witness is an injector that remembers which operation it befell first.
type witness struct {
	Injector

	mu sync.Mutex // guards op
	op *Op
}

func (w *witness) Inject(op Op) Fault {
	fault := w.Injector.Inject(op)
	w.mu.Lock()
	defer w.mu.Unlock()
	if fault.Err != nil && w.op == nil {
		w.op = &op
	}
	return fault
}

func (w *witness) what() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.op == nil {
		return none
	}
	return fmt.Sprint(*w.op)
}
