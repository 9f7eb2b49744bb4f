package journal

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// object is a JSON object as encoding/json reads it, with numbers as they are
// written. What is in one is never modified.
type object = map[string]any

// readObject reads one.
func readObject(text []byte) (o object, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&o)
	return o, err
}

// difference returns what to set in an object, and which members to take out, by
// their paths, so that it becomes another one: nil and nil where the two are the
// same.
func difference(from, to object) (set object, gone [][]string) {
	for name := range from {
		if _, stays := to[name]; !stays {
			gone = append(gone, []string{name})
		}
	}
	for name, value := range to {
		before, had := from[name]
		a, both := before.(object)
		b, is := value.(object)
		var put any
		switch {
		case both && is:
			inner, out := difference(a, b)
			for _, path := range out {
				gone = append(gone, append([]string{name}, path...))
			}
			if inner == nil {
				continue
			}
			put = inner
		case had && reflect.DeepEqual(before, value):
			continue
		default:
			put = value
		}
		if set == nil {
			set = make(object)
		}
		set[name] = put
	}
	return set, gone
}

// changed returns what an object becomes by a difference. It shares what stays.
func changed(from, set object, gone [][]string) object {
	to := make(object, len(from)+len(set))
	for name, value := range from {
		to[name] = value
	}
	for _, path := range gone {
		if len(path) == 1 {
			delete(to, path[0])
		}
	}
	for name, value := range set {
		a, both := to[name].(object)
		if b, is := value.(object); both && is {
			to[name] = changed(a, b, below(name, gone))
		} else {
			to[name] = value
		}
	}
	for name, value := range to {
		if _, done := set[name]; done {
			continue
		}
		if inner, is := value.(object); is {
			if out := below(name, gone); out != nil {
				to[name] = changed(inner, nil, out)
			}
		}
	}
	return to
}

// below returns the paths that begin with a name, without it.
func below(name string, paths [][]string) (within [][]string) {
	for _, path := range paths {
		if len(path) > 1 && path[0] == name {
			within = append(within, path[1:])
		}
	}
	return within
}
