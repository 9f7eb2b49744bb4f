package config

import (
	"fmt"
	"path"
	"strings"

	"github.com/evenkeel/evenkeel/filesystem"
)

// sources are where values are that do not stand in the file itself.
type sources struct {
	fs        filesystem.FS
	lookupEnv func(string) (string, bool)
	read      func(file string) // is told of each file
}

// resolve returns the text of a value. A path is relative to the file that it
// stands in. The newline at the end of a file is no part of the text.
func (s sources) resolve(v value, file string) (string, error) {
	switch {
	case v.file != "":
		name := v.file
		if !path.IsAbs(name) {
			name = path.Join(path.Dir(file), name)
		}
		s.read(name)
		data, err := s.fs.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("cannot be read: %w", err)
		}
		text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
		if text == "" {
			return "", fmt.Errorf("cannot be read: %s is empty, as a file is that is being written", name)
		}
		return text, nil
	case v.env != "":
		text, ok := s.lookupEnv(v.env)
		if !ok {
			return "", fmt.Errorf("cannot be read: the environment of this program has no %s", v.env)
		}
		return text, nil
	}
	return v.text, nil
}
