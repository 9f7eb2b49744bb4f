package nearest

import "strings"

// Word returns the known word that a word was most likely meant to be, empty if
// none is like it. Words that differ by the case of their letters alone differ
// the least.
func Word(word string, known []string) string {
	best, distance := "", len(word)/3+2
	for _, k := range known {
		if strings.EqualFold(word, k) {
			return k
		}
		if d := edits(strings.ToLower(word), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// edits returns how many letters have to be put in, taken out or changed to make
// one word of the other.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
