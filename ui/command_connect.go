package ui

import (
	"time"

	"github.com/spf13/cobra"
)

// connectFlags are the flags of connect and rehearse: an answer each.
type connectFlags struct {
	vendor, method, access    string
	partition, trustedAccount string
	products, regions         []string
	restrictTag               string
	account, accountName      string
	externalID, roleName      string
	policyName, userName      string
	stackName, path, boundary string
	sessionDuration           time.Duration
	tags                      []string
	reportBucket              string
	acknowledge, replaceRole  bool
	secretFile, plan          string
	sendTo                    string
	wait                      time.Duration
	yes                       bool

	given func(flag string) bool // whether a flag stands on the command line
}

// defaultWait is how long an unattended run waits for IAM and the vendor.
const defaultWait = 2 * time.Minute

func (f *connectFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.given = flags.Changed
	flags.StringVar(&f.vendor, "vendor", "", "vendor to connect: a name, or a file such as ./acme.yaml")
	flags.StringVar(&f.method, "method", "", "who does the AWS part: manual, automatic or direct")
	flags.StringVar(&f.access, "access", "", "what the vendor gets: role or user")
	flags.StringVar(&f.partition, "partition", "", "partition: aws, aws-cn or aws-us-gov")
	flags.StringVar(&f.trustedAccount, "trusted-account", "", "the vendor's AWS account, where rolecall does not know it")
	flags.StringSliceVar(&f.products, "products", nil, "products and integrations: a,b/c")
	flags.StringSliceVar(&f.regions, "regions", nil, "regions that the policy is limited to: r1,r2")
	flags.StringVar(&f.restrictTag, "restrict-tag", "", "tag that the policy is limited to: k=v")
	flags.StringVar(&f.account, "account", "", "the vendor's account to connect: act-…")
	flags.StringVar(&f.accountName, "account-name", "", "name of the vendor's account: existing, or to create")
	flags.StringVar(&f.externalID, "external-id", "", "external ID from the vendor's console")
	flags.StringVar(&f.roleName, "role-name", "", "name of the role")
	flags.StringVar(&f.policyName, "policy-name", "", "name of the policy")
	flags.StringVar(&f.userName, "user-name", "", "name of the IAM user")
	flags.StringVar(&f.stackName, "stack-name", "", "name of the CloudFormation stack")
	flags.StringVar(&f.path, "path", "", "path of role and policy: /team/")
	flags.StringVar(&f.boundary, "permissions-boundary", "", "the role's permissions boundary, by its ARN")
	flags.DurationVar(&f.sessionDuration, "session-duration", 0, "longest session of the role, 1h to 12h")
	flags.StringArrayVar(&f.tags, "tag", nil, "tag of what is created: k=v (may be repeated)")
	flags.StringVar(&f.reportBucket, "report-bucket", "", "bucket of the Cost and Usage Report")
	flags.BoolVar(&f.acknowledge, "acknowledge-iam-capabilities", false, "accept that CloudFormation creates IAM resources")
	flags.BoolVar(&f.replaceRole, "replace-role", false, "replace the role that the vendor's account has now")
	flags.StringVar(&f.sendTo, "send-to", "", "https address to which a vendor file's declared request may go")
	flags.StringVar(&f.secretFile, "secret-file", "", "file for the secret access key")
	flags.StringVar(&f.plan, "plan", "", "create nothing but what this approved plan holds")
	flags.DurationVar(&f.wait, "wait", defaultWait, "how long to wait for IAM and the vendor when unattended")
	flags.BoolVarP(&f.yes, "yes", "y", false, "take defaults and never ask")
}

func (a *app) connectCommand() *cobra.Command {
	flags := &connectFlags{}
	cmd := &cobra.Command{
		Use:   "connect",
		Short: "Connect an AWS account to a vendor: the wizard",
		Long: "connect walks through the vendor's steps: in full screen, line by line with --plain, or unattended with --yes. " +
			"A token of the vendor comes from the environment, from its credentials file or from a hidden prompt, never from a flag.",
		Example: "  rolecall connect\n  rolecall connect --yes --json --account act-12ab12ab --aws-account 123456789012",
		Args:    a.noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.connect(cmd, flags) },
	}
	flags.bind(cmd)
	return cmd
}

// connect is the wizard in the real world.
func (a *app) connect(cmd *cobra.Command, flags *connectFlags) error {
	front, err := a.frontFor(flags.yes)
	if err != nil {
		return err
	}
	prepared, err := a.prepare(flags)
	if err != nil {
		return err
	}
	session := prepared.session(a)
	if err := a.keepSecret(flags.secretFile, session); err != nil {
		return err
	}
	session.SendTo = flags.sendTo
	if err := a.realWorld(session); err != nil {
		return err
	}
	return a.begin(cmd.Context(), session, front, flags.wait, "rolecall connect")
}
