package config

// suggest returns ": did you mean KEY?" if a known key is at most two slips of
// the finger from what was written, and "" if none is.
func suggest(written string, known []field) string {
	best, least := "", 3
	for _, f := range known {
		if d := slips(written, f.key); d < least && d < len(f.key) {
			best, least = f.key, d
		}
	}
	if best == "" {
		return ""
	}
	return ": did you mean " + best + "?"
}

// slips returns the number of bytes to insert, delete or replace to make b of
// a (Levenshtein 1966). O(len(a)·len(b)); keys are short.
func slips(a, b string) int {
	if len(a) > 64 {
		return len(a) // no key of ours is near it
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
