package api

import (
	"context"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// feedSize is how many events a Feed keeps.
const feedSize = 4096

// Feed keeps what happened lately, for any number of watchers at their own pace. Its
// methods may be called concurrently.
type Feed struct {
	mu     sync.Mutex // guards all below
	events []Event    // a ring: the one with the number n is at n % feedSize
	count  int64      // that there have been
	last   int64      // the ID of the newest
	gone   int64      // the ID of the newest that is not there any more
	news   chan struct{}
}

// NewFeed returns a feed in which nothing has happened.
func NewFeed() *Feed {
	now := time.Now().UnixMicro() // what was before is that of another program
	return &Feed{last: now, gone: now}
}

// Hear is an fsm.Listener.
func (f *Feed) Hear(n fsm.Notice) {
	e, shown := eventOf(n)
	if !shown {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e.ID = max(f.last+1, time.Now().UnixMicro())
	f.last = e.ID
	if len(f.events) < feedSize {
		f.events = append(f.events, e)
	} else {
		at := &f.events[f.count%feedSize]
		f.gone = at.ID
		*at = e
	}
	f.count++
	if f.news != nil {
		close(f.news)
		f.news = nil
	}
}

// Last returns the ID of the newest event: what comes has a larger one.
func (f *Feed) Last() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// since returns the events after an ID, oldest first. Where some of those are not
// there any more, the first is one of type Missed. news is closed when there is
// another one.
func (f *Feed) since(id int64) (events []Event, news <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id < f.gone {
		events = append(events, Event{ID: f.gone, At: time.Now(), Type: Missed})
	}
	n := f.count
	for n > f.count-int64(len(f.events)) && f.events[(n-1)%feedSize].ID > id {
		n--
	}
	for ; n < f.count; n++ {
		events = append(events, f.events[n%feedSize])
	}
	if f.news == nil {
		f.news = make(chan struct{})
	}
	return events, f.news
}

// Watch calls told with each event after an ID, oldest first, until ctx ends or told
// returns an error, which it returns. Where events are not there any more, because
// the watcher was slow or away for long, it is told so by one of type Missed. idle,
// if it is not zero, has told called with nil when nothing has happened for so long.
func (f *Feed) Watch(ctx context.Context, after int64, idle time.Duration, told func(*Event) error) error {
	var quiet <-chan time.Time
	for {
		events, news := f.since(after)
		for n := range events {
			if err := told(&events[n]); err != nil {
				return err
			}
			after = events[n].ID
		}
		if idle > 0 {
			quiet = time.After(idle)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-news:
		case <-quiet:
			if err := told(nil); err != nil {
				return err
			}
		}
	}
}
