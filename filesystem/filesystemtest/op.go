package filesystemtest

import (
	"fmt"
	"math/bits"
	"strings"
)

// Kind is a set of kinds of operation; one bit is one method of
// [filesystem.FS] or [filesystem.Appender] or, for ReadAt and FileStat, of
// [filesystem.File]. Query and
// Command are operations of another interface, which [Faulty.Do] counts.
type Kind uint32

// The kinds of operation.
const (
	ReadFile Kind = 1 << iota
	ReadRange
	Open
	ReadAt   // of an open file
	FileStat // of an open file
	Readlink
	Stat
	Lstat
	ReadDir
	WriteFile
	ReplaceFile
	SyncAll
	Mkdir
	MkdirAll
	Symlink
	Rename
	Remove
	RemoveAll
	Query   // of something else than the filesystem
	Command // to something else than the filesystem
	AppendFile

	// Reads are the operations that change nothing.
	Reads = ReadFile | ReadRange | Open | ReadAt | FileStat | Readlink | Stat | Lstat | ReadDir | Query
	// Writes are those that write the content of a file.
	Writes = WriteFile | ReplaceFile | AppendFile
	// Changes are all that change something.
	Changes = Writes | SyncAll | Mkdir | MkdirAll | Symlink | Rename | Remove | RemoveAll | Command
)

const kindNames = "ReadFile ReadRange Open ReadAt FileStat Readlink Stat Lstat ReadDir " +
	"WriteFile ReplaceFile SyncAll Mkdir MkdirAll Symlink Rename Remove RemoveAll Query Command AppendFile"

// String returns the names of the kinds, joined by "|".
func (k Kind) String() string {
	names := strings.Fields(kindNames)
	var in []string
	for ; k != 0; k &= k - 1 {
		if i := bits.TrailingZeros32(uint32(k)); i < len(names) {
			in = append(in, names[i])
		} else {
			in = append(in, fmt.Sprintf("Kind(1<<%d)", i))
		}
	}
	return strings.Join(in, "|")
}

// Op is one operation, before it is done.
type Op struct {
	Kind Kind
	// Path is the name that is acted on: for Symlink the link, for Rename the
	// old name, for an open file the name that it was opened by, for a Query or
	// a Command what it is.
	Path string
	// To is the new name of a Rename, otherwise empty.
	To string
	// N counts the operations of one [Faulty] from 1.
	N int
	// Size is how many bytes a WriteFile, ReplaceFile or AppendFile would write.
	Size int
}

// String returns the operation as "3 Rename a b".
func (o Op) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%d %s %s %s", o.N, o.Kind, o.Path, o.To), " ")
}
