package benthos

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"reflect"
	"slices"
	"strconv"
)

// Hash returns the SHA-256 of the configuration's canonical form as 64
// hexadecimal digits. Two configurations that Validate have the same hash
// exactly when they render to the same document: the order of keys, the Go
// types of whole numbers, defaults spelled out or left out, and absent against
// empty sections make no difference.
func (c Config) Hash() string {
	e := encoder{buf: make([]byte, 0, 2048), keys: make([]string, 0, 32)}
	e.text(c.listenAddr())
	e.text(c.level())
	e.text(c.metrics())
	e.count(uint64(c.shutdownTimeout()))
	for _, s := range c.sections() {
		e.mapping(s.value, 0)
	}
	for _, r := range c.resources() {
		e.count(uint64(len(r.values)))
		for _, m := range r.values {
			e.mapping(m, 0)
		}
	}
	sum := sha256.Sum256(e.buf)
	return hex.EncodeToString(sum[:])
}

// Equal reports whether c and o have the same Hash, without computing it. A
// section that is the very same map on both sides is not walked, so comparing
// an unchanged configuration with itself costs next to nothing.
func (c Config) Equal(o Config) bool {
	if c.MetricsPort != o.MetricsPort || c.host() != o.host() || c.level() != o.level() ||
		c.metrics() != o.metrics() || c.shutdownTimeout() != o.shutdownTimeout() {
		return false
	}
	theirs := o.sections()
	for i, s := range c.sections() {
		if !equalMaps(s.value, theirs[i].value, 0) {
			return false
		}
	}
	others := o.resources()
	for i, r := range c.resources() {
		if len(r.values) != len(others[i].values) {
			return false
		}
		for j, m := range r.values {
			if !equalMaps(m, others[i].values[j], 0) {
				return false
			}
		}
	}
	return true
}

// encoder writes values in an unambiguous form: a tag, then a length or a
// fixed number of bytes.
type encoder struct {
	buf  []byte
	keys []string // sorted keys of the maps being written, outermost first
}

func (e *encoder) count(n uint64) {
	e.buf = binary.AppendUvarint(e.buf, n)
}

func (e *encoder) text(s string) {
	e.count(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) mapping(m map[string]any, depth int) {
	e.buf = append(e.buf, 'm')
	e.count(uint64(len(m)))
	base := len(e.keys)
	for k := range m {
		e.keys = append(e.keys, k)
	}
	slices.Sort(e.keys[base:])
	for i := base; i < base+len(m); i++ {
		e.text(e.keys[i])
		e.value(m[e.keys[i]], depth+1)
	}
	e.keys = e.keys[:base]
}

func (e *encoder) value(v any, depth int) {
	n, err := classify(v)
	if err != nil || depth > maxDepth {
		e.buf = append(e.buf, '!')
		return
	}
	switch n.shape {
	case shapeNull:
		e.buf = append(e.buf, 'z')
	case shapeBool:
		e.buf = strconv.AppendBool(append(e.buf, 'b'), n.b)
	case shapeInt:
		e.buf = binary.AppendVarint(append(e.buf, 'i'), n.i)
	case shapeUint:
		e.buf = binary.AppendUvarint(append(e.buf, 'u'), n.u)
	case shapeFloat:
		e.buf = binary.BigEndian.AppendUint64(append(e.buf, 'f'), math.Float64bits(n.f))
	case shapeString:
		e.buf = append(e.buf, 's')
		e.text(n.s)
	case shapeTime:
		e.buf = append(e.buf, 't')
		e.text(timeText(n.t))
	case shapeMap:
		e.mapping(n.m, depth)
	case shapeList:
		e.buf = append(e.buf, 'l')
		e.count(uint64(len(n.list)))
		for _, v := range n.list {
			e.value(v, depth+1)
		}
	}
}

func equalMaps(a, b map[string]any, depth int) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) == 0 || reflect.ValueOf(a).UnsafePointer() == reflect.ValueOf(b).UnsafePointer() {
		return true
	}
	for k, x := range a {
		y, ok := b[k]
		if !ok || !equalValues(x, y, depth+1) {
			return false
		}
	}
	return true
}

func equalValues(x, y any, depth int) bool {
	a, errA := classify(x)
	b, errB := classify(y)
	if errA != nil || errB != nil || depth > maxDepth {
		return false
	}
	if a.shape != b.shape {
		return false
	}
	switch a.shape {
	case shapeMap:
		return equalMaps(a.m, b.m, depth)
	case shapeList:
		return slices.EqualFunc(a.list, b.list, func(x, y any) bool { return equalValues(x, y, depth+1) })
	case shapeTime:
		return timeText(a.t) == timeText(b.t)
	default:
		return a.b == b.b && a.i == b.i && a.u == b.u && a.f == b.f && a.s == b.s
	}
}
