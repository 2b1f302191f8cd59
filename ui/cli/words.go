package cli

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"rolecall/policy/review"
	"rolecall/ui/draw"
)

// OrEmpty is the list, and never nil, which JSON would print as null.
func OrEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// OrElse is the value, or another one where it is empty.
func OrElse(value, otherwise string) string {
	if value != "" {
		return value
	}
	return otherwise
}

// Dash is the text, cleaned; "-" where it is empty.
func Dash(s string) string {
	if s == "" {
		return "-"
	}
	return draw.Clean(s)
}

// Age is how long ago something was, in the largest unit that fits.
func (a *App) Age(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	d := a.Env.Now().Sub(*t)
	switch {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// SortedKeys are the keys of a map in their order.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Severity reads --fail-on.
func Severity(word string) (review.Severity, error) {
	for _, s := range review.Severities() {
		if string(s) == word && s != review.SeverityRefused {
			return s, nil
		}
	}
	if word == "" {
		return "", nil
	}
	return "", Usage(fmt.Sprintf("--fail-on: %q is no severity.", draw.Clean(word)), "note, low, medium or high", "Correct --fail-on.")
}
