package s6_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// shellWords splits a command as a POSIX shell does, one that has nothing but
// words: an error says that a shell would do something else with it.
func shellWords(text string) (words []string, err error) {
	word, begun := "", false
	for text != "" {
		switch c := text[0]; {
		case c == ' ':
			if begun {
				words = append(words, word)
			}
			word, begun, text = "", false, text[1:]
		case c == '\'':
			inside, after, closed := strings.Cut(text[1:], "'")
			if !closed {
				return nil, errors.New("a quote is not closed")
			}
			word, begun, text = word+inside, true, after
		case c == '\\' && len(text) > 1 && text[1] != '\n':
			word, begun, text = word+text[1:2], true, text[2:]
		case strings.ContainsRune("\n\\\"$`;&|<>()#~*?[]{}!=", rune(c)):
			return nil, errors.New("it means something: " + text)
		default:
			word, begun, text = word+text[:1], true, text[1:]
		}
	}
	if begun {
		words = append(words, word)
	}
	return words, nil
}

// FuzzValuesArriveAsTheyWereMeant: whatever is in a spec that is not refused is
// what its process gets, and no path leads out of the service directory.
func FuzzValuesArriveAsTheyWereMeant(f *testing.F) {
	f.Add("a", "it's $(id) `id` \\ \n # ~ * !", "A", "x\n\n", "secret", "\x1b\u202e", "/dir")
	f.Add("", "", "", "", "", "", "")
	f.Add("-n", "--", "../x", "a=b", "../../etc/passwd", "'", "relative")
	f.Add("a\x00b", "\xff", ".env", "", "/etc", "", "/a 'b'\nc")
	f.Fuzz(func(t *testing.T, program, arg, env, value, file, content, dir string) {
		spec := &s6.Spec{
			Command: []string{program, arg}, Dir: dir,
			Env: map[string]string{env: value}, ConfigFiles: map[string]string{file: content},
			Finish: []string{program, arg}, Ready: s6.Readiness{Check: []string{program, arg}},
		}
		if spec.Validate() != nil {
			return
		}
		files, err := s6.Render(spec, "/logs/a", s6.Tools{Dir: "/command"})
		require.NoError(t, err)
		data := make(map[string]string)
		for _, file := range files {
			require.True(t, filepath.IsLocal(file.Name) && filepath.Clean(file.Name) == file.Name, "%q", file.Name)
			require.LessOrEqual(t, strings.Count(file.Name, "/"), 1, "%q", file.Name)
			require.Zero(t, file.Mode&0o022, "%q can be written by others", file.Name)
			data[file.Name] = file.Data
		}
		require.Equal(t, value+"\n", data["env/"+env], "s6-envdir -f takes one newline away")
		require.Equal(t, content, data["config/"+file])
		for name, last := range map[string][]string{
			"run":        {program, arg},
			"data/check": {program, arg},
			"finish":     {program, arg},
		} {
			script := strings.Replace(data[name], "\nexec 2>&1\n", "\n", 1)
			_, chain, found := strings.Cut(script, "\nexec ")
			if name == "finish" {
				_, chain, found = strings.Cut(script, "exit 99' finish ")
				chain, _, _ = strings.Cut(chain, "\n[ $? != 99 ]")
			}
			require.True(t, found, "%s: %q", name, data[name])
			chain = strings.TrimSuffix(strings.TrimSuffix(chain, "\n"), ` "$1" "$2" "$3"`)
			words, err := shellWords(chain)
			require.NoError(t, err, "%s: %q", name, data[name])
			require.Equal(t, last, words[len(words)-len(last):], "%s: %q", name, data[name])
			if dir != "" && name != "finish" {
				require.Contains(t, words, dir, "%s: %q", name, data[name])
			}
		}
		var kept struct{ Spec *s6.Spec }
		require.NoError(t, json.Unmarshal([]byte(data["data/manifest.json"]), &kept))
		require.Equal(t, spec, kept.Spec, "it is adopted as it was meant")
	})
}

// FuzzQuote: a shell that splits what was quoted has the words again.
func FuzzQuote(f *testing.F) {
	f.Add("it's", "$x `y` \\", "\n")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		words, err := shellWords(s6.Quote(a, b, c))
		require.NoError(t, err)
		require.Equal(t, []string{a, b, c}, words)
	})
}

// FuzzNamesAreOneElementOfAPath: a name that is not refused has its places
// directly in the directories of the tree, and others than every other name.
func FuzzNamesAreOneElementOfAPath(f *testing.F) {
	for _, name := range []string{"a", "..", "../a", "a/b", "/", ".a", "a\x00", "a..b", "ſ", "a\n", "\u202e", "-rf", "~"} {
		f.Add(name, name+"x")
	}
	layout := s6.Layout{ScanDir: "/t/scan", ServicesDir: "/t/services", LogsDir: "/t/logs"}
	places := func(name string) []string { return []string{layout.Service(name), layout.Link(name), layout.Log(name)} }
	f.Fuzz(func(t *testing.T, name, other string) {
		if fsm.CheckName(name) != nil || fsm.CheckName(other) != nil {
			return
		}
		for n, dir := range []string{layout.ServicesDir, layout.ScanDir, layout.LogsDir} {
			require.Equal(t, dir+"/"+name, places(name)[n])
			require.Equal(t, dir, filepath.Dir(places(name)[n]))
		}
		if name != other {
			require.False(t, slices.ContainsFunc(places(name), func(p string) bool { return slices.Contains(places(other), p) }))
		}
	})
}
