package s6_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

func TestSpecValidate(t *testing.T) {
	for what, test := range map[string]struct {
		change func(s *s6.Spec)
		want   string
	}{
		"no command":                    {func(s *s6.Spec) { s.Command = nil }, "command: it must name a program"},
		"empty program":                 {func(s *s6.Spec) { s.Command = []string{"", "x"} }, "command: it must name a program"},
		"NUL in an argument":            {func(s *s6.Spec) { s.Command = []string{"a", "b\x00"} }, "command: it must be UTF-8 without NUL"},
		"an argument that is not UTF-8": {func(s *s6.Spec) { s.Command = []string{"a", "\xff"} }, "command: it must be UTF-8 without NUL"},
		"empty finish program":          {func(s *s6.Spec) { s.Finish = []string{""} }, "finish: it must name a program"},
		"NUL in finish":                 {func(s *s6.Spec) { s.Finish = []string{"a\x00"} }, "finish: it must be UTF-8"},
		"empty check program":           {func(s *s6.Spec) { s.Ready = s6.Readiness{Check: []string{"", "a"}} }, "ready.check: it must name a program"},
		"relative dir":                  {func(s *s6.Spec) { s.Dir = "a/b" }, `dir: "a/b" must be an absolute path`},
		"NUL in dir":                    {func(s *s6.Spec) { s.Dir = "/a\x00" }, "dir: it must be UTF-8 without NUL"},
		"variable with =":               {func(s *s6.Spec) { s.Env = map[string]string{"A=B": ""} }, `env: "A=B" is not a name`},
		"variable without name":         {func(s *s6.Spec) { s.Env = map[string]string{"": ""} }, `env: "" is not a name`},
		"variable with a slash":         {func(s *s6.Spec) { s.Env = map[string]string{"../A": ""} }, `env: "../A" is not a name`},
		"NUL in a value":                {func(s *s6.Spec) { s.Env = map[string]string{"A": "\x00"} }, "env.A: it must be UTF-8 without NUL"},
		"user with a space":             {func(s *s6.Spec) { s.User = "a b" }, `user: "a b" is not a user name`},
		"user that is an option":        {func(s *s6.Spec) { s.User = "-h" }, `user: "-h" is not a user name`},
		"user with NUL":                 {func(s *s6.Spec) { s.User = "a\x00" }, "is not a user name"},
		"user that is not UTF-8":        {func(s *s6.Spec) { s.User = "\xff" }, "is not a user name"},
		"negative memory":               {func(s *s6.Spec) { s.Limits.Memory = -1 }, "limits.memory: -1 must not be negative"},
		"negative files":                {func(s *s6.Spec) { s.Limits.OpenFiles = -1 }, "limits.openFiles"},
		"negative processes":            {func(s *s6.Spec) { s.Limits.Processes = -1 }, "limits.processes"},
		"negative file size":            {func(s *s6.Spec) { s.Limits.FileSize = -1 }, "limits.fileSize"},
		"negative start time-out":       {func(s *s6.Spec) { s.StartTimeout = -1 }, "startTimeout: -1ns must be from 1ms to 24h"},
		"stop time-out that s6 takes for never": {func(s *s6.Spec) { s.StopTimeout = time.Microsecond },
			"stopTimeout: 1µs must be from 1ms to 24h"},
		"finish time-out too long": {func(s *s6.Spec) { s.FinishTimeout = 25 * time.Hour }, "finishTimeout: 25h0m0s must be from"},
		"log files too small":      {func(s *s6.Spec) { s.Log.FileSize = 4095 }, "log.fileSize: 4095 must be from 4096 to 268435455"},
		"log files too large":      {func(s *s6.Spec) { s.Log.FileSize = 268435456 }, "log.fileSize"},
		"unknown signal":           {func(s *s6.Spec) { s.StopSignal = "STOP" }, `stopSignal: "STOP" must be one of`},
		"two kinds of readiness": {func(s *s6.Spec) { s.Ready = s6.Readiness{FD: 3, Announced: true} },
			"ready: only one of stays, fd, check and announced can be set"},
		"readiness on standard error": {func(s *s6.Spec) { s.Ready.FD = 2 }, "ready.fd: 2 must be from 3 to 255"},
	} {
		t.Run(what, func(t *testing.T) {
			spec := &s6.Spec{Command: []string{"sleep"}}
			require.NoError(t, spec.Validate())
			test.change(spec)
			require.ErrorContains(t, spec.Validate(), test.want)
		})
	}
}

