package policies

import "rolecall/ui/cli"

// page writes text to standard output, as cli.App.Paged does, with the keys that
// lead from finding to finding.
func page(a *cli.App, text string) error { return a.Paged(text, findingKeys) }

// findingKeys teach less the two keys of the wizard's viewer that it has not:
// ] and [ go from finding to finding, by the words that these begin with in text.
const findingKeys = "#command\n" +
	"] forw-search \\^(NO|HIGH|MED|LOW)\\n\n" +
	"[ back-search \\^(NO|HIGH|MED|LOW)\\n\n"
