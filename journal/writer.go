package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
)

// syncAfter is how long what was written may be in the memory of the machine alone.
const syncAfter = time.Second

// writer is the newest file of a journal. It is one goroutine's.
type writer struct {
	fs       filesystem.Appender
	dir      string
	files    int
	fileSize int64

	number int          // of the newest file, 0 while that is not known
	size   int64        // of it
	torn   bool         // it does not end with a newline
	made   bool         // its name may not be on disk
	before map[key]last // what was recorded in it by this program

	lines  []written // that are to be appended
	length int64     // of all of them
	syncAt time.Time // when they are to be on disk, zero where all are
}

// written is a line, and how many records are missing if it is not there.
type written struct {
	text  []byte
	costs int
}

// errNoLine is wrapped where a record cannot be a line. It says nothing of the disk.
var errNoLine = errors.New("the record cannot be written")

// put adds a record to what is to be appended. Where there is no room for it in the
// newest file, the file is left and another begun.
func (w *writer) put(r Record) error {
	if err := w.open(); err != nil {
		return err
	}
	line, commit, err := w.line(r)
	if err != nil {
		return err
	}
	if w.size+w.length+int64(len(line))+1 > w.fileSize && w.size+w.length > 0 {
		if err := w.turn(); err != nil {
			return err
		}
		if line, commit, err = w.line(r); err != nil {
			return err
		}
	}
	if int64(len(line))+1 > w.fileSize {
		return fmt.Errorf("%w: it has %d bytes, and a file no more than %d", errNoLine, len(line), w.fileSize)
	}
	commit()
	costs := 1
	if r.Gap != nil {
		costs = r.Gap.Missing
	}
	w.lines = append(w.lines, written{line, costs})
	w.length += int64(len(line))
	return nil
}

// line returns a record as a line of this file. commit is to be called if that is
// written.
func (w *writer) line(r Record) (line []byte, commit func(), err error) {
	s, pass, err := hold(r, w.before)
	var sum string
	if err == nil {
		line, sum, err = s.line()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errNoLine, err)
	}
	return line, func() {
		if pass != nil {
			w.before[r.Pass.key()] = last{sum, pass}
		}
	}, nil
}

// open finds out where to go on: behind what the newest file has.
func (w *writer) open() error {
	if w.number != 0 {
		return nil
	}
	if err := w.fs.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	numbers, err := fileNumbers(w.fs, w.dir)
	if err != nil {
		return err
	}
	if len(numbers) == 0 {
		return w.begin(1)
	}
	newest := numbers[len(numbers)-1]
	size, torn, err := w.ending(newest)
	if err != nil {
		return err
	}
	w.number, w.size, w.torn, w.made, w.before = newest, size, torn, true, make(map[key]last)
	return nil
}

// ending returns the size of a file, and whether it ends within a line.
func (w *writer) ending(number int) (size int64, torn bool, err error) {
	name := path.Join(w.dir, fileName(number))
	info, err := w.fs.Lstat(name)
	if err != nil || info.Size() == 0 {
		return 0, false, err
	}
	end := make([]byte, 1)
	if _, err := w.fs.ReadRange(name, end, info.Size()-1); err != nil {
		return 0, false, err
	}
	return info.Size(), end[0] != '\n', nil
}

// turn appends what there is to the newest file, has it on disk, and begins another.
func (w *writer) turn() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.sync(); err != nil {
		return err
	}
	return w.begin(w.number + 1)
}

// begin begins a file, once there is room for it.
func (w *writer) begin(number int) error {
	numbers, err := fileNumbers(w.fs, w.dir)
	if err != nil {
		return err
	}
	for _, old := range numbers[:max(0, len(numbers)-(w.files-1))] {
		if err := w.fs.Remove(path.Join(w.dir, fileName(old))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	w.number, w.size, w.torn, w.made, w.before = number, 0, false, true, make(map[key]last)
	return nil
}

// flush appends what there is to the newest file.
func (w *writer) flush() error {
	if len(w.lines) == 0 {
		return nil
	}
	data := make([]byte, 0, w.length+1)
	if w.torn {
		data = append(data, '\n')
	}
	for _, line := range w.lines {
		data = append(data, line.text...)
	}
	if err := w.fs.AppendFile(path.Join(w.dir, fileName(w.number)), data, 0o600); err != nil {
		return err
	}
	w.size, w.torn = w.size+int64(len(data)), false
	w.lines, w.length = w.lines[:0], 0
	if w.syncAt.IsZero() {
		w.syncAt = time.Now().Add(syncAfter)
	}
	return nil
}

// sync has on disk what was appended.
func (w *writer) sync() error {
	if w.syncAt.IsZero() {
		return nil
	}
	w.syncAt = time.Time{}
	name := path.Join(w.dir, fileName(w.number))
	if w.made {
		name = w.dir
	}
	if err := w.fs.SyncAll(name); err != nil {
		return err
	}
	w.made = false
	return nil
}

// drop gives up what was to be appended, after a failure, and what is known of the
// newest file. It returns how many records are missing for that: the lines that the
// file does not have. A line that is there in part is one that a reader misses.
func (w *writer) drop() (missing int) {
	have := int64(0)
	if w.number != 0 && len(w.lines) > 0 {
		if size, _, err := w.ending(w.number); err == nil {
			have = max(0, size-w.size)
		}
		if w.torn && have > 0 {
			have--
		}
	}
	for _, line := range w.lines {
		switch whole := int64(len(line.text)); {
		case have >= whole:
			have -= whole
		case have > 0: // a reader tells one
			have = 0
			missing += line.costs - 1
		default:
			missing += line.costs
		}
	}
	w.lines, w.length, w.number = slices.Delete(w.lines, 0, len(w.lines)), 0, 0
	return missing
}