// TestSpecValidateNames has names that become paths refused, before any does.
func TestSpecValidateNames(t *testing.T) {
	tree := s6test.New(s6test.Config{})
	defer func() { assert.NoError(t, tree.Close()) }()
	m, err := s6.NewManager(tree, fsm.Config{})
	require.NoError(t, err)
	for what, test := range map[string]struct{ name, rule string }{
		"slash":        {"a/b", "slash"},
		"up":           {"..", "dot"},
		"up inside":    {"a..b", "two dots in a row"},
		"leading dot":  {".a", "must not begin with a dot"},
		"empty":        {"", "must not be empty"},
		"too long":     {strings.Repeat("x", 201), "longer than 200 bytes"},
		"NUL":          {"a\x00b", "control character"},
		"newline":      {"a\nb", "control character"},
		"no UTF-8":     {"a\xff", "UTF-8"},
		"path to root": {"../../etc", "slash"},
	} {
		t.Run(what, func(t *testing.T) {
			spec := &s6.Spec{Command: []string{"sleep"}, ConfigFiles: map[string]string{test.name: ""}}
			err := spec.Validate()
			require.ErrorIs(t, err, fsm.ErrName)
			if what != "up" && what != "path to root" {
				require.ErrorContains(t, err, test.rule)
			}

			err = m.Apply(t.Context(), map[string]desired{test.name: {State: s6.Running, Spec: plainSpec}})
			var refused *fsm.RefusedError
			require.ErrorAs(t, err, &refused)
			require.ErrorIs(t, err, fsm.ErrName)
			assert.Empty(t, m.Snapshot())
		})
	}
	assert.Empty(t, list(t, tree.FS(), tree.Layout().ServicesDir))
}

func TestSpecValidateSaysAll(t *testing.T) {
	err := (&s6.Spec{Dir: "x", User: " ", StopSignal: "x"}).Validate()
	for _, field := range []string{"command:", "dir:", "user:", "stopSignal:"} {
		assert.ErrorContains(t, err, field)
	}
}

// TestHashCoversEveryField changes each field that there is, whoever added it,
// and wants another hash each time.
func TestHashCoversEveryField(t *testing.T) {
	full := func() *s6.Spec {
		spec := new(s6.Spec)
		fill(t, reflect.ValueOf(spec).Elem())
		return spec
	}
	base := full()
	require.Equal(t, base.Hash(), full().Hash())
	seen := map[string]string{base.Hash(): "the unchanged spec"}
	count := 0
	walk(reflect.ValueOf(full()).Elem(), "Spec", func(path string, change func(spec reflect.Value)) {
		spec := full()
		change(reflect.ValueOf(spec).Elem())
		count++
		hash := spec.Hash()
		assert.NotContains(t, seen, hash, "%s does not count: the same hash as %s", path, seen[hash])
		seen[hash] = path
	})
	assert.Greater(t, count, 25)
}

// fill gives every field a value other than zero.
func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.ValueOf([]string{"a", "b"}))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"a": "b"}))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("no value for a field of kind %s is known here", v.Kind())
	}
}

// walk visits the ways to change one field of a spec.
func walk(v reflect.Value, path string, visit func(path string, change func(spec reflect.Value))) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		at, name := field.Index, path+"."+field.Name
		if field.Type.Kind() == reflect.Struct {
			walk(v.Field(i), name, func(inner string, change func(reflect.Value)) {
				visit(inner, func(spec reflect.Value) { change(spec.FieldByIndex(at)) })
			})
			continue
		}
		set := func(what string, value any) {
			visit(name+" "+what, func(spec reflect.Value) {
				spec.FieldByIndex(at).Set(reflect.ValueOf(value).Convert(field.Type))
			})
		}
		visit(name+" zero", func(spec reflect.Value) { spec.FieldByIndex(at).SetZero() })
		switch field.Type.Kind() {
		case reflect.String:
			set("other", "y")
		case reflect.Int, reflect.Int64:
			set("other", 8)
		case reflect.Slice:
			set("longer", []string{"a", "b", ""})
			set("joined", []string{"a b"})
		case reflect.Map:
			set("value", map[string]string{"a": "c"})
			set("key", map[string]string{"b": "b"})
			set("more", map[string]string{"a": "b", "c": ""})
		}
	}
}

