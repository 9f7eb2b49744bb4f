package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/evenkeel/evenkeel/internal/nearest"
)

// walker looks for what the schema does not allow in nodes of a file.
type walker struct {
	file     string
	entry    Key
	problems []Problem
}

func (w *walker) add(n *yaml.Node, format string, args ...any) {
	w.problems = append(w.problems, Problem{
		At: Position{w.file, n.Line, n.Column}, Entry: w.entry, What: fmt.Sprintf(format, args...),
	})
}

// walk holds a node against the type that it is to become. path names it.
func (w *walker) walk(n *yaml.Node, t reflect.Type, path string) {
	at := n
	n = resolved(n)
	switch {
	case t == reflect.TypeFor[time.Duration]():
		w.duration(at, n, path)
	case t == reflect.TypeFor[value]():
		w.value(at, n, path)
	case t == reflect.TypeFor[dependency]():
		w.dependency(at, n, path)
	case path == "benthosServiceConfig.metrics", path == "dataFlowComponentConfig.benthos.metrics":
		w.free(n, path) // either of two forms, of which benthos.Config knows more
	case n.ShortTag() == nullTag: // as if it were not there
	case t.Kind() == reflect.Struct:
		if w.isA(yaml.MappingNode, at, n, path) {
			w.fields(n, t, path)
		}
	case t.Kind() == reflect.Map:
		if w.isA(yaml.MappingNode, at, n, path) {
			w.values(n, t.Elem(), path)
		}
	case t.Kind() == reflect.Slice:
		if w.isA(yaml.SequenceNode, at, n, path) {
			for i, e := range n.Content {
				w.walk(e, t.Elem(), path+"."+strconv.Itoa(i))
			}
		}
	case t.Kind() == reflect.Interface:
		w.free(n, path)
	default:
		w.scalar(at, n, t, path)
	}
}

// isA reports whether a node is a mapping or a list, and says so if it is not.
func (w *walker) isA(kind yaml.Kind, at, n *yaml.Node, path string) bool {
	if n.Kind != kind {
		is := described(n)
		if n.Kind == yaml.ScalarNode && path != "" && n.ShortTag() != nullTag {
			is = "a text" // which may be a secret
		}
		w.add(at, "%s is %s, and must be %s", path, is, described(&yaml.Node{Kind: kind}))
	}
	return n.Kind == kind
}

// fields walks a mapping whose keys are known.
func (w *walker) fields(n *yaml.Node, t reflect.Type, path string) {
	known := fieldsOf(t)
	for key, v := range w.each(n, path) {
		field, ok := known[key.Value]
		switch {
		case key.ShortTag() == mergeTag:
			for _, from := range merged(v) {
				if w.isA(yaml.MappingNode, v, from, path) {
					w.fields(from, t, path)
				}
			}
		case !ok:
			w.unknown(key, path, known)
		default:
			w.walk(v, field, below(path, key.Value))
		}
	}
}

func (w *walker) unknown(key *yaml.Node, path string, known map[string]reflect.Type) {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	hint := w.instead(key.Value, path)
	if hint == "" {
		hint = "there are " + strings.Join(names, ", ")
		if near := nearest.Word(key.Value, names); near != "" {
			hint = "did you mean " + near + "?"
		}
	}
	w.add(key, "there is no %s: %s", below(path, cut(key.Value)), hint)
}

// instead says what there is in place of a key that is known elsewhere, nothing of
// any other.
func (w *walker) instead(key, path string) string {
	switch {
	case w.entry.Kind != KindStream:
	case key == "check" && path == "":
		return "a stream is asked itself whether it is ready, and its metrics say what it does"
	case key == "expectTraffic":
		return "it stands beside " + strings.Split(path, ".")[0]
	}
	return ""
}

// values walks a mapping with any keys.
func (w *walker) values(n *yaml.Node, t reflect.Type, path string) {
	for key, v := range w.each(n, path) {
		if key.ShortTag() != mergeTag {
			w.walk(v, t, below(path, key.Value))
			continue
		}
		for _, from := range merged(v) {
			if w.isA(yaml.MappingNode, v, from, path) {
				w.values(from, t, path)
			}
		}
	}
}

// free walks what is not ours to know: only keys that are given twice are wrong.
func (w *walker) free(n *yaml.Node, path string) {
	switch n = resolved(n); n.Kind {
	case yaml.MappingNode:
		for key, v := range w.each(n, path) {
			w.free(v, below(path, key.Value))
		}
	case yaml.SequenceNode:
		for i, e := range n.Content {
			w.free(e, path+"."+strconv.Itoa(i))
		}
	}
}

