package config

import "strings"

// maxEdits is how many letters a name may be off and still be taken for a slip.
const maxEdits = 2

// suggest is `did you mean "…"?` with the closest of the candidates, or "" when none is
// close. A difference in case only comes first; among equals the first candidate wins.
func suggest(name string, candidates []string) string {
	best, bestEdits := "", maxEdits+1
	for _, c := range candidates {
		if strings.EqualFold(name, c) {
			return didYouMean(c)
		}
		if n := edits(name, c); n < bestEdits && n <= allowed(name, c) {
			best, bestEdits = c, n
		}
	}
	if best == "" {
		return ""
	}
	return didYouMean(best)
}

func didYouMean(name string) string { return "did you mean " + quote(name) + "?" }

// allowed is smaller for short names: any two names of two letters are two edits apart.
func allowed(a, b string) int {
	if min(len(a), len(b)) <= 3 {
		return 1
	}
	return maxEdits
}

// edits is the Levenshtein distance in bytes, or maxEdits+1 for anything above maxEdits.
func edits(a, b string) int {
	if diff := len(a) - len(b); diff > maxEdits || diff < -maxEdits {
		return maxEdits + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], maxEdits+1)
}