func TestHashOfEmpty(t *testing.T) {
	bare := &s6.Spec{Command: []string{"a"}}
	empty := &s6.Spec{
		Command: []string{"a"}, Env: map[string]string{}, ConfigFiles: map[string]string{},
		Ready: s6.Readiness{Check: []string{}}, Finish: []string{},
	}
	assert.Equal(t, bare.Hash(), empty.Hash())
	assert.Equal(t, s6.ProcessHash(bare), s6.ProcessHash(empty))
	assert.Len(t, bare.Hash(), 64)
}

func TestProcessHash(t *testing.T) {
	same := map[string]func(s *s6.Spec){
		"log":            func(s *s6.Spec) { s.Log = s6.Log{FileSize: 5000, Files: 2, TAI64N: true, RemoveWithService: true} },
		"note":           func(s *s6.Spec) { s.Note = "n" },
		"start time-out": func(s *s6.Spec) { s.StartTimeout = time.Second },
		// What follows is looked up by s6-supervise when it needs it.
		"stop time-out":   func(s *s6.Spec) { s.StopTimeout = time.Second },
		"stop signal":     func(s *s6.Spec) { s.StopSignal = "INT" },
		"finish":          func(s *s6.Spec) { s.Finish = []string{"true"} },
		"check":           func(s *s6.Spec) { s.Check = s6.Check{TCP: "127.0.0.1:5432", Restart: true} },
		"policy":          func(s *s6.Spec) { s.Policy = s6.Policy{Restart: s6.RestartNever} },
		"finish time-out": func(s *s6.Spec) { s.FinishTimeout = time.Second },
	}
	other := map[string]func(s *s6.Spec){
		"command":      func(s *s6.Spec) { s.Command = []string{"sleep", "2"} },
		"env":          func(s *s6.Spec) { s.Env = map[string]string{"A": ""} },
		"dir":          func(s *s6.Spec) { s.Dir = "/" },
		"config files": func(s *s6.Spec) { s.ConfigFiles = map[string]string{"a": ""} },
		"user":         func(s *s6.Spec) { s.User = "nobody" },
		"limits":       func(s *s6.Spec) { s.Limits.OpenFiles = 3 },
		"readiness":    func(s *s6.Spec) { s.Ready.Announced = true },
	}
	assert.Equal(t, reflect.TypeFor[s6.Spec]().NumField(), len(same)+len(other), "which kind is the new field of?")
	base := &s6.Spec{Command: []string{"sleep"}}
	for what, change := range same {
		spec := *base
		change(&spec)
		assert.Equal(t, s6.ProcessHash(base), s6.ProcessHash(&spec), what)
		assert.NotEqual(t, base.Hash(), spec.Hash(), what)
	}
	for what, change := range other {
		spec := *base
		change(&spec)
		assert.NotEqual(t, s6.ProcessHash(base), s6.ProcessHash(&spec), what)
	}
}

func TestRefusedSpec(t *testing.T) {
	tree := s6test.New(s6test.Config{})
	defer func() { assert.NoError(t, tree.Close()) }()
	m, err := s6.NewManager(tree, fsm.Config{})
	require.NoError(t, err)
	for _, spec := range []*s6.Spec{nil, {}} {
		err := m.Apply(t.Context(), map[string]desired{"a": {State: s6.Running, Spec: spec}})
		require.ErrorIs(t, err, s6.ErrSpec, fmt.Sprint(spec))
	}
	require.NoError(t, m.Apply(t.Context(), map[string]desired{"a": {State: fsm.StateRemoved}}))
}
