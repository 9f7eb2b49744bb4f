package top

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestASCII(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want bool
	}{
		{nil, false},
		{[]string{"TERM=linux", "LANG=C.UTF-8"}, true},
		{[]string{"TERM=xterm", "LANG=C.UTF-8"}, false},
		{[]string{"LANG=C"}, true},
		{[]string{"LANG=C", "LANG=C.UTF-8"}, false},
		{[]string{"LANG=C.UTF-8"}, false},
		{[]string{"LANG=de_DE.utf8"}, false},
		{[]string{"LANG=de_DE.ISO-8859-1"}, true},
		{[]string{"LANG=C.UTF-8", "LC_ALL=POSIX"}, true},
		{[]string{"LANG=C", "LC_CTYPE=C.UTF-8"}, false},
	} {
		assert.Equal(t, c.want, Terminal{Env: c.env}.ASCII(), c.env)
	}
}
