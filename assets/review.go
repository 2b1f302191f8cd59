package assets

import _ "embed"

// The tables behind the findings of a policy review, in lines whose form their
// own heads tell. They are read when the first policy is reviewed.
var (
	//go:embed review/paths.txt
	ReviewPaths string
	//go:embed review/passrole.txt
	ReviewPassRole string
	//go:embed review/actions.txt
	ReviewActions string
	//go:embed review/levels.txt
	ReviewLevels string
	//go:embed review/keys.txt
	ReviewKeys string
	//go:embed review/apis.txt
	ReviewAPIs string
	//go:embed review/providers.txt
	ReviewProviders string
	//go:embed review/services.txt
	ReviewServices string
)
