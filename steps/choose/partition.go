package choose

import (
	"cmp"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Partition asks whether the account is in AWS proper, in GovCloud or in
// China. The answer rewrites every ARN, the trust policy and all links.
type Partition struct {
	step.Described
	asking bool   // for the vendor's account in the partition
	more   string // the partition that was chosen and would grant more than the chosen products
	field  string // what is wrong with it
}

func (c *Partition) basis(a record.Answers) []string {
	return []string{a.Vendor, a.Partition, a.TrustedAccount}
}

// Status is Done once the partition and the account to trust are known.
func (c *Partition) Status(a record.Answers) step.Status {
	if a.Partition != "" && a.IsAnswered(record.StepPartition, c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Asks names the vendor's account where its description has none.
func (c *Partition) Asks(s *step.Session) []step.Need {
	partition := cmp.Or(s.Partition, s.Vendor.DefaultPartition())
	known := s.Vendor.Partitions[partition].TrustedAccount != "" || s.TrustedAccount != ""
	if known || later(s) || !s.Vendor.TrustsAccounts() {
		return nil
	}
	return []step.Need{{Flag: "--trusted-account", Why: s.Vendor.Partitions[partition].Why}}
}

// later reports whether whom to trust is asked for only once the roles exist.
func later(s *step.Session) bool {
	return !slices.ContainsFunc(s.Request().Needed(), func(role *describe.Role) bool { return !role.Later() })
}

// grantDefault agrees to what the vendor needs in a partition, whatever was chosen.
const grantDefault = "grant-default"

// Enter begins with the choice.
func (c *Partition) Enter(*step.Session) []screen.Effect {
	c.asking, c.field, c.more = false, "", ""
	return nil
}

// Deeper reports whether the vendor's account is being asked for.
func (c *Partition) Deeper() bool { return c.asking || c.more != "" }

// Up goes back to the choice of the partition.
func (c *Partition) Up(s *step.Session) []screen.Effect { return c.Enter(s) }

// Update takes the partition, then the account to trust where it is not known.
func (c *Partition) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case screen.Chose:
		return c.chose(s, msg.ID)
	case screen.Changed:
		c.field = ""
	case screen.Entered:
		return c.entered(s, msg.Text)
	}
	return step.Stay, nil
}

func (c *Partition) chose(s *step.Session, id string) (step.Move, []screen.Effect) {
	agreed := id == grantDefault && c.more != ""
	if agreed {
		id = c.more
	}
	partition, ok := s.Vendor.Partitions[id]
	if !ok {
		return step.Stay, nil
	}
	if c.more = ""; !partition.Customise && !s.Vendor.IsDefault(s.Bundles) && !agreed {
		c.more = id
		return step.Stay, nil
	}
	if s.Partition != "" && s.Partition != id {
		s.TrustedAccount = ""
	}
	s.Partition = id
	if !partition.Customise {
		s.Bundles = nil
		s.Prepare()
	}
	if partition.TrustedAccount == "" && !later(s) && s.Vendor.TrustsAccounts() {
		if err := s.Vendor.CheckTrustedAccount(id, s.TrustedAccount); err != nil {
			c.asking = true
			return step.Stay, nil
		}
	}
	return c.finish(s)
}

func (c *Partition) entered(s *step.Session, text string) (step.Move, []screen.Effect) {
	account := aws.CleanARN(text)
	if err := s.Vendor.CheckTrustedAccount(s.Partition, account); err != nil {
		c.field = step.InputProblem(err)
		return step.Stay, nil
	}
	s.TrustedAccount = account
	return c.finish(s)
}

func (c *Partition) finish(s *step.Session) (step.Move, []screen.Effect) {
	s.Answered(record.StepPartition, c.basis(s.Answers)...)
	return step.Next, nil
}

// Screen shows the partitions, or the field for the vendor's account.
func (c *Partition) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	if c.asking {
		view.Blocks = []screen.Block{
			screen.Text{Body: s.Vendor.Partitions[s.Partition].Why},
			screen.Text{Body: "Which " + c.asked(s) + " does " + s.Vendor.Whose() + " console tell you to trust?"},
			screen.Input{
				ID:      "trusted-account",
				Label:   s.Vendor.Whose() + " " + c.fieldName(s),
				Value:   s.TrustedAccount,
				Hint:    c.hint(s),
				Problem: c.field,
				Flag:    "--trusted-account",
			},
		}
		return view
	}
	if c.more != "" {
		return c.grantsMore(s, view)
	}
	choices := screen.Choices{ID: "partition", Picked: cmp.Or(s.Partition, s.Vendor.DefaultPartition())}
	for _, id := range c.partitions(s) {
		p := s.Vendor.Partitions[id]
		detail := ""
		if !p.Customise {
			detail = "the policy cannot be customized there"
		}
		choices.Options = append(choices.Options, screen.Option{ID: id, Label: p.Title, Detail: detail})
	}
	view.Blocks = append([]screen.Block{screen.Text{Body: "Where is the AWS account that you connect?"}, choices}, c.Guide(s)...)
	view.Blocks = append(view.Blocks, screen.Text{Tone: screen.Dim,
		Body: "Every ARN, the trust policy and all links follow this answer: a role can only trust an account of its own partition."})
	return view
}

// grantsMore says that the chosen products cannot be had in the partition: what
// was chosen is never widened unasked.
func (c *Partition) grantsMore(s *step.Session, view screen.Screen) screen.Screen {
	where := s.Vendor.Partitions[c.more]
	view.Blocks = []screen.Block{
		screen.Problem{
			What: "You chose " + strings.Join(s.Vendor.Titles(s.Bundles), ", ") +
				", and the policy cannot be customized in " + where.Title + ". " + where.Why,
			Expected: s.Vendor.Whose() + " default there, whatever was chosen",
			Next:     "Grant the default, or go back and choose another partition.",
			Flag:     "--partition",
			Kind:     screen.Usage,
		},
	}
	view.Actions = []screen.Action{{ID: grantDefault, Key: "d", Label: "grant the default there", Writes: true}}
	return view
}

// asksARN tells whether the vendor's console shows the ARN of a role or user.
func (c *Partition) asksARN(s *step.Session) bool {
	return s.Vendor.Partitions[s.Partition].Ask == describe.AskARN
}

func (c *Partition) asked(s *step.Session) string {
	if c.asksARN(s) {
		return "role or user"
	}
	return "AWS account"
}

func (c *Partition) fieldName(s *step.Session) string {
	if c.asksARN(s) {
		return "role or user ARN"
	}
	return "account ID"
}

// hint says what is asked for. A rehearsal has no console to copy it from.
func (c *Partition) hint(s *step.Session) string {
	sample := describe.SamplePrincipal(s.Vendor.Partitions[s.Partition].Ask, s.Partition)
	switch {
	case s.Rehearsal && c.asksARN(s):
		return "in a rehearsal any will do, such as " + sample
	case c.asksARN(s):
		return sample
	case s.Rehearsal:
		return "twelve digits; in a rehearsal any will do, such as " + sample
	}
	return "twelve digits"
}

// partitions lists the described ones the commercial one first.
func (c *Partition) partitions(s *step.Session) []string {
	var ids []string
	for _, p := range aws.Partitions() {
		if _, ok := s.Vendor.Partitions[p.ID]; ok {
			ids = append(ids, p.ID)
		}
	}
	return ids
}
