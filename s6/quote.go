package s6

import "strings"

// quote renders words for a POSIX shell so that each arrives as it is.
func quote(words []string) string {
	quoted := make([]string, len(words))
	for n, w := range words {
		quoted[n] = w
		if w == "" || strings.ContainsFunc(w, special) {
			quoted[n] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// special reports whether a rune means something, or might, to a shell.
func special(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@%+,", r))
}
