package harness

import (
	"sync"
	"time"
)

// Load posts numbered messages to several instances at once, one after the
// other to each.
type Load struct {
	once sync.Once
	stop chan struct{}
	all  sync.WaitGroup

	mu       sync.Mutex // guards accepted
	accepted [][]string // by instance: those that were answered with 200
}

// NewLoad begins to post to a number of instances.
func NewLoad(instances int, message func(n, number int) string, post func(n int, message string) error) *Load {
	l := &Load{stop: make(chan struct{}), accepted: make([][]string, instances)}
	for n := range instances {
		l.all.Go(func() {
			for number := 0; ; number++ {
				select {
				case <-l.stop:
					return
				case <-time.After(5 * time.Millisecond):
				}
				text := message(n, number)
				if post(n, text) == nil {
					l.mu.Lock()
					l.accepted[n] = append(l.accepted[n], text)
					l.mu.Unlock()
				}
			}
		})
	}
	return l
}

// Count returns how many messages the instance has accepted that has accepted
// the fewest.
func (l *Load) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	least := len(l.accepted[0])
	for _, a := range l.accepted {
		least = min(least, len(a))
	}
	return least
}

// End stops the load. It may be called again.
func (l *Load) End() {
	l.once.Do(func() { close(l.stop) })
	l.all.Wait()
}

// Accepted returns, once the load has ended, what each instance has accepted:
// what it answered with 200.
func (l *Load) Accepted() [][]string { return l.accepted }
