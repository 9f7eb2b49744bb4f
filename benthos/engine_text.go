package benthos

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

var errNoCounters = errors.New("cannot read the metrics: no counter of Benthos is among them")

// parseMetrics reads Prometheus text. It looks at no more of a line of another
// family than its name. Values that are not counts (negative, NaN) count as zero.
// An error is: other text, text that ends within a line, text without any of the
// counters, and whatever the format does not allow in a line of theirs. Names in
// quotes are an error as well: no engine serves them unless it is asked to.
//
// The format: https://prometheus.io/docs/instrumenting/exposition_formats/
func parseMetrics(text []byte) (Metrics, error) {
	var m Metrics
	r := metricsReader{labels: make([][]byte, 0, 8)}
	counters := m.families()
	for i := range counters {
		r.families[i].name = counters[i].name
	}
	in, out := &r.families[counterCount], &r.families[counterCount+1]
	in.name, out.name = "input_connection_up", "output_connection_up"
	for n := 1; len(text) > 0; n++ {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		r.rest, text = line, rest
		err := r.readLine()
		if err == nil && !whole && len(bytes.Trim(line, " \t")) > 0 {
			err = errors.New("the text ends within it")
		}
		if err != nil {
			return Metrics{}, fmt.Errorf("cannot read the metrics: line %d: %w", n, err)
		}
	}
	if !slices.ContainsFunc(r.families[:], func(f servedFamily) bool { return f.series > 0 }) {
		return Metrics{}, errNoCounters
	}
	for i := range counters {
		*counters[i].counter = r.families[i].total
	}
	m.InputUncounted = r.family([]byte("input_received")).series == 0
	m.InputConnections, m.InputConnectionUp = in.series, in.up
	m.OutputConnections, m.OutputConnectionUp = out.series, out.up
	return m, nil
}

// metricsReader reads lines of Prometheus text, one after the other.
type metricsReader struct {
	rest     []byte   // of the line that is read, without its end
	labels   [][]byte // names of its labels so far
	families [counterCount + 2]servedFamily
}

// servedFamily is what a text says of a family.
type servedFamily struct {
	name      string
	helped    bool   // its HELP was there
	typed     bool   // its TYPE was, or a sample
	composite bool   // a type whose samples are no counts
	series    uint64 // samples
	up        uint64 // those that are not zero
	total     uint64 // their sum
}

// add adds a sample. Bento calls connection_up a counter although it also goes
// down, so every simple type is read the same way.
func (f *servedFamily) add(value float64) {
	f.typed = true
	f.series++
	n := count(value)
	if n == 0 || f.composite {
		return
	}
	f.up++
	if f.total > math.MaxUint64-n {
		n = math.MaxUint64 - f.total
	}
	f.total += n
}

// count is a value as a whole number.
func count(v float64) uint64 {
	switch {
	case !(v > 0): // NaN too
		return 0
	case v >= math.MaxUint64:
		return math.MaxUint64
	}
	return uint64(v)
}

func (r *metricsReader) readLine() error {
	r.skipBlanks()
	switch {
	case len(r.rest) == 0:
		return nil
	case r.skip('#'):
		return r.readComment()
	}
	name := r.readName(true)
	if len(name) == 0 || len(r.rest) == 0 || r.rest[0] != '{' && !isBlank(r.rest[0]) {
		return errors.New("it is no sample")
	}
	if f := r.family(name); f != nil {
		return r.readSample(f)
	}
	return nil
}

// readComment reads what comes after the number sign.
func (r *metricsReader) readComment() error {
	r.skipBlanks()
	keyword := r.readToken()
	isType := string(keyword) == "TYPE"
	if !isType && string(keyword) != "HELP" {
		return nil
	}
	r.skipBlanks()
	name := r.readName(true)
	if len(r.rest) == 0 {
		return nil
	}
	if !isBlank(r.rest[0]) {
		return fmt.Errorf("%s of no metric name", keyword)
	}
	r.skipBlanks()
	f := r.family(name)
	switch {
	case f == nil || len(r.rest) == 0:
		return nil
	case isType:
		return f.readType(r.rest)
	case f.helped:
		return fmt.Errorf("a second HELP of %s", f.name)
	}
	f.helped = true
	return checkEscapes(r.rest)
}

