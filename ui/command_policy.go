package ui

import "github.com/spf13/cobra"

// policyCommand is the parent of the commands on permissions policies.
func policyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "policy",
		Short: "Show and review permissions policies, without a network",
		Args:  a.noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}
