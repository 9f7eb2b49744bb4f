package fsm

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrName is what every error of CheckName wraps.
var ErrName = errors.New("not a valid instance name")

// MaxName is the longest instance name, in bytes.
const MaxName = 200

// CheckName refuses what cannot safely become an element of a path: the empty
// name, a leading dot, a slash, two dots in a row, NUL and other control
// characters, what is not UTF-8, and names of more than MaxName bytes. The
// error wraps ErrName and states the rule.
func CheckName(name string) error {
	rule := ""
	switch {
	case name == "":
		rule = "it must not be empty"
	case len(name) > MaxName:
		return fmt.Errorf("name of %d bytes: %w: it must not be longer than %d bytes", len(name), ErrName, MaxName)
	case !utf8.ValidString(name):
		rule = "it must be UTF-8"
	case name[0] == '.':
		rule = "it must not begin with a dot"
	case strings.Contains(name, "/"):
		rule = "it must not contain a slash"
	case strings.Contains(name, ".."):
		rule = "it must not contain two dots in a row"
	case strings.ContainsFunc(name, unicode.IsControl):
		rule = "it must not contain NUL or another control character"
	default:
		return nil
	}
	return fmt.Errorf("name %q: %w: %s", name, ErrName, rule)
}
