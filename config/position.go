package config

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/fsm/order"
)

// Position is a place in a file. Line and Column count from 1, columns in
// characters; both are 0 where the file as a whole is meant.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String returns file:line:column, or the file alone.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// compare orders positions as one reads.
func (p Position) compare(other Position) int {
	return cmp.Or(strings.Compare(p.File, other.File), cmp.Compare(p.Line, other.Line), cmp.Compare(p.Column, other.Column))
}

// Problem is something wrong in a file. It is an error.
type Problem struct {
	At Position `json:"at"`
	// Entry is the instance that cannot be taken because of it, in the kind it
	// is of. Without a name the file as a whole cannot be taken.
	Entry Key `json:"entry,omitzero"`
	// What says what is wrong, and what to do.
	What string `json:"what"`
}

// Error returns where the problem is and what it is.
func (p Problem) Error() string { return p.At.String() + ": " + p.What }

// Key names an instance.
type Key struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
}

// Compare orders keys by their names, and those of one name by their kinds.
func (k Key) Compare(other Key) int { return k.ID().Compare(other.ID()) }

// String returns the name.
func (k Key) String() string { return k.Name }

// ID returns the key as that of a member of an order.
func (k Key) ID() order.ID { return order.ID{Kind: string(k.Kind), Name: k.Name} }

// Kind is a kind of instance.
type Kind string

// The kinds of instances that a file can ask for.
const (
	KindService Kind = "service" // an s6.Spec
	KindStream  Kind = "stream"  // a benthos.Config
)
