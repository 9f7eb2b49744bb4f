package config_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/s6"
)

// TestWhatIsWrittenDownIsReadBack as the same: nothing restarts for it.
func TestWhatIsWrittenDownIsReadBack(t *testing.T) {
	for _, text := range goodFiles() {
		d := readText(t, text)
		for key, e := range d.Entries {
			if e.Stream != nil {
				odd := e.Stream.Clone()
				odd.MetricsMapping = "\n  root = this\n"
				odd.Logger = map[string]any{"static_fields": map[string]any{"a": "\n\tb\n", "c": " d\ne"}}
				odd.LogLevel = "WARN"
				odd.ExpectTraffic = 5 * time.Minute
				odd.Policy = s6.Policy{Restart: s6.RestartNever}
				e.Stream = &odd
				d.Entries[key] = e
			}
		}
		for key, e := range d.Entries {
			if e.Service != nil {
				odd := *e.Service
				odd.Env = map[string]string{"A": "\t: x\n\"y\" ", "B": "5", "C": "~", "D": "\u2028\x01", "E": "\n# x"}
				odd.Command = append(slices.Clone(odd.Command), "\nexec a\n", "  a\nb\n", "\tindent\nb\n", " \n ")
				e.Service = &odd
				d.Entries[key] = e
			}
		}
		written, err := d.Encode()
		require.NoError(t, err)
		back, err := config.Decode(written)
		require.NoError(t, err)
		assert.ElementsMatch(t, slices.Collect(maps.Keys(d.Entries)), slices.Collect(maps.Keys(back.Entries)))
		for key, e := range d.Entries {
			read := back.Entries[key]
			assert.Equal(t, e.At, read.At)
			assert.Equal(t, e.At, read.Locate("name"), "it is not known any better")
			assert.Equal(t, e.State, read.State)
			assert.Equal(t, e.Essential, read.Essential)
			assert.Equal(t, e.DependsOn, read.DependsOn)
			if e.Service != nil {
				assert.Equal(t, e.Service.Hash(), read.Service.Hash())
			} else {
				before, after := *e.Stream, *read.Stream
				before.MetricsPort, after.MetricsPort = 1, 1
				want, err := before.Render()
				require.NoError(t, err)
				got, err := after.Render()
				require.NoError(t, err)
				assert.Equal(t, string(want), string(got))
				assert.Equal(t, e.Stream.Policy, read.Stream.Policy)
			}
		}
		again, err := back.Encode()
		require.NoError(t, err)
		assert.Equal(t, string(written), string(again))
	}
}

// TestAllOfASpec is written down: a field that is not would be lost when the
// program starts again.
func TestAllOfASpec(t *testing.T) {
	var spec s6.Spec
	fill(reflect.ValueOf(&spec).Elem())
	key := config.Key{Kind: config.KindService, Name: "a"}
	d := config.Declaration{Entries: map[config.Key]config.Entry{key: {Service: &spec}}}
	text, err := d.Encode()
	require.NoError(t, err)
	back, err := config.Decode(text)
	require.NoError(t, err)
	assert.Equal(t, &spec, back.Entries[key].Service)
}

// fill gives every field a value that is not its zero value.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for n := range v.NumField() {
			fill(v.Field(n))
		}
	default:
		panic("a field of the kind " + v.Kind().String())
	}
}

// TestWhatNobodyHasWrittenDown is an error, and no declaration of nothing.
func TestWhatNobodyHasWrittenDown(t *testing.T) {
	for text, want := range map[string]string{
		"":                "unexpected end",
		"null":            "it is null",
		"- [":             "invalid character",
		"{}":              "cannot unmarshal",
		`[{"name": "a"}]`: "neither a service nor a stream",
		`[{"name": "../a", "kind": "service", "service": {}}]`:                     "it must not",
		`[{"name": "a", "kind": "stream", "stream": "input: ["}]`:                  "did not find",
		`[{"name": "a", "kind": "stream", "service": {"command": ["a"]}}]`:         "neither",
		`[{"name": "a", "kind": "service", "service": {}, "stream": "input: {}"}]`: "neither",
	} {
		_, err := config.Decode([]byte(text))
		assert.ErrorContains(t, err, want, text)
		assert.ErrorContains(t, err, "cannot read what was declared", text)
	}
	d, err := config.Decode([]byte("[]\n"))
	require.NoError(t, err)
	assert.Empty(t, d.Entries)
}

// FuzzDecode: whatever it takes can be written down again.
func FuzzDecode(f *testing.F) {
	f.Add("[]\n")
	f.Add(`[{"kind": "service", "name": "a", "state": "running", "at": {"file": "f", "line": 1, "column": 2}, "service": {"command": ["a"]}}]`)
	f.Add(`[{"kind": "stream", "name": "a", "state": "active", "stream": "input: {a: '${B}'}\noutput: {c: {}}\n"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := config.Decode([]byte(text))
		if err != nil {
			return
		}
		for key := range d.Entries {
			assert.NoError(t, s6.CheckName(key.Name))
		}
		written, err := d.Encode()
		if err != nil {
			return // of values that no file can have
		}
		back, err := config.Decode(written)
		require.NoError(t, err)
		assert.Len(t, back.Entries, len(d.Entries))
	})
}
