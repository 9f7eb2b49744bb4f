package benthos

// Clone returns a copy that shares no map and no list with c.
func (c Config) Clone() Config {
	return c.converted(func(_ place, v any) any { return v })
}

// place is where in a configuration a value stands.
type place struct {
	path   []string // the keys that lead there; not to be kept
	before any      // the value before it in a list
}

// converted returns a copy of c that shares no map and no list with it, with
// each other value replaced by what f returns for it. A value that is nested
// deeper than maxDepth is replaced as a whole; Validate refuses it.
func (c Config) converted(f func(at place, v any) any) Config {
	for _, s := range append(c.sections(), c.additions()...) {
		*s.at = convertMap(*s.at, s.name, f)
	}
	for _, r := range c.resources() {
		*r.at = convertMaps(*r.at, r.name, f)
	}
	return c
}

func convertMap(m map[string]any, section string, f func(at place, v any) any) map[string]any {
	if m == nil {
		return nil
	}
	return convert(m, place{path: []string{section}}, f).(map[string]any)
}

func convertMaps(list []map[string]any, section string, f func(at place, v any) any) []map[string]any {
	if list == nil {
		return nil
	}
	out := make([]map[string]any, len(list))
	for i, m := range list {
		out[i] = convertMap(m, section, f)
	}
	return out
}

func convert(v any, at place, f func(at place, v any) any) any {
	n, err := classify(v)
	switch {
	case err != nil || len(at.path) > maxDepth:
		return f(at, v)
	case n.shape == shapeMap:
		out := make(map[string]any, len(n.m))
		for k, e := range n.m {
			out[k] = convert(e, place{path: append(at.path, k)}, f)
		}
		return out
	case n.shape == shapeList:
		out := make([]any, len(n.list))
		at.before = nil
		for i, e := range n.list {
			out[i] = convert(e, at, f)
			at.before = e
		}
		return out
	}
	return f(at, v)
}
