package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// stored is a record as it stands on disk. Pass and Change have what a Record has in
// its Pass.
type stored struct {
	At         time.Time       `json:"at"`
	Begun      *Begun          `json:"begun,omitempty"`
	Pass       json.RawMessage `json:"pass,omitempty"`
	Change     *change         `json:"change,omitempty"`
	Transition *Transition     `json:"transition,omitempty"`
	Note       *Note           `json:"note,omitempty"`
	Gap        *Gap            `json:"gap,omitempty"`
}

// change is a pass as what differs from the one before over the same instance, which
// On names by the checksum of its line.
type change struct {
	Kind     string          `json:"kind"`
	Instance string          `json:"instance"`
	On       string          `json:"on"`
	Set      json.RawMessage `json:"set,omitempty"`
	Gone     [][]string      `json:"gone,omitempty"`
}

// key is an instance of a kind.
type key struct{ kind, instance string }

// last is the newest pass over an instance in a file, and the checksum of its line.
type last struct {
	sum  string
	pass object
}

// A line begins with sumBegin, the checksum in hex, and sumEnd, in place of the brace
// that opens the object of which the checksum is.
const (
	sumBegin = `{"sum":"`
	sumEnd   = `",`
	sumSize  = 8
	headSize = len(sumBegin) + sumSize + len(sumEnd)
)

// line returns a record as a line, and its checksum.
func (s *stored) line() (line []byte, sum string, err error) {
	body, err := json.Marshal(s)
	if err != nil {
		return nil, "", err
	}
	sum = checksum(body)
	line = make([]byte, 0, len(body)+headSize)
	line = append(line, sumBegin+sum+sumEnd...)
	line = append(line, body[1:]...)
	return append(line, '\n'), sum, nil
}

func checksum(text []byte) string {
	return fmt.Sprintf("%0*x", sumSize, crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
}

// errDamaged is the error of a line that is not as it was written.
var errDamaged = errors.New("the line was cut short or damaged")

// parse reads a line, without the newline, and returns its checksum as well.
func parse(line []byte) (s *stored, sum string, err error) {
	if len(line) < headSize || !bytes.HasPrefix(line, []byte(sumBegin)) {
		return nil, "", errDamaged
	}
	sum = string(line[len(sumBegin) : len(sumBegin)+sumSize])
	body := append([]byte{'{'}, line[headSize:]...)
	if string(line[len(sumBegin)+sumSize:headSize]) != sumEnd || checksum(body) != sum {
		return nil, "", errDamaged
	}
	s = new(stored)
	if err := json.Unmarshal(body, s); err != nil {
		return nil, "", fmt.Errorf("the line is not one of this version: %w", err)
	}
	return s, sum, nil
}

// hold returns a record with the pass of a Record's in it: whole, or as what differs
// from the one before in a file.
func hold(r Record, before map[key]last) (s stored, pass object, err error) {
	s = stored{At: r.At, Begun: r.Begun, Transition: r.Transition, Note: r.Note, Gap: r.Gap}
	if r.Pass == nil {
		return s, nil, nil
	}
	if s.Pass, err = json.Marshal(r.Pass); err != nil {
		return s, nil, err
	}
	if pass, err = readObject(s.Pass); err != nil {
		return s, nil, err
	}
	if old, known := before[r.Pass.key()]; known {
		set, gone := difference(old.pass, pass)
		s.Pass, s.Change = nil, &change{Kind: r.Pass.Kind, Instance: r.Pass.Instance, On: old.sum, Gone: gone}
		if set != nil {
			s.Change.Set, err = json.Marshal(set)
		}
	}
	return s, pass, err
}

func (p *Pass) key() key { return key{p.Kind, p.Instance} }

// record returns what is said by what stands on disk, and notes passes in before.
func (s *stored) record(sum string, before map[key]last) (*Record, error) {
	r := &Record{At: s.At, Begun: s.Begun, Transition: s.Transition, Note: s.Note, Gap: s.Gap}
	var pass object
	var err error
	switch {
	case s.Pass != nil:
		pass, err = readObject(s.Pass)
	case s.Change != nil:
		old, known := before[key{s.Change.Kind, s.Change.Instance}]
		if !known || old.sum != s.Change.On {
			return nil, errors.New("the pass before it, from which it differs, cannot be read")
		}
		var set object
		if s.Change.Set != nil {
			set, err = readObject(s.Change.Set)
		}
		pass = changed(old.pass, set, s.Change.Gone)
	case s.Begun == nil && s.Transition == nil && s.Note == nil && s.Gap == nil:
		return nil, errors.New("a record of a later version")
	default:
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(pass)
	if err != nil {
		return nil, err
	}
	r.Pass = new(Pass)
	if err := json.Unmarshal(text, r.Pass); err != nil {
		return nil, err
	}
	before[r.Pass.key()] = last{sum, pass}
	return r, nil
}