// each returns the keys of a mapping with their values, each key once.
func (w *walker) each(n *yaml.Node, path string) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		first := make(map[string]int)
		for pair := range slices.Chunk(n.Content, 2) {
			key := resolved(pair[0])
			if key.Kind != yaml.ScalarNode {
				w.add(pair[0], "a key of %s is %s, and must be a text", cmp.Or(path, "the file"), described(key))
				continue
			}
			if line, twice := first[key.Value]; twice {
				w.add(pair[0], "%s is given twice: it is on line %d already", below(path, cut(key.Value)), line)
				continue
			}
			first[key.Value] = key.Line
			if !yield(key, pair[1]) {
				return
			}
		}
	}
}

// field returns the value of a key of a mapping, nil if it has none.
func field(n *yaml.Node, key string) *yaml.Node {
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	var taken *yaml.Node
	for pair := range slices.Chunk(n.Content, 2) {
		switch {
		case pair[0].Value == key:
			return resolved(pair[1])
		case pair[0].ShortTag() == mergeTag:
			for _, from := range merged(pair[1]) {
				if v := field(from, key); v != nil && taken == nil {
					taken = v
				}
			}
		}
	}
	return taken
}

// merged returns the mappings that a merge key takes over.
func merged(n *yaml.Node) []*yaml.Node {
	n = resolved(n)
	if n.Kind != yaml.SequenceNode {
		return []*yaml.Node{n}
	}
	all := make([]*yaml.Node, len(n.Content))
	for i, e := range n.Content {
		all[i] = resolved(e)
	}
	return all
}

func (w *walker) duration(at, n *yaml.Node, path string) {
	if n.ShortTag() == nullTag {
		return
	}
	if _, err := time.ParseDuration(n.Value); n.ShortTag() != "!!str" || err != nil {
		w.add(at, "%s is %s, and must be a duration with a unit, such as 500ms, 5s or 1m30s", path, described(n))
	}
}

// value holds a node against what a value may be.
func (w *walker) value(at, n *yaml.Node, path string) {
	// A value that begins with & or ! and has no quotes is another one than meant.
	if n.Kind == yaml.ScalarNode && (n.Value != "" || n.Anchor == "") && n.Style&yaml.TaggedStyle == 0 {
		return
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		key, v := n.Content[0], resolved(n.Content[1])
		if (key.Value == "file" || key.Value == "env") && v.Kind == yaml.ScalarNode && v.Value != "" {
			return
		}
	}
	w.add(at, "%s must be a text, {file: PATH} or {env: NAME}", path)
}

// dependency holds a node against what a dependency may be.
func (w *walker) dependency(at, n *yaml.Node, path string) {
	name := n
	if n.Kind == yaml.MappingNode {
		w.fields(n, reflect.TypeFor[dependency](), path)
		name = field(n, "name")
		is := field(n, "is")
		if is != nil && is.ShortTag() != nullTag && !slices.Contains([]string{"ready", "running", "done"}, is.Value) {
			w.add(is, "%s.is is %s, and must be ready, running or done", path, described(is))
		}
	}
	if name == nil || name.Kind != yaml.ScalarNode || name.Value == "" || name.ShortTag() == nullTag {
		w.add(at, "%s must be the name of an entry, or {name: NAME, is: ready, running or done}", path)
	}
}

func (w *walker) scalar(at, n *yaml.Node, t reflect.Type, path string) {
	must := ""
	switch {
	case t.Kind() == reflect.String && n.Kind != yaml.ScalarNode:
		must = "a text"
	case t.Kind() == reflect.Bool && n.ShortTag() != boolTag:
		must = "true or false"
	case t.Kind() != reflect.String && t.Kind() != reflect.Bool && n.ShortTag() != intTag:
		must = "a whole number"
	case n.Kind == yaml.ScalarNode && decode(n, reflect.New(t).Interface()) != nil:
		must = "a whole number of at most " + strconv.Itoa(t.Bits()) + " bits"
		if t.Kind() == reflect.Uint16 {
			must = "from 0 to 65535"
		}
	}
	if must != "" {
		w.add(at, "%s is %s, and must be %s", path, described(n), must)
	}
}

// fieldsOf returns the keys of a struct that is in a file, with their types. It is
// not modified.
func fieldsOf(t reflect.Type) map[string]reflect.Type { return schemaFields()[t] }

// schemaFields are the keys of all structs that are in a file. To find out those of
// one takes longer than to read an entry.
var schemaFields = sync.OnceValue(func() map[reflect.Type]map[string]reflect.Type {
	all := make(map[reflect.Type]map[string]reflect.Type)
	addFields(all, reflect.TypeFor[file]())
	return all
})

// addFields adds the keys of a type, and of those that are in it.
func addFields(all map[reflect.Type]map[string]reflect.Type, t reflect.Type) {
	switch t.Kind() {
	case reflect.Slice, reflect.Map:
		addFields(all, t.Elem())
		return
	case reflect.Struct:
	default:
		return
	}
	if all[t] != nil {
		return
	}
	known := make(map[string]reflect.Type)
	all[t] = known
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
			known[name] = f.Type
			addFields(all, f.Type)
		}
	}
}

// below names what is below a path.
func below(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
