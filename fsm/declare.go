package fsm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Apply declares all that is wanted. An instance that is listed is created,
// kept, and moved to the state that is asked for. One that exists and is not
// listed is removed. One that is listed again while it is being removed is
// created again afterwards. Apply returns once the declaration is taken; Wait
// waits until it is reached.
//
// An instance is refused where its name, state or spec is not valid or its
// driver cannot be opened. It keeps what was asked of it before, by this
// manager or by an earlier run. The others are applied, and the error wraps a
// RefusedError for each instance that was refused. On any other error nothing
// was applied. After Close the error wraps ErrClosed. What is only warned of is
// no error: listeners hear of it.
//
// What exists under a name that is not listed, and cannot be read, may be
// somebody else's: it stays as it is. A Refused notice tells of it, and Refused
// lists it, but it is no error of what was declared.
func (m *Manager[D, O]) Apply(ctx context.Context, desired map[string]Desired[D]) error {
	m.applying.Lock()
	defer m.applying.Unlock()
	asked := m.asked()
	found, err := m.examine(ctx, desired, false)
	if err != nil {
		return fmt.Errorf("cannot apply: %w", err)
	}
	existing, refused := found.existing, found.refused
	prepared := m.whatIsPrepared()
	want := make(map[string]Desired[D], len(desired))
	var leaving []string
	for name := range asked {
		if _, listed := desired[name]; !listed || prepared[name] && refused[name] != nil {
			leaving = append(leaving, name)
		}
	}
	for name, found := range existing {
		if _, held := asked[name]; held {
			continue // though it may have gone meanwhile
		}
		if _, ok := refused[name]; ok {
			want[name] = found
		} else {
			want[name] = Desired[D]{State: StateRemoved, Spec: found.Spec}
		}
	}
	for name, d := range desired {
		if _, ok := refused[name]; !ok {
			want[name] = d
		}
	}
	if err := m.declare(want, leaving, existing, refused); err != nil {
		return fmt.Errorf("cannot apply: %w", err)
	}
	m.isPrepared(nil)
	ended := m.bookRefused(refused)
	return errors.Join(ended, m.tellRefused(refused, desired), m.tellWarned(found.warned, refused, want))
}

// Set declares one instance and leaves all others as they are. It is refused
// for the same reasons as by Apply, beside what is asked of the others. The
// error then wraps a RefusedError, and the instance keeps what was asked of it
// before.
func (m *Manager[D, O]) Set(ctx context.Context, name string, d Desired[D]) error {
	m.applying.Lock()
	defer m.applying.Unlock()
	return m.set(ctx, name, d, "set")
}

// Remove asks for one instance to be removed and leaves all others as they are.
// Where there is none, because its declaration was refused, that declaration is
// forgotten. The error wraps ErrUnknown where there is no such instance, neither
// in this manager nor left by an earlier run, nor a refused one.
func (m *Manager[D, O]) Remove(ctx context.Context, name string) error {
	m.applying.Lock()
	defer m.applying.Unlock()
	d, known := m.asked()[name]
	if !known {
		existing, unread, err := m.discover(ctx)
		if err = cmp.Or(err, unread[name]); err != nil {
			return fmt.Errorf("cannot remove %q: %w", name, err)
		}
		d, known = existing[name]
	}
	if known {
		return m.set(ctx, name, Desired[D]{State: StateRemoved, Spec: d.Spec}, "remove")
	}
	standing := maps.Clone(m.Refused())
	if _, refused := standing[name]; !refused {
		return fmt.Errorf("cannot remove %q: %w", name, ErrUnknown)
	}
	delete(standing, name)
	return m.bookRefused(standing)
}

// set declares one instance, which is called what doing says in errors.
func (m *Manager[D, O]) set(ctx context.Context, name string, d Desired[D], doing string) error {
	all := m.asked()
	_, held := all[name]
	all[name] = d
	found, err := m.examine(ctx, all, true)
	if err != nil {
		return fmt.Errorf("cannot %s %q: %w", doing, name, err)
	}
	want := map[string]Desired[D]{name: d}
	refused := make(map[string]error)
	if why := found.refused[name]; why != nil {
		refused[name] = why
		delete(want, name)
		if before, exists := found.existing[name]; exists && !held {
			want[name] = before
		}
	}
	if err := m.declare(want, nil, found.existing, refused); err != nil {
		return fmt.Errorf("cannot %s %q: %w", doing, name, err)
	}
	if prepared := m.whatIsPrepared(); len(refused) == 0 && prepared[name] {
		delete(prepared, name)
		m.isPrepared(prepared)
	}
	standing := maps.Clone(m.Refused())
	delete(standing, name)
	maps.Copy(standing, refused)
	ended := m.bookRefused(standing)
	return errors.Join(ended, m.tellRefused(refused, all), m.tellWarned(found.warned, refused, want))
}

// Declared returns what is asked at present, by name: what was last declared of
// each instance and not refused. Instances that are to be removed are left out.
func (m *Manager[D, O]) Declared() map[string]Desired[D] {
	all := m.asked()
	maps.DeleteFunc(all, func(_ string, d Desired[D]) bool { return d.State == StateRemoved || d.State == "" })
	return all
}

// Standing returns what Apply has to be given again for nothing to change: what
// is Declared, and what an earlier run asked of instances that exist and of which
// nothing was asked here. Where it is not known what was asked, the State is
// empty. What exists and cannot be read is left out: it stays as it is in any case.
func (m *Manager[D, O]) Standing(ctx context.Context) (map[string]Desired[D], error) {
	all := m.Declared()
	asked := m.asked()
	found, _, err := m.discover(ctx)
	if err != nil {
		return nil, err
	}
	for name, d := range found {
		if asked[name].State == "" {
			all[name] = d
		}
	}
	return all, nil
}

