package api

// Patterns returns what a Server answers.
func Patterns() []string {
	var ps []string
	for _, rt := range routes() {
		ps = append(ps, rt.pattern)
	}
	return ps
}
