package fsmtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// RoundTripJSON checks that snapshots of a kind survive JSON: the given ones,
// and one with every exported field set. What is read back has to be what
// Snapshot.Masked returns, with errors by their text, and has to give the same
// JSON again. A value within D or O that has a method Masked has to be masked.
// Every exported field of D and O needs a json tag.
func RoundTripJSON[D, O any](t testing.TB, snapshots ...*fsm.Snapshot[D, O]) {
	t.Helper()
	for _, field := range untagged(reflect.TypeFor[fsm.Snapshot[D, O]](), "Snapshot", nil) {
		t.Errorf("%s has no json tag: give it one", field)
	}
	full := new(fsm.Snapshot[D, O])
	if err := new(filler).fill(reflect.ValueOf(full).Elem(), 0); err != nil {
		t.Errorf("a snapshot cannot be filled: %v", err)
	}
	for _, s := range append(snapshots, full) {
		if err := roundTrip(s); err != nil {
			t.Errorf("a snapshot of %q does not survive JSON: %v", s.Name, err)
		}
	}
}

func roundTrip[D, O any](s *fsm.Snapshot[D, O]) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	back := new(fsm.Snapshot[D, O])
	if err := json.Unmarshal(text, back); err != nil {
		return fmt.Errorf("%w, of %s", err, text)
	}
	if d := difference(reflect.ValueOf(s.Masked()), reflect.ValueOf(back), "Snapshot"); d != "" {
		return fmt.Errorf("%s, of %s", d, text)
	}
	again, err := json.Marshal(back)
	if err != nil {
		return err
	}
	if string(again) != string(text) {
		return fmt.Errorf("it becomes %s, of %s", again, text)
	}
	return nil
}

// untagged returns the exported fields without a json tag of the structs that a
// type is made of. Those of the standard library have JSON of their own.
func untagged(t reflect.Type, path string, above []reflect.Type) (found []string) {
	for _, other := range above {
		if other == t {
			return nil
		}
	}
	above = append(above, t)
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return untagged(t.Elem(), path, above)
	case reflect.Struct:
		if first, _, _ := strings.Cut(t.PkgPath(), "/"); t.Name() != "" && !strings.Contains(first, ".") {
			return nil
		}
		for n := range t.NumField() {
			field := t.Field(n)
			if !field.IsExported() {
				continue
			}
			name := path + "." + field.Name
			if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag == "" && !field.Anonymous {
				found = append(found, name)
			}
			found = append(found, untagged(field.Type, name, above)...)
		}
	}
	return found
}

// filler sets values, each to a different one.
type filler struct{ n int64 }

// deepest is how deep values are filled. A type that holds itself ends there.
const deepest = 16

func (f *filler) fill(v reflect.Value, depth int) error {
	if depth > deepest {
		return nil
	}
	f.n++
	text := fmt.Sprint("text ", f.n)
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(f.n, f.n).UTC()))
		return nil
	case fsm.Phase:
		v.Set(reflect.ValueOf(fsm.Phase(f.n%int64(fsm.PhaseRemoved) + 1)))
		return nil
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(f.n%100 + 1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(uint64(f.n%100 + 1))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(f.n) + 0.5)
	case reflect.String:
		v.SetString(text)
	case reflect.Interface:
		return f.fillInterface(v, text)
	case reflect.Pointer, reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return f.fillComposite(v, depth)
	default:
		return fmt.Errorf("%s has no place in a snapshot", v.Type())
	}
	return nil
}

func (f *filler) fillInterface(v reflect.Value, text string) error {
	for _, value := range []any{text, errors.New(text)} {
		if reflect.TypeOf(value).Implements(v.Type()) {
			v.Set(reflect.ValueOf(value))
			return nil
		}
	}
	return fmt.Errorf("%s has no place in a snapshot", v.Type())
}

func (f *filler) fillComposite(v reflect.Value, depth int) error {
	t := v.Type()
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		return f.fill(v.Elem(), depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(t, 1, 1))
		return f.fill(v.Index(0), depth+1)
	case reflect.Map:
		key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		if err := errors.Join(f.fill(key, depth+1), f.fill(value, depth+1)); err != nil {
			return err
		}
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(key, value)
		return nil
	case reflect.Array:
		for n := range v.Len() {
			if err := f.fill(v.Index(n), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	for n := range v.NumField() {
		if !t.Field(n).IsExported() {
			continue
		}
		if err := f.fill(v.Field(n), depth+1); err != nil {
			return fmt.Errorf("%s: %w", t.Field(n).Name, err)
		}
	}
	return nil
}

// difference says in what a masked value differs from another one, "" for
// nothing. An empty map or list equals none.
func difference(a, b reflect.Value, path string) string {
	a = masked(a)
	switch x := a.Interface().(type) {
	case time.Time:
		if y := b.Interface().(time.Time); !x.Equal(y) {
			return fmt.Sprintf("%s was %v and is %v", path, x, y)
		}
		return ""
	case error:
		if y, ok := b.Interface().(error); !ok || x.Error() != y.Error() {
			return fmt.Sprintf("%s was %v and is %v", path, x, y)
		}
		return ""
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return differs(a.IsNil() == b.IsNil(), a, b, path)
		}
		if a.Elem().Type() != b.Elem().Type() {
			return differentText(a, b, path)
		}
		return difference(a.Elem(), b.Elem(), path)
	case reflect.Struct:
		for n := range a.NumField() {
			if field := a.Type().Field(n); field.IsExported() {
				if d := difference(a.Field(n), b.Field(n), path+"."+field.Name); d != "" {
					return d
				}
			}
		}
		return ""
	case reflect.Slice, reflect.Array, reflect.Map:
		return differentElements(a, b, path)
	}
	return differs(a.Equal(b), a, b, path)
}

// masked returns what the method Masked of a value, or of a pointer to it,
// returns. A value that has been masked already stays as it is.
func masked(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Pointer && v.IsNil() || v.Kind() == reflect.Interface {
		return v
	}
	methods := []reflect.Value{v.MethodByName("Masked")}
	if v.CanAddr() {
		methods = append(methods, v.Addr().MethodByName("Masked"))
	}
	for _, m := range methods {
		if m.IsValid() && m.Type().NumIn() == 0 && m.Type().NumOut() == 1 && m.Type().Out(0) == v.Type() {
			return m.Call(nil)[0]
		}
	}
	return v
}

func differentElements(a, b reflect.Value, path string) string {
	if a.Len() != b.Len() {
		return differs(false, a, b, path)
	}
	if a.Kind() != reflect.Map {
		for n := range a.Len() {
			if d := difference(a.Index(n), b.Index(n), fmt.Sprintf("%s[%d]", path, n)); d != "" {
				return d
			}
		}
		return ""
	}
	for _, key := range a.MapKeys() {
		at := fmt.Sprintf("%s[%v]", path, key)
		if !b.MapIndex(key).IsValid() {
			return at + " is gone"
		}
		if d := difference(a.MapIndex(key), b.MapIndex(key), at); d != "" {
			return d
		}
	}
	return ""
}

// differentText compares values of types of their own, such as a number that was
// an int and is a float64, by their JSON.
func differentText(a, b reflect.Value, path string) string {
	x, errX := json.Marshal(a.Interface())
	y, errY := json.Marshal(b.Interface())
	return differs(errX == nil && errY == nil && string(x) == string(y), a, b, path)
}

func differs(same bool, a, b reflect.Value, path string) string {
	if same {
		return ""
	}
	return fmt.Sprintf("%s was %v and is %v", path, a, b)
}
