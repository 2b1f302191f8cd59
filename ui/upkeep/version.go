package upkeep

import (
	"runtime"

	"github.com/spf13/cobra"

	"rolecall/policy"
	"rolecall/ui/cli"
)

// versionInfo is what version prints.
type versionInfo struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Data     string `json:"data"`      // version of the catalogue of IAM actions
	DataDate string `json:"data_date"` // and its date
}

// VersionCommand is rolecall version.
func VersionCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of rolecall and of its data",
		Args:  a.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			data, date := policy.Release()
			info := versionInfo{
				Version: cli.Version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
				Data: data, DataDate: date,
			}
			if a.JSON {
				a.WriteJSON(info)
				return nil
			}
			a.Print("rolecall %s (%s, %s)", info.Version, info.Go, info.Platform)
			a.Print("IAM actions of %s (%s)", info.DataDate, info.Data)
			return nil
		},
	}
}
