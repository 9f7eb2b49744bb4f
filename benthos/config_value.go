package benthos

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a configuration, so that a map that holds
// itself is refused instead of walked for ever.
const maxDepth = 64

var (
	errTooDeep = fmt.Errorf("is nested deeper than %d levels", maxDepth)
	errNotUTF8 = errors.New("is not valid UTF-8")
	errNotReal = errors.New("is not a finite number")
)

// shape is what a configuration value is in YAML. Integers are told from other
// numbers by value, not by Go type: 5, int64(5) and 5.0 are the same integer.
type shape uint8

const (
	shapeNull shape = iota
	shapeBool
	shapeInt
	shapeUint // above the range of int64
	shapeFloat
	shapeString
	shapeTime
	shapeMap
	shapeList
)

// value is a configuration value with its Go type taken away. Only the field
// that shape names is set.
type value struct {
	shape shape
	b     bool
	i     int64
	u     uint64
	f     float64
	s     string
	style *Style // of s, nil for that of a string
	t     time.Time
	m     map[string]any
	list  []any
}

// classify returns v without its Go type. It does not look into maps and
// lists. The error completes "<field> ...".
func classify(v any) (value, error) {
	switch v := v.(type) {
	case nil:
		return value{shape: shapeNull}, nil
	case bool:
		return value{shape: shapeBool, b: v}, nil
	case string:
		return stringValue(v)
	case Text:
		n, err := stringValue(v.Value)
		n.style = &v.Style
		return n, err
	case int:
		return value{shape: shapeInt, i: int64(v)}, nil
	case float64:
		return floatValue(v)
	case map[string]any:
		return value{shape: shapeMap, m: v}, nil
	case []any:
		return value{shape: shapeList, list: v}, nil
	case time.Time:
		return value{shape: shapeTime, t: v}, nil
	case time.Duration:
		return stringValue(v.String())
	case json.Number:
		return numberValue(v)
	default:
		return reflectValue(reflect.ValueOf(v))
	}
}

func reflectValue(rv reflect.Value) (value, error) {
	switch rv.Kind() {
	case reflect.Bool:
		return value{shape: shapeBool, b: rv.Bool()}, nil
	case reflect.String:
		return stringValue(rv.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return value{shape: shapeInt, i: rv.Int()}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return uintValue(rv.Uint()), nil
	case reflect.Float32:
		// The shortest decimal that is this float32, as it was written.
		f, err := strconv.ParseFloat(strconv.FormatFloat(rv.Float(), 'g', -1, 32), 64)
		if err != nil {
			return value{}, errNotReal
		}
		return floatValue(f)
	case reflect.Float64:
		return floatValue(rv.Float())
	case reflect.Slice, reflect.Array:
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			break
		}
		list := make([]any, rv.Len())
		for i := range list {
			list[i] = rv.Index(i).Interface()
		}
		return value{shape: shapeList, list: list}, nil
	case reflect.Map:
		return mapValue(rv)
	}
	return value{}, fmt.Errorf("is a Go %s, which has no place in a configuration", rv.Type())
}

// mapValue takes any map whose keys are strings or integers: YAML decodes a
// key such as 404 to an integer, the engines read it as text.
func mapValue(rv reflect.Value) (value, error) {
	m := make(map[string]any, rv.Len())
	for it := rv.MapRange(); it.Next(); {
		k := it.Key()
		if k.Kind() == reflect.Interface {
			k = k.Elem()
		}
		var name string
		switch {
		case k.Kind() == reflect.String:
			name = k.String()
		case k.IsValid() && k.CanInt():
			name = strconv.FormatInt(k.Int(), 10)
		case k.IsValid() && k.CanUint():
			name = strconv.FormatUint(k.Uint(), 10)
		default:
			return value{}, fmt.Errorf("has the key %v, which is neither text nor a whole number", it.Key())
		}
		if _, twice := m[name]; twice {
			return value{}, fmt.Errorf("has the key %q twice, as text and as a number", name)
		}
		m[name] = it.Value().Interface()
	}
	return value{shape: shapeMap, m: m}, nil
}

// numberValue takes a number of encoding/json's Decoder.UseNumber.
func numberValue(n json.Number) (value, error) {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return value{shape: shapeInt, i: i}, nil
	}
	if u, err := strconv.ParseUint(n.String(), 10, 64); err == nil {
		return uintValue(u), nil
	}
	f, err := n.Float64()
	if err != nil {
		return value{}, errNotReal
	}
	return floatValue(f)
}

// textOf returns the text that a value is, if it is one.
func textOf(v any) (s string, ok bool) {
	n, err := classify(v)
	return n.s, err == nil && n.shape == shapeString
}

func stringValue(s string) (value, error) {
	if !utf8.ValidString(s) {
		return value{}, errNotUTF8
	}
	return value{shape: shapeString, s: s}, nil
}

func uintValue(u uint64) value {
	if u > math.MaxInt64 {
		return value{shape: shapeUint, u: u}
	}
	return value{shape: shapeInt, i: int64(u)}
}

func floatValue(f float64) (value, error) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return value{}, errNotReal
	case f != math.Trunc(f):
		return value{shape: shapeFloat, f: f}, nil
	case f >= -(1<<63) && f < 1<<63:
		return value{shape: shapeInt, i: int64(f)}, nil
	case f >= 0 && f < 1<<64:
		return value{shape: shapeUint, u: uint64(f)}, nil
	default:
		return value{shape: shapeFloat, f: f}, nil
	}
}

// timeText returns a time as a configuration file has it: YAML decodes an
// unquoted 2006-01-02 to a time.
func timeText(t time.Time) string {
	h, m, s := t.Clock()
	if h == 0 && m == 0 && s == 0 && t.Nanosecond() == 0 && t.Location() == time.UTC {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339Nano)
}

// sortedKeys returns the keys of a map in order.
func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m)) // where slices.Sorted would grow them from nothing
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
