package benthos

import (
	"bytes"
	"encoding/json"
)

// MarshalJSON returns the configuration with the keys that it has in YAML, and
// the ShutdownTimeout in nanoseconds. Values become what YAML makes of them: a
// time.Duration within a section is text such as "1s". Nothing is masked.
func (c Config) MarshalJSON() ([]byte, error) {
	type plain Config
	return json.Marshal(plain(c.converted(jsonValue)))
}

// UnmarshalJSON reads what MarshalJSON returned, as a Config of the same
// document, except that JSON has no styles: an unquoted date and an unquoted
// ${NAME} become texts. Whole numbers are int, or uint64 if they are too large
// for that.
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

// jsonValue returns the scalar that JSON has for another one.
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
