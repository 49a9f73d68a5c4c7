package config

import "fmt"

// suggest names the known word nearest to an unknown one, where it is near.
func suggest(word string, known []string) string {
	if near, distance := nearest(word, known); distance <= max(2, len(word)/3) {
		return fmt.Sprintf(": did you mean %s?", near)
	}
	return ": 'ouro config show' lists every key"
}

// maxMisspelt is the longest word that is compared with known ones: a longer one
// is no slip, and comparing takes time in proportion to its length.
const maxMisspelt = 64

// nearest returns the known word with the fewest edits from word, and how many.
func nearest(word string, known []string) (string, int) {
	best, distance := "", len(word)+1
	if len(word) > maxMisspelt {
		return best, distance
	}
	for _, k := range known {
		if d := edits(word, k); d < distance {
			best, distance = k, d
		}
	}
	return best, distance
}

// edits counts the letters to insert, delete or replace to get from a to b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
