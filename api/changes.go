package api

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

const (
	// shareTime is for how long those who ask for changes share what was seen.
	shareTime = 100 * time.Millisecond
	// goneSize is of how many instances that are gone a ledger knows when that was.
	goneSize = 4096
)

// Changes is the body that says what of the list has changed.
type Changes struct {
	Cursor int64 `json:"cursor" doc:"asked with it, the next answer has what has changed after this one"`
	// All: nobody knows what has changed, so these are all.
	All       bool      `json:"all,omitempty" doc:"these are all instances there are"`
	Instances []Summary `json:"instances" doc:"those that have changed; another time of the next look alone is no change"`
	Gone      []Named   `json:"gone,omitempty" doc:"those that are not there any more"`
	Last      int64     `json:"last" doc:"the id of the newest event: what comes has a larger one"`
}

// Named names an instance.
type Named struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// ledger knows when each instance was last seen to have changed.
type ledger struct {
	mu     sync.Mutex // guards all below
	looked time.Time
	from   int64 // what has changed up to this cursor is not known
	cursor int64 // of the newest change
	all    map[Named]*entry
	gone   []left // oldest first
}

// entry is an instance as it was last seen.
type entry struct {
	Summary
	changed int64
	seen    time.Time
}

// left is an instance that is gone.
type left struct {
	Named
	cursor int64
}

func newLedger() *ledger {
	now := time.Now().UnixMicro() // no cursor of an earlier program is one of this
	return &ledger{from: now, cursor: now, all: make(map[Named]*entry)}
}

// changes serves what of the list has changed. What was seen is kept in the ledger, so
// that those who look again and again cost little.
func (s *Server) changes(api huma.API, l *ledger) {
	huma.Register(api, huma.Operation{
		OperationID: "list-changes", Method: "GET", Path: "/api/changes", Summary: "List what has changed",
		Description: "For those who look again and again: the first answer has all instances, the next ones those that have changed.",
	}, func(_ context.Context, in *struct {
		After int64 `query:"after" doc:"the cursor of the answer before; none for all"`
	}) (*answer[Changes], error) {
		last := s.Feed.Last() // what happens while it is looked is heard twice, and not missed
		l.mu.Lock()
		defer l.mu.Unlock()
		l.look(time.Now(), s.Sources)
		body := l.since(in.After)
		body.Last = last
		return answers(body), nil
	})
}

// look sees what has changed.
func (l *ledger) look(now time.Time, sources []Source) {
	if now.Sub(l.looked) < shareTime {
		return
	}
	l.looked = now
	next := l.cursor + 1
	for _, of := range sources {
		for _, one := range of.List() {
			key := Named{one.Kind, one.Name}
			known := l.all[key]
			if known == nil {
				known = new(entry)
				l.all[key] = known
			}
			if !same(known.Summary, one) {
				known.changed, l.cursor = next, next
			}
			known.Summary, known.seen = one, now
		}
	}
	for key, known := range l.all {
		if !known.seen.Equal(now) {
			delete(l.all, key)
			l.gone = append(l.gone, left{key, next})
			l.cursor = next
		}
	}
	if drop := len(l.gone) - goneSize; drop > 0 {
		l.from = l.gone[drop-1].cursor
		l.gone = slices.Delete(l.gone, 0, drop)
	}
}

// since returns what has changed after a cursor.
func (l *ledger) since(after int64) Changes {
	c := Changes{Cursor: l.cursor, Instances: []Summary{}, All: after < l.from || after > l.cursor}
	for _, known := range l.all {
		if c.All || known.changed > after {
			c.Instances = append(c.Instances, known.Summary)
		}
	}
	slices.SortFunc(c.Instances, func(a, b Summary) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind)) })
	for _, one := range l.gone {
		if !c.All && one.cursor > after && l.all[one.Named] == nil {
			c.Gone = append(c.Gone, one.Named)
		}
	}
	return c
}

// same reports whether two summaries of an instance differ in no more than when it
// is looked at next.
func same(a, b Summary) bool {
	of, now := a.Traffic, b.Traffic
	a.NextPass, a.Traffic = b.NextPass, b.Traffic
	return a == b && (of == now || of != nil && now != nil && *of == *now)
}
