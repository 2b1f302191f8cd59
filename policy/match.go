package policy

import "strings"

// Matches reports whether a pattern with * and ? matches a text, by case.
func Matches(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// MatchesAction reports whether a pattern such as "ec2:Describe*" matches an
// action such as "ec2:DescribeInstances". IAM ignores their case.
func MatchesAction(pattern, action string) bool {
	if pattern == "*" || pattern == action {
		return true
	}
	return Matches(strings.ToLower(pattern), strings.ToLower(action))
}

// CoversAction reports whether the pattern wide matches every action, present
// and future, that the pattern narrow matches.
func CoversAction(wide, narrow string) bool {
	return coversAction(foldAction(wide), foldAction(narrow))
}

// coversAction is CoversAction for folded patterns.
func coversAction(wide, narrow string) bool {
	return wide == "*" || Covers(wide, narrow)
}

// FoldAction brings an action pattern to the spelling in which equal ones are
// equal: lower case, and of wildcards the shortest form.
func FoldAction(pattern string) string { return foldAction(pattern) }

// foldAction brings an action pattern to one spelling: lower case, "*" for
// "*:*", and of a run of wildcards the question marks first and one star. No
// service and no action has an empty name, so "?*" is "*" there.
func foldAction(pattern string) string {
	pattern = tidyWildcards(strings.ToLower(pattern))
	if service, name, ok := strings.Cut(pattern, ":"); ok && strings.Contains(pattern, "?*") {
		pattern = anyName(service) + ":" + anyName(name)
	}
	if pattern == "*:*" {
		return "*"
	}
	return pattern
}

func anyName(part string) string {
	if part == "?*" {
		return "*"
	}
	return part
}

func tidyWildcards(pattern string) string {
	if !strings.Contains(pattern, "**") && !strings.Contains(pattern, "*?") {
		return pattern
	}
	var b strings.Builder
	for i := 0; i < len(pattern); {
		end := i
		for end < len(pattern) && (pattern[end] == '*' || pattern[end] == '?') {
			end++
		}
		run := pattern[i:end]
		b.WriteString(strings.Repeat("?", strings.Count(run, "?")))
		if strings.Contains(run, "*") {
			b.WriteByte('*')
		}
		if end < len(pattern) {
			b.WriteByte(pattern[end])
			end++
		}
		i = end
	}
	return b.String()
}

// Covers reports whether the pattern wide matches all that narrow matches. It
// treats narrow as a text in which a star is a letter that only
// a star matches, and a question mark one that only ? and * match. That never
// claims a cover that is none.
func Covers(wide, narrow string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(narrow) {
		switch {
		case p < len(wide) && wide[p] == '*':
			star, mark = p, t
			p++
		case p < len(wide) && (wide[p] == narrow[t] || wide[p] == '?' && narrow[t] != '*'):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(wide) && wide[p] == '*' {
		p++
	}
	return p == len(wide)
}

// Overlaps reports whether some text matches both patterns.
func Overlaps(a, b string) bool {
	wildA, wildB := strings.IndexAny(a, "*?"), strings.IndexAny(b, "*?")
	switch {
	case wildA < 0:
		return Matches(b, a)
	case wildB < 0:
		return Matches(a, b)
	}
	if n := min(wildA, wildB); a[:n] != b[:n] {
		return false
	}
	reach := make([]bool, len(b)+1) // reach[j]: a[:i] and b[:j] can end together
	reach[0] = true
	for j := 0; j < len(b) && b[j] == '*'; j++ {
		reach[j+1] = true
	}
	next := make([]bool, len(b)+1)
	for i := range len(a) {
		clear(next)
		next[0] = reach[0] && a[i] == '*'
		for j := range len(b) {
			switch {
			case a[i] == '*':
				next[j+1] = reach[j+1] || next[j]
			case b[j] == '*':
				next[j+1] = next[j] || reach[j+1]
			default:
				next[j+1] = reach[j] && (a[i] == b[j] || a[i] == '?' || b[j] == '?')
			}
		}
		reach, next = next, reach
	}
	return reach[len(b)]
}
