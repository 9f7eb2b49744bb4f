package config

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/invopop/jsonschema"
)

// Schema returns the JSON Schema (draft 2020-12) of a file, for editors that
// complete and check what is written. It refuses nothing that Read takes. Read
// refuses more: names and ports that two entries have, for instance, and all
// that the engine's linter knows.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{
		Anonymous: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true,
		Mapper: schemaOf,
	}
	made, err := json.Marshal(r.Reflect(file{}))
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(made, &all); err != nil {
		return nil, err
	}
	all["title"] = "What evenkeel keeps running"
	defs := all["$defs"].(map[string]any)
	addNotRun(defs["file"], notRun)
	addNotRun(defs["internal"], notRunInside)
	for _, entry := range []string{"serviceEntry", "streamEntry", "flowEntry"} {
		name := properties(defs[entry])["name"].(map[string]any)
		name["pattern"], name["type"] = wellNamed.String(), []any{"string", "number", "boolean"}
	}
	properties(defs["Config"])["metrics"] = metricsSchema
	widen(all)
	return json.MarshalIndent(all, "", "  ")
}

// schemaOf is for the types that are written in another way than they are kept.
func schemaOf(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^[+-]?0$`},
			{Type: "null"},
		}}
	case reflect.TypeFor[value]():
		from := func(key string) *jsonschema.Schema {
			s := &jsonschema.Schema{Type: "object", Required: []string{key}, AdditionalProperties: jsonschema.FalseSchema, Properties: jsonschema.NewProperties()}
			s.Properties.Set(key, &jsonschema.Schema{Type: "string"})
			return s
		}
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, from("file"), from("env")}}
	}
	if t == reflect.TypeFor[dependency]() {
		// The pattern keeps it from being widened by nothing.
		name := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Pattern: "."}, {Type: "number", Pattern: "."}, {Type: "boolean", Pattern: "."}}}
		s := &jsonschema.Schema{Type: "object", Required: []string{"name"}, AdditionalProperties: jsonschema.FalseSchema, Properties: jsonschema.NewProperties()}
		s.Properties.Set("name", name)
		s.Properties.Set("is", &jsonschema.Schema{Type: "string", Enum: []any{"ready", "running", "done"}})
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{name, s}}
	}
	if t.Kind() == reflect.Uint16 {
		return &jsonschema.Schema{Type: "integer", Minimum: "0", Maximum: "65535"}
	}
	return nil
}

// metricsSchema is what a configuration says of metrics, in either form.
var metricsSchema = map[string]any{"anyOf": []any{
	map[string]any{"type": "string", "enum": []any{"prometheus", "none", ""}},
	map[string]any{
		"type": "object", "additionalProperties": false,
		"properties": map[string]any{
			"mapping":    map[string]any{"type": "string"},
			"prometheus": map[string]any{"type": "object", "additionalProperties": false},
			"none":       map[string]any{"type": "object", "additionalProperties": false},
		},
	},
}}

func properties(schema any) map[string]any {
	return schema.(map[string]any)["properties"].(map[string]any)
}

func addNotRun(schema any, sections []string) {
	for _, name := range sections {
		properties(schema)[name] = map[string]any{"description": "is not run"}
	}
}

// widen lets every schema take what a decoder of YAML takes: a key without a
// value, which is as if it were not there, and for a text any scalar.
func widen(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		types, typed := s["type"].(string)
		values, limited := s["enum"].([]any)
		switch {
		case typed && limited:
			s["enum"] = append(values, nil)
			delete(s, "type")
		case typed && types == "string" && s["pattern"] == nil:
			s["type"] = []any{"string", "number", "boolean", "null"}
		case typed && types != "null" && s["pattern"] == nil:
			s["type"] = []any{types, "null"}
		}
		for _, below := range s {
			widen(below)
		}
	case []any:
		for _, below := range s {
			widen(below)
		}
	}
}
