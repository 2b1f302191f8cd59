package ui

import (
	"runtime"

	"github.com/spf13/cobra"
)

// versionInfo is what version prints.
type versionInfo struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of rolecall and of its data",
		Args:  a.noArgs,
		RunE: func(*cobra.Command, []string) error {
			info := versionInfo{Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
			if a.json {
				a.writeJSON(info)
				return nil
			}
			a.print("rolecall %s (%s, %s)", info.Version, info.Go, info.Platform)
			return nil
		},
	}
}
