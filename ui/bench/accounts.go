package main

import (
	"fmt"
	"os/exec"
	"time"

	"rolecall/aws/rehearsal"
)

// accounts times what asks an AWS: a small one inside this program, reached
// over HTTP.
func (b *bench) accounts() ([]row, error) {
	rehearse, err := b.time("rehearse", "--yes", "--method", "direct")
	if err != nil {
		return nil, err
	}
	manual, err := b.time("rehearse", "--yes")
	if err != nil {
		return nil, err
	}
	rows := []row{
		{"`rehearse --yes --method direct`, from start to submitted", rehearse.String(), "", ""},
		{"`rehearse --yes`, by hand", manual.String(), "", ""},
	}
	all, err := b.among(5000)
	if err != nil {
		return nil, err
	}
	return append(rows, all...), nil
}

// among times the search through an account with many roles, and beside it one
// AWS command for each of them.
func (b *bench) among(roles int) ([]row, error) {
	environment, done, err := b.account(roles)
	if err != nil {
		return nil, err
	}
	defer done()
	all, err := b.median(func() *exec.Cmd { return b.in(environment, "verify", "--all", "--json") })
	if err != nil {
		return nil, err
	}
	theirs, beside := "—", "a loop of `aws iam get-role`, one call measured"
	if path, err := exec.LookPath("aws"); err == nil {
		one, err := b.median(func() *exec.Cmd {
			cmd := exec.Command(path, "iam", "get-role", "--role-name", "role-0001")
			cmd.Env = environment
			return cmd
		})
		if err != nil {
			return nil, err
		}
		theirs = millis(one.wall * time.Duration(roles))
	}
	return []row{{fmt.Sprintf("`verify --all` on %d roles", roles), all.String(), theirs, beside}}, nil
}

func (b *bench) in(environment []string, args ...string) *exec.Cmd {
	cmd := exec.Command(b.program, args...)
	cmd.Env = environment
	return cmd
}

// account serves an AWS with that many roles that trust an account of their own.
func (b *bench) account(roles int) (environment []string, done func(), err error) {
	server := rehearsal.New(rehearsal.Options{Propagation: -1})
	if err := server.Start(); err != nil {
		return nil, nil, fmt.Errorf("serve an account: %w", err)
	}
	done = func() { _ = server.Close() }
	for i := range roles {
		err := server.Do("iam:CreateRole", map[string]string{"RoleName": fmt.Sprintf("role-%04d", i), "AssumeRolePolicyDocument": fmt.Sprintf(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%012d:root"},"Action":"sts:AssumeRole"}]}`,
			444455550000+i%50,
		)})
		if err != nil {
			done()
			return nil, nil, fmt.Errorf("make role %d: %w", i, err)
		}
	}
	to := server.Target()
	return b.environment("AWS_ENDPOINT_URL="+to.Endpoint, "AWS_ACCESS_KEY_ID="+to.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+to.SecretAccessKey,
		"AWS_REGION="+to.Region), done, nil
}
