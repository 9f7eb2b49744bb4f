package s6

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/fsm"
)

// ErrRoom is wrapped by the refusal of a service for which the s6-svscan has no
// room. It would never start, and say nothing.
var ErrRoom = errors.New("there is no room for it")

// refuseBeyondRoom refuses the services of a declaration for which s6-svscan
// has no room. Those that are linked already have theirs; of the others, the
// first by name have it. Where it is not known how much room there is, none is
// refused.
func refuseBeyondRoom(tree Tree, owner string, desired map[string]fsm.Desired[*Spec], refused map[string]error) {
	entries, err := tree.FS().ReadDir(tree.Layout().ScanDir)
	if err != nil {
		return
	}
	linked := make(map[string]bool, len(entries))
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			linked[e.Name()] = true
		}
	}
	var news []string
	for _, name := range slices.Sorted(maps.Keys(desired)) {
		if !linked[name] && refused[name] == nil && desired[name].State != fsm.StateRemoved {
			news = append(news, name)
		}
	}
	if len(news) == 0 {
		return
	}
	limits, err := tree.Limits()
	if err != nil {
		return
	}
	var leaving []string
	for _, limit := range limits {
		if limit.left(tree, linked, nil)/limit.each() >= len(news) {
			continue
		}
		if leaving == nil {
			leaving = leavingOf(tree, owner, linked, desired)
		}
		room := limit.left(tree, linked, leaving) / limit.each()
		if room = max(room, 0); room >= len(news) {
			continue
		}
		for _, name := range news[room:] {
			refused[name] = fmt.Errorf("%w: %s: %s", ErrRoom, limit.Name, limit.Remedy)
		}
		news = news[:room]
	}
}

// each is what a service of this package takes. s6-svscan is nudged with one
// that has no logger.
func (l Limit) each() int { return max(1, l.PerService+l.PerLogger) }

// left is what is left of the limit once those that leave are gone.
func (l Limit) left(tree Tree, linked map[string]bool, leaving []string) int {
	left := l.Most - l.PerService
	for name := range linked {
		if slices.Contains(leaving, name) || strings.HasPrefix(name, nudgeName) {
			continue
		}
		left -= l.PerService
		if _, err := tree.FS().Stat(path.Join(tree.Layout().Link(name), dirLog)); err == nil {
			left -= l.PerLogger
		}
	}
	return left
}

// leavingOf returns the owner's linked services that are not to stay.
func leavingOf(tree Tree, owner string, linked map[string]bool, desired map[string]fsm.Desired[*Spec]) []string {
	leaving := []string{}
	for name := range linked {
		if d, declared := desired[name]; declared && d.State != fsm.StateRemoved {
			continue
		}
		if other, err := Owner(tree, name); err == nil && other == owner {
			leaving = append(leaving, name)
		}
	}
	return leaving
}
