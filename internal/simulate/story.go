package simulate

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
)

// story is what happened, line by line, and a sum over every single operation.
// Its methods may be called from any goroutine.
type story struct {
	begin time.Time
	full  bool // every operation has a line

	mu    sync.Mutex // guards all below
	lines []line
	sum   uint64
	ops   int
	text  []byte // of which a sum is taken
}

// line is something that happened.
type line struct {
	at        time.Duration // since the beginning
	who, text string
	last      bool // in its moment
}

func (l line) compare(o line) int {
	switch {
	case l.at != o.at:
		return cmp.Compare(l.at, o.at)
	case l.last && o.last:
		return cmp.Compare(l.who, o.who)
	case l.last:
		return 1
	case o.last:
		return -1
	}
	return 0
}

func newStory(full bool) *story {
	return &story{begin: time.Now(), full: full}
}

// tell adds a line.
func (s *story) tell(who, format string, args ...any) {
	s.add(line{who: who, text: fmt.Sprintf(format, args...)})
}

// tellLast adds a line about what can happen to several at one moment, in any
// order: it is told after all else, by name.
func (s *story) tellLast(who, format string, args ...any) {
	s.add(line{who: who, text: fmt.Sprintf(format, args...), last: true})
}

func (s *story) add(l line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.at = time.Since(s.begin)
	s.lines = append(s.lines, l)
}

// stamp writes a time since the beginning as hours, minutes and seconds.
func stamp(d time.Duration) string {
	h, m := d/time.Hour, d%time.Hour/time.Minute
	return fmt.Sprintf("%d:%02d:%09.6f", h, m, (d % time.Minute).Seconds())
}

// count adds an operation to the sum.
func (s *story) count(who string, op filesystemtest.Op) {
	s.mu.Lock()
	s.ops++
	s.sum = mix(s.sum, uint64(time.Since(s.begin)), s.sumOf(who), uint64(op.Kind), s.sumOf(op.Path), uint64(op.Size))
	s.mu.Unlock()
	if s.full {
		s.tell(who, "  %s", op)
	}
}

// sumOf returns a checksum of a text that is the same in each run, and quick: it
// is taken of every operation.
func (s *story) sumOf(text string) uint64 {
	s.text = append(s.text[:0], text...)
	return uint64(crc32.Checksum(s.text, castagnoli))
}

// castagnoli is the polynomial that processors have an instruction for.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mix mixes numbers into one, each bit of which depends on all of theirs.
func mix(all ...uint64) (h uint64) {
	for _, n := range all {
		h = (h + n + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
		h ^= h >> 29
		h *= 0x94d049bb133111eb
		h ^= h >> 32
	}
	return h
}

// String returns the story, and its sum in the last line.
func (s *story) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortStableFunc(s.lines, line.compare)
	var b strings.Builder
	for _, l := range s.lines {
		fmt.Fprintf(&b, "%s  %-9s %s\n", stamp(l.at), l.who, l.text)
	}
	fmt.Fprintf(&b, "%d operations, sum %016x\n", s.ops, s.sum)
	return b.String()
}
