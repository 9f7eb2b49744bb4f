package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/filesystem"
)

// A file is called by its number, so that the order of their names is that in which
// they were written, whatever the clock said.
const (
	digits = 10
	suffix = ".jsonl"
)

func fileName(number int) string { return fmt.Sprintf("%0*d%s", digits, number, suffix) }

// fileNumber returns the number of a file of a journal.
func fileNumber(name string) (number int, is bool) {
	text, is := strings.CutSuffix(name, suffix)
	number, err := strconv.Atoi(text)
	return number, is && err == nil && number > 0 && name == fileName(number)
}

// fileNumbers returns the numbers of the files in a directory, the oldest first; none
// where there is no directory.
func fileNumbers(fsys filesystem.FS, dir string) (numbers []int, err error) {
	entries, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if number, is := fileNumber(e.Name()); is {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}