func (f *servedFamily) readType(name []byte) error {
	if f.typed {
		return fmt.Errorf("a second TYPE of %s, or one after its samples", f.name)
	}
	f.typed = true
	is := func(other string) bool { return bytes.EqualFold(name, []byte(other)) }
	switch {
	case is("counter"), is("gauge"), is("untyped"):
	case is("summary"), is("histogram"), is("gauge_histogram"), is("gaugehistogram"):
		f.composite = true
	default:
		return fmt.Errorf("%s is of the unknown type %q", f.name, name)
	}
	return nil
}

// readSample reads what comes after the name: labels, a value, a timestamp.
func (r *metricsReader) readSample(f *servedFamily) error {
	r.skipBlanks()
	if r.skip('{') {
		if err := r.readLabels(); err != nil {
			return err
		}
		r.skipBlanks()
	}
	token := r.readToken()
	value, err := strconv.ParseFloat(string(token), 64)
	if err != nil || bytes.ContainsAny(token, "pP_") { // which Go takes
		return fmt.Errorf("%q is no value", token)
	}
	f.add(value)
	if len(r.rest) == 0 {
		return nil
	}
	r.skipBlanks()
	if _, err := strconv.ParseInt(string(r.rest), 10, 64); err != nil {
		return fmt.Errorf("%q is no timestamp", r.rest)
	}
	return nil
}

// readLabels reads labels up to the brace that ends them.
func (r *metricsReader) readLabels() error {
	r.labels = r.labels[:0]
	for {
		r.skipBlanks()
		if r.skip('}') {
			return nil
		}
		name := r.readName(false)
		r.skipBlanks()
		if len(name) == 0 || !r.skip('=') {
			return errors.New("a label has no name, or no value")
		}
		same := func(other []byte) bool { return bytes.Equal(name, other) }
		if string(name) == "__name__" || slices.ContainsFunc(r.labels, same) {
			return fmt.Errorf("the label %s is there twice, or is reserved", name)
		}
		r.labels = append(r.labels, name)
		r.skipBlanks()
		if err := r.readLabelValue(); err != nil {
			return err
		}
		r.skipBlanks()
		if !r.skip(',') && (len(r.rest) == 0 || r.rest[0] != '}') {
			return errors.New("its labels do not end")
		}
	}
}

// readLabelValue reads a value in its quotes.
func (r *metricsReader) readLabelValue() error {
	if !r.skip('"') {
		return errors.New("the value of a label has no quotes")
	}
	end := 0
	for end < len(r.rest) && r.rest[end] != '"' {
		if r.rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(r.rest) {
		return errors.New("the value of a label does not end")
	}
	value := r.rest[:end]
	r.rest = r.rest[end+1:]
	if !utf8.Valid(value) {
		return errors.New("the value of a label is not UTF-8")
	}
	return checkEscapes(value)
}

// checkEscapes refuses backslashes before anything that needs none.
func checkEscapes(text []byte) error {
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return nil
		}
		if text = text[at+1:]; len(text) == 0 || !bytes.Contains([]byte(`\"n`), text[:1]) {
			return errors.New("a backslash that escapes nothing")
		}
		text = text[1:]
	}
}

// family returns the family with a name, nil for one that is not looked at.
func (r *metricsReader) family(name []byte) *servedFamily {
	for i := range r.families {
		if string(name) == r.families[i].name {
			return &r.families[i]
		}
	}
	return nil
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' }

func (r *metricsReader) skipBlanks() {
	for len(r.rest) > 0 && isBlank(r.rest[0]) {
		r.rest = r.rest[1:]
	}
}

// skip skips a byte, if it is the next.
func (r *metricsReader) skip(b byte) bool {
	if len(r.rest) == 0 || r.rest[0] != b {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// readToken reads up to a blank.
func (r *metricsReader) readToken() []byte {
	end := 0
	for end < len(r.rest) && !isBlank(r.rest[end]) {
		end++
	}
	token := r.rest[:end]
	r.rest = r.rest[end:]
	return token
}

// readName reads the name of a family or of a label; a colon is only in the
// former.
func (r *metricsReader) readName(ofFamily bool) []byte {
	end := 0
	for end < len(r.rest) {
		b := r.rest[end]
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' || ofFamily && b == ':'
		if !letter && (end == 0 || b < '0' || b > '9') {
			break
		}
		end++
	}
	name := r.rest[:end]
	r.rest = r.rest[end:]
	return name
}
