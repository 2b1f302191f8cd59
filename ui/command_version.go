package ui

import (
	"runtime"

	"github.com/spf13/cobra"

	"rolecall/policy"
)

// versionInfo is what version prints.
type versionInfo struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Data     string `json:"data"`      // version of the catalogue of IAM actions
	DataDate string `json:"data_date"` // and its date
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of rolecall and of its data",
		Args:  a.noArgs,
		RunE: func(*cobra.Command, []string) error {
			data := policy.AWS()
			info := versionInfo{
				Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
				Data: data.Version(), DataDate: data.Date(),
			}
			if a.json {
				a.writeJSON(info)
				return nil
			}
			a.print("rolecall %s (%s, %s)", info.Version, info.Go, info.Platform)
			a.print("IAM actions of %s (%s)", info.DataDate, info.Data)
			return nil
		},
	}
}
