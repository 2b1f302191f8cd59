package cli

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/ui/draw"
)

// CheckFormat checks --format. --json and --format json are the same.
func (a *App) CheckFormat(format *string, formats ...string) error {
	if a.JSON {
		*format = "json"
	}
	if !slices.Contains(formats, *format) {
		return Usage(fmt.Sprintf("--format: there is no %q.", draw.Clean(*format)), "one of: "+strings.Join(formats, ", "), "Correct --format.")
	}
	return nil
}
