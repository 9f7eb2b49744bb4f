package journal

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// inputOf returns what was decided on in a pass, masked, as JSON; nil where nothing
// was decided. Transitions within it are left out: they are records of their own.
func inputOf[D, O any](r fsm.Reconciled) (json.RawMessage, error) {
	after, ok := r.After.(*fsm.Snapshot[D, O])
	if !ok {
		return nil, nil
	}
	r.After = after.Masked()
	in, decided := fsm.InputOf[D, O](r)
	if !decided {
		return nil, nil
	}
	settle(reflect.ValueOf(&in).Elem(), in.Now, deepest)
	return json.Marshal(in)
}

// deepest is how deep values may be nested in which times are looked for.
const deepest = 100

// settle moves the times within a value that have a reading of the monotonic clock,
// which JSON loses, to where they are from now by that clock: the durations that a
// decision is made on stay the same, whether the wall clock was set or not. What is
// behind pointers is copied, down to a depth. Times in maps, slices and interfaces
// stay.
func settle(v reflect.Value, now time.Time, depth int) {
	if depth == 0 {
		return // JSON will say what is wrong with it
	}
	switch at := v.Addr().Interface().(type) {
	case *time.Time:
		if wall := at.Round(0); *at != wall {
			*at = now.Round(0).Add(at.Sub(now)).In(at.Location())
		}
		return
	case *[]fsm.Transition:
		*at = nil
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || v.Type().Elem().Kind() != reflect.Struct {
			return
		}
		copied := reflect.New(v.Type().Elem())
		copied.Elem().Set(v.Elem())
		v.Set(copied)
		settle(copied.Elem(), now, depth-1)
	case reflect.Struct:
		for n := range v.NumField() {
			if v.Type().Field(n).IsExported() {
				settle(v.Field(n), now, depth-1)
			}
		}
	}
}