// asked returns what is wanted of the manager's instances, with an empty State
// for nothing yet.
func (m *Manager[D, O]) asked() map[string]Desired[D] {
	all := make(map[string]Desired[D])
	for _, e := range *m.listed.Load() {
		all[e.name], _ = e.instance.wanted()
	}
	return all
}

// Refused returns the reason for each instance whose last declaration was
// refused, and for what could not be read when all was declared last and was
// not listed. The map must not be modified.
func (m *Manager[D, O]) Refused() map[string]error { return *m.refused.Load() }

// bookRefused publishes what is refused, for those who wait as well, and tells the
// listeners what is not any more.
func (m *Manager[D, O]) bookRefused(refused map[string]error) error {
	before := m.Refused()
	m.refused.Store(&refused)
	m.mu.Lock()
	m.announce()
	m.mu.Unlock()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, stays := refused[name]; !stays {
			subject := Subject{At: time.Now(), Kind: m.kind.Name, Instance: name}
			errs = append(errs, m.listeners.tell(RefusalEnded{Subject: subject, Err: before[name]}))
		}
	}
	return errors.Join(errs...)
}

// tellRefused tells the listeners what was refused, and returns as one error
// what of it was declared.
func (m *Manager[D, O]) tellRefused(refused map[string]error, declared map[string]Desired[D]) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		subject := Subject{At: time.Now(), Kind: m.kind.Name, Instance: name}
		told := m.listeners.tell(Refused{Subject: subject, Err: refused[name]})
		if _, ok := declared[name]; ok {
			errs = append(errs, &RefusedError{name, refused[name]})
		}
		errs = append(errs, told)
	}
	return errors.Join(errs...)
}

// tellWarned tells the listeners what was warned of among the declarations that
// were taken.
func (m *Manager[D, O]) tellWarned(warned, refused map[string]error, declared map[string]Desired[D]) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(warned)) {
		_, ok := declared[name]
		if ok && refused[name] == nil {
			subject := Subject{At: time.Now(), Kind: m.kind.Name, Instance: name}
			errs = append(errs, m.listeners.tell(Warned{Subject: subject, Err: warned[name]}))
		}
	}
	return errors.Join(errs...)
}

// discover finds out what exists, in this manager or not.
func (m *Manager[D, O]) discover(ctx context.Context) (found map[string]Desired[D], unread map[string]error, err error) {
	if m.kind.Discover == nil {
		return nil, nil, nil
	}
	if found, unread, err = m.kind.Discover(ctx); err != nil {
		return nil, nil, fmt.Errorf("cannot find out what exists: %w", err)
	}
	return found, unread, nil
}

// examined is what must be known before a declaration is taken.
type examined[D any] struct {
	existing        map[string]Desired[D] // in this manager or not
	refused, warned map[string]error
}

// examine finds that out. stays says that what exists and is not declared stays
// as it is.
func (m *Manager[D, O]) examine(ctx context.Context, desired map[string]Desired[D], stays bool) (examined[D], error) {
	existing, unread, err := m.discover(ctx)
	if err != nil {
		return examined[D]{}, err
	}
	asked := m.asked()
	if stays {
		all := make(map[string]Desired[D], len(existing)+len(desired))
		maps.Copy(all, existing)
		maps.Copy(all, desired)
		desired = all
	}
	found := examined[D]{existing, make(map[string]error), make(map[string]error)}
	sound := make(map[string]Desired[D], len(desired))
	for name, d := range desired {
		if err := CheckName(name); err != nil {
			found.refused[name] = err
		} else if err := m.kind.Table.checkTarget(d.State); err != nil {
			found.refused[name] = err
		} else {
			sound[name] = d
		}
	}
	for name, why := range unread {
		_, declared := desired[name]
		if _, held := asked[name]; !declared && !held && !stays {
			found.refused[name] = why
		}
	}
	if m.kind.Validate == nil || len(sound) == 0 {
		return found, nil
	}
	before := make(map[string]Desired[D], len(existing))
	maps.Copy(before, existing)
	for name, d := range asked {
		if _, found := existing[name]; d.State != "" || !found {
			before[name] = d
		}
	}
	for name := range m.whatIsPrepared() {
		delete(before, name)
	}
	more, err := m.kind.Validate(ctx, sound, before)
	if err != nil {
		return examined[D]{}, fmt.Errorf("cannot validate: %w", err)
	}
	for name, why := range more {
		switch d, declared := sound[name]; {
		case !declared || why == nil || d.State == StateRemoved:
		case IsWarning(why):
			found.warned[name] = why
		default:
			found.refused[name] = why
		}
	}
	return found, nil
}

// declare sets what is wanted of each instance, asks for those that leave to be
// removed, and marks all of them as due. Those that cannot be opened are added
// to the refused. existing has what an earlier run has asked of each.
func (m *Manager[D, O]) declare(want map[string]Desired[D], leaving []string, existing map[string]Desired[D], refused map[string]error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	for _, name := range leaving {
		if e := m.entries[name]; e != nil {
			d, _ := e.instance.wanted()
			m.desire(e, Desired[D]{State: StateRemoved, Spec: d.Spec})
		}
	}
	defer m.relist()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		e := m.entries[name]
		if e == nil {
			var err error
			if e, err = m.open(name, existing[name]); errors.Is(err, ErrClosed) {
				return err
			} else if err != nil {
				refused[name] = err
				continue
			}
		}
		m.desire(e, want[name])
	}
	return nil
}

func (m *Manager[D, O]) desire(e *entry[D, O], d Desired[D]) {
	_ = e.instance.SetDesired(d) // examine has refused what cannot be asked for
	m.wakeLocked(e)
}
