package benthos

import (
	"bytes"
	"encoding/json"
)

// MarshalJSON returns the configuration with the keys that it has in YAML, the
// ShutdownTimeout in nanoseconds. Values become what YAML would have of them:
// a time.Duration within a section is text such as "1s". Nothing is masked.
func (c Config) MarshalJSON() ([]byte, error) {
	type plain Config
	return json.Marshal(plain(c.converted(jsonValue)))
}

// UnmarshalJSON reads what MarshalJSON returned, as a Config of the same
// document but that an unquoted date is text. Whole numbers are int, or uint64 where they
// are too large for that.
func (c *Config) UnmarshalJSON(data []byte) error {
	type plain Config
	var read plain
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&read); err != nil {
		return err
	}
	*c = Config(read).converted(goValue)
	return nil
}

// place is where in a configuration a value stands.
type place struct {
	path   []string // the keys that lead there; not to be kept
	before any      // the value before it in a list
}

// converted returns a copy of c that shares no map and no list with it, with
// what f returns in the place of each value that is neither. What is nested
// deeper than maxDepth counts as that; Validate refuses it.
func (c Config) converted(f func(at place, v any) any) Config {
	c.Input = convertMap(c.Input, "input", f)
	c.Pipeline = convertMap(c.Pipeline, "pipeline", f)
	c.Buffer = convertMap(c.Buffer, "buffer", f)
	c.Output = convertMap(c.Output, "output", f)
	c.CacheResources = convertMaps(c.CacheResources, "cache_resources", f)
	c.RateLimitResources = convertMaps(c.RateLimitResources, "rate_limit_resources", f)
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

// jsonValue is the scalar that JSON has in the place of another.
func jsonValue(_ place, v any) any {
	n, err := classify(v)
	if err != nil {
		return v
	}
	switch n.shape {
	case shapeString:
		return n.s
	case shapeTime:
		return timeText(n.t)
	case shapeInt:
		return n.i
	case shapeUint:
		return n.u
	case shapeFloat:
		return n.f
	}
	return v
}

// goValue is the Go value of a scalar that was read as JSON.
func goValue(_ place, v any) any {
	number, ok := v.(json.Number)
	if !ok {
		return v
	}
	n, err := classify(number)
	switch {
	case err != nil:
		return v
	case n.shape == shapeInt && int64(int(n.i)) == n.i:
		return int(n.i)
	case n.shape == shapeInt:
		return n.i
	case n.shape == shapeUint:
		return n.u
	}
	return n.f
}
