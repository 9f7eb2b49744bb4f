package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/fsm/order"
	"github.com/evenkeel/evenkeel/internal/nearest"
	"github.com/evenkeel/evenkeel/s6"
)

// resolve finds the instances that entries depend on. A name is that of an s6
// service, or the one that an entry has in its file.
func (d *Declaration) resolve(all []named) {
	names := make(map[string][]Key)
	for _, n := range all {
		names[n.key.Name] = []Key{n.key}
	}
	for _, n := range all {
		if n.name != n.key.Name && !slices.Contains(names[n.name], n.key) && (len(names[n.name]) == 0 || names[n.name][0].Name != n.name) {
			names[n.name] = append(names[n.name], n.key)
		}
	}
	known := slices.Sorted(maps.Keys(names))
	for _, key := range sortedKeys(d.Entries) {
		e := d.Entries[key]
		e.DependsOn = slices.Clone(e.DependsOn)
		for n := range e.DependsOn {
			if what := e.DependsOn[n].find(key, names, known, e.DependsOn[:n]); what != "" {
				at := fmt.Sprint("dependsOn.", n)
				d.Refuse(key, e.locate(at), at+": "+what)
			}
		}
		if _, sound := d.Entries[key]; sound {
			d.Entries[key] = e
		}
	}
}

// find finds the instance that is meant by a name, or says what is wrong with it.
func (d *Dependency) find(of Key, names map[string][]Key, known []string, before []Dependency) (what string) {
	keys := names[d.Name]
	switch {
	case len(keys) == 0:
		what = fmt.Sprintf("there is no entry %q", cut(d.Name))
		if near := nearest.Word(d.Name, known); near != "" {
			what += ": did you mean " + near + "?"
		}
		return what
	case len(keys) > 1:
		return fmt.Sprintf("several entries have the name %q: name the s6 service that is meant, %s or %s", d.Name, keys[0], keys[1])
	case keys[0].Name == of.Name:
		return "an entry cannot depend on itself"
	}
	d.Kind, d.Name = keys[0].Kind, keys[0].Name
	if slices.ContainsFunc(before, func(other Dependency) bool { return other.Name == d.Name }) {
		return d.Name + " is there already"
	}
	return ""
}

// Needs returns what an instance of the declaration needs.
func (d *Declaration) Needs(key Key) (needs []order.Need) {
	for _, on := range d.Entries[key].DependsOn {
		needs = append(needs, order.Need{ID: on.Key().ID(), Is: d.is(on)})
	}
	return needs
}

// is returns what the instance of a dependency has to be.
func (d *Declaration) is(on Dependency) order.Is {
	switch e := d.Entries[on.Key()]; {
	case on.Is != "":
		return on.Is
	case e.Policy().Restart == s6.RestartNever:
		return order.Done
	}
	return order.Ready
}

// Order refuses the entries whose dependencies cannot be had: those of which
// nothing is declared, that can never be what they have to be, or that depend on
// the entry themselves. Of each it keeps what was declared last, nil for nothing,
// and of what that depends on, as far as that was in force.
func (d *Declaration) Order(last *Declaration) {
	if last == nil {
		last = &Declaration{}
	}
	for again := true; again; {
		again = false
		for _, key := range sortedKeys(d.Entries) {
			again = d.orderOne(key, last) || again
		}
		again = d.orderCircle(last) || again
	}
}

// orderOne makes sure that what an entry depends on is there, and reports whether
// it has changed anything.
func (d *Declaration) orderOne(key Key, last *Declaration) bool {
	e := d.Entries[key]
	for n, on := range e.DependsOn {
		at := fmt.Sprint("dependsOn.", n)
		before, had := last.Entries[on.Key()]
		switch target, there := d.Entries[on.Key()]; {
		case there && on.Is == order.Done && !target.Policy().Ends() && !d.of(last, key):
			d.refuseFor(key, e, at, on.Name+" is never done, for it is always restarted: give it restart: on-failure or never, or wait for it to be ready", last)
			return true
		case there, d.of(last, key) && !had: // it was refused then, and is waited for
		case d.of(last, key):
			d.Entries[on.Key()] = before
			d.Problems = append(d.Problems, Problem{before.At, on.Key(), fmt.Sprintf("%s is not declared any more, and %s depends on it, which stays as it was: so does this", on.Name, key)})
			return true
		default:
			d.refuseFor(key, e, at, on.Name+" cannot be taken, and so this cannot", last)
			return true
		}
	}
	return false
}

// of reports whether an entry is the one that was declared last.
func (d *Declaration) of(last *Declaration, key Key) bool {
	was, had := last.Entries[key]
	e := d.Entries[key]
	return had && was.Service == e.Service && was.Stream == e.Stream
}

// refuseFor refuses an entry for what it depends on, and keeps what was declared
// of it last.
func (d *Declaration) refuseFor(key Key, e Entry, at, what string, last *Declaration) {
	d.Refuse(key, e.locate(at), at+": "+what)
	if before, had := last.Entries[key]; had {
		d.Entries[key] = before
	}
}

// orderCircle refuses the entries of one circle of dependencies that were not
// declared like this last, and reports whether there was one.
func (d *Declaration) orderCircle(last *Declaration) bool {
	seen := make(map[Key]bool)
	for _, key := range sortedKeys(d.Entries) {
		circle := d.circle(key, nil, seen)
		if circle == nil {
			continue
		}
		path := make([]string, 0, len(circle)+1)
		for _, k := range circle {
			path = append(path, k.Name)
		}
		what, changed := "a circle: "+strings.Join(append(path, path[0]), " needs "), false
		for n, k := range circle {
			e, next := d.Entries[k], circle[(n+1)%len(circle)]
			if !d.of(last, k) {
				on := slices.IndexFunc(e.DependsOn, func(on Dependency) bool { return on.Key() == next })
				d.refuseFor(k, e, fmt.Sprint("dependsOn.", on), what, last)
				changed = true
			}
		}
		return changed
	}
	return false
}

// circle returns a circle that can be reached from an entry, nil if there is none.
func (d *Declaration) circle(key Key, path []Key, seen map[Key]bool) []Key {
	if at := slices.Index(path, key); at >= 0 {
		return slices.Clone(path[at:])
	}
	if seen[key] {
		return nil
	}
	seen[key] = true
	for _, on := range d.Entries[key].DependsOn {
		if found := d.circle(on.Key(), append(path, key), seen); found != nil {
			return found
		}
	}
	return nil
}

func sortedKeys(entries map[Key]Entry) []Key {
	return slices.SortedFunc(maps.Keys(entries), Key.Compare)
}
