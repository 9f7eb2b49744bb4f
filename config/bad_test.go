package config_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/internal/badfiles"
)

func problems(d *config.Declaration) string {
	var all []string
	for _, p := range d.Problems {
		all = append(all, p.Error())
	}
	return strings.Join(all, "\n")
}

func readText(t *testing.T, text string) *config.Declaration {
	t.Helper()
	fsys := memfs.New()
	require.NoError(t, fsys.WriteFile("f.yaml", []byte(text), 0o600))
	return config.Reader{FS: fsys, LookupEnv: func(string) (string, bool) { return "", false }}.Read("f.yaml")
}

// TestFileThatCannotBeTaken is told with its place, and asks for nothing.
func TestFileThatCannotBeTaken(t *testing.T) {
	for _, test := range badfiles.Whole().Files {
		t.Run(test.Name, func(t *testing.T) {
			d := readText(t, test.Text)
			assert.Equal(t, test.Want, problems(d))
			assert.Empty(t, d.Entries)
			for _, p := range d.Problems {
				assert.Zero(t, p.Entry)
			}
		})
	}
}

// TestEntryThatCannotBeTaken is told with its place, and the one beside it is
// taken.
func TestEntryThatCannotBeTaken(t *testing.T) {
	for _, test := range slices.Concat(badfiles.Services().Files, badfiles.Dependencies().Files, badfiles.Streams().Files) {
		t.Run(test.Name, func(t *testing.T) {
			d := readText(t, test.Text)
			d.Order(nil)
			assert.Equal(t, test.Want, problems(d))
			assert.Len(t, d.Entries, 1)
			assert.Contains(t, d.Services(), "good")
			for _, p := range d.Problems {
				assert.Contains(t, p.Entry.Name, "bad")
			}
		})
	}
}

// TestFilesBeforeBadOnes can be taken as a whole.
func TestFilesBeforeBadOnes(t *testing.T) {
	for _, g := range badGroups() {
		d := readText(t, g.Good)
		assert.Empty(t, problems(d))
		names := append(slices.Collect(maps.Keys(d.Services())), slices.Collect(maps.Keys(d.Streams()))...)
		assert.ElementsMatch(t, g.Runs, names)
	}
}

func badGroups() []badfiles.Group {
	return []badfiles.Group{badfiles.Whole(), badfiles.Services(), badfiles.Dependencies(), badfiles.Streams()}
}

// allBad are the files of all groups.
func allBad() (files []badfiles.File) {
	for _, g := range badGroups() {
		files = append(files, g.Files...)
	}
	return files
}
