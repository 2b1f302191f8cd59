package cli

import (
	"context"
	"errors"
	"strings"

	"rolecall/aws"
	"rolecall/ui/draw"
)

// AskCode asks for an MFA code at the terminal; without one it says so.
func (a *App) AskCode() func(context.Context, string) (string, error) {
	return func(_ context.Context, serial string) (string, error) {
		if a.Env.ReadSecret == nil {
			return "", errNoCode
		}
		a.Say("Code of the MFA device %s (not shown):", draw.Clean(serial))
		code, err := a.Env.ReadSecret()
		return strings.TrimSpace(code), err
	}
}

// AWSOptions are those that the common flags ask for. From here on a profile may
// have another program started.
func (a *App) AWSOptions(profile, partition string, code func(context.Context, string) (string, error)) aws.Options {
	if a.Env.GuardStderr != nil {
		a.Env.GuardStderr()
	}
	return aws.Options{
		Profile: profile, Region: a.Region, Partition: partition, PinAccount: a.Account,
		MFACode: code, UserAgent: "rolecall/" + Version(), Now: a.Env.Now, After: a.Env.After,
	}
}

var errNoCode = errors.New("no MFA code was given")

// OneCode answers the profile's MFA device with a code that was typed.
func OneCode(code string) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) {
		if code == "" {
			return "", errNoCode
		}
		return code, nil
	}
}
