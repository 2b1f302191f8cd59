package steps

import "rolecall/aws"

// choosePartition asks whether the account is in AWS proper, in GovCloud or in
// China. The answer rewrites every ARN, the trust policy and all links.
type choosePartition struct {
	described
	asking bool   // for the vendor's account in the partition
	field  string // what is wrong with it
}

func (c *choosePartition) basis(a Answers) []string {
	return []string{a.Vendor, a.Partition, a.TrustedAccount}
}

// Status is Done once the partition and the account to trust are known.
func (c *choosePartition) Status(a Answers) Status {
	if a.Partition != "" && a.settled(stepPartition, c.basis(a)...) {
		return Done
	}
	return Todo
}

// Asks names the vendor's account where its description has none.
func (c *choosePartition) Asks(s *Session) []Need {
	partition := s.Partition
	if partition == "" {
		partition = defaultPartition
	}
	if s.Vendor.Partitions[partition].TrustedAccount != "" || s.TrustedAccount != "" {
		return nil
	}
	return []Need{{Flag: "--trusted-account", Why: s.Vendor.Partitions[partition].Why}}
}

const defaultPartition = "aws"

// Enter begins with the choice.
func (c *choosePartition) Enter(*Session) []Effect {
	c.asking, c.field = false, ""
	return nil
}

// Deeper reports whether the vendor's account is being asked for.
func (c *choosePartition) Deeper() bool { return c.asking }

// Up goes back to the choice of the partition.
func (c *choosePartition) Up(s *Session) []Effect { return c.Enter(s) }

// Update takes the partition, then the account to trust where it is not known.
func (c *choosePartition) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case Chose:
		return c.chose(s, msg.ID)
	case Changed:
		c.field = ""
	case Entered:
		return c.entered(s, msg.Text)
	}
	return Stay, nil
}

func (c *choosePartition) chose(s *Session, id string) (Move, []Effect) {
	partition, ok := s.Vendor.Partitions[id]
	if !ok {
		return Stay, nil
	}
	if s.Partition != "" && s.Partition != id {
		s.TrustedAccount = ""
	}
	s.Partition = id
	if !partition.Customise {
		s.Bundles = nil
		s.Prepare()
	}
	if partition.TrustedAccount == "" {
		if err := s.Vendor.CheckTrustedAccount(id, s.TrustedAccount); err != nil {
			c.asking = true
			return Stay, nil
		}
	}
	return c.finish(s)
}

func (c *choosePartition) entered(s *Session, text string) (Move, []Effect) {
	account := aws.CleanARN(text)
	if err := s.Vendor.CheckTrustedAccount(s.Partition, account); err != nil {
		c.field = inputProblem(err)
		return Stay, nil
	}
	s.TrustedAccount = account
	return c.finish(s)
}

func (c *choosePartition) finish(s *Session) (Move, []Effect) {
	s.settle(stepPartition, c.basis(s.Answers)...)
	return Next, nil
}

// Screen shows the partitions, or the field for the vendor's account.
func (c *choosePartition) Screen(s *Session) Screen {
	screen := c.screen(s)
	if c.asking {
		screen.Blocks = []Block{
			Text{Body: s.Vendor.Partitions[s.Partition].Why},
			Text{Body: "Which AWS account does " + s.Vendor.Whose() + " console tell you to trust?"},
			Input{ID: "trusted-account", Label: s.Vendor.Whose() + " account ID", Value: s.TrustedAccount, Hint: "twelve digits", Problem: c.field, Flag: "--trusted-account"},
		}
		return screen
	}
	choices := Choices{ID: "partition", Picked: s.Partition}
	if choices.Picked == "" {
		choices.Picked = defaultPartition
	}
	for _, id := range c.partitions(s) {
		p := s.Vendor.Partitions[id]
		detail := ""
		if !p.Customise {
			detail = "the policy cannot be customised there"
		}
		choices.Options = append(choices.Options, Option{ID: id, Label: p.Title, Detail: detail})
	}
	screen.Blocks = []Block{
		Text{Body: "Where is the AWS account that you connect?"},
		choices,
		Text{Tone: Dim, Body: "Every ARN, the trust policy and all links follow this answer: a role can only trust an account of its own partition."},
	}
	return screen
}

// partitions lists the described ones the commercial one first.
func (c *choosePartition) partitions(s *Session) []string {
	var ids []string
	for _, p := range aws.Partitions() {
		if _, ok := s.Vendor.Partitions[p.ID]; ok {
			ids = append(ids, p.ID)
		}
	}
	return ids
}
