package steps

import (
	"context"

	"rolecall/aws"
	"rolecall/steps/describe"
)

// bucketLook checks that the bucket which a policy names exists and is in the
// account, and says what the account is in its organisation.
type bucketLook struct {
	label   string // "Report bucket"
	name    string
	running bool
	seen    *bucketSeen
}

// bucketSeen is what one look showed.
type bucketSeen struct {
	name         string
	region       string
	organization aws.Organization // the zero value where there is none, or where it cannot be read
	err          error
}

// bucketAsked is the value of the needed parameter that names a bucket; empty
// when none does, or when nobody can look.
func (s *Session) bucketAsked() (label, name string) {
	if s.AWS == nil {
		return "", ""
	}
	for _, role := range s.NeededRoles() {
		for key, p := range role.Parameters {
			if p.Kind == describe.ParameterBucket {
				return p.Label, s.Parameters[key]
			}
		}
	}
	return "", ""
}

func (b *bucketLook) look(s *Session) Effect {
	label, name := s.bucketAsked()
	*b = bucketLook{label: label, name: name, running: true}
	account := s.AWS
	return Call{Name: "look at the bucket " + name, Do: func(ctx context.Context) Msg {
		seen := bucketSeen{name: name}
		seen.region, seen.err = account.BucketRegion(ctx, name)
		seen.organization, _ = account.Organization(ctx) // may be denied: then nothing is said
		return seen
	}}
}

func (b *bucketLook) saw(seen bucketSeen) {
	if seen.name == b.name {
		b.running, b.seen = false, &seen
	}
}

// show is the screen while and after looking.
func (b *bucketLook) show(s *Session, screen Screen) Screen {
	if b.running || b.seen == nil {
		screen.Blocks = []Block{Tasks{{Name: "Looking at the bucket " + b.name, State: Running}}}
		return screen
	}
	use := Action{ID: "use-bucket", Label: "use it", Default: true}
	other := Action{ID: "other-bucket", Key: "n", Label: "name another"}
	again := Action{ID: "look-again", Key: "a", Label: "look again"}
	facts := Facts{{Label: b.label, Value: b.name}}
	if b.seen.region != "" {
		facts = append(facts, Fact{Label: "Region", Value: b.seen.region})
	}
	screen.Blocks = append(screen.Blocks, facts)
	switch kind := aws.KindOf(b.seen.err); {
	case b.seen.err == nil:
		screen.Blocks = append(screen.Blocks, Text{Tone: Good, Body: "The bucket " + b.name + " is in this account."})
		screen.Actions = []Action{use, other}
	case kind == aws.NotFound:
		other.Default, other.Key = true, ""
		screen.Blocks = append(screen.Blocks, Problem{What: "There is no bucket " + b.name + ".", Expected: "a bucket of account " + s.AccountID,
			Next: "Name the one that the report is written to, or create it first.", Kind: NotAsNeeded})
		screen.Actions = []Action{other, again}
	case kind == aws.Denied:
		screen.Blocks = append(screen.Blocks, Text{Tone: Warning, Body: "S3 does not let you look at the bucket " + b.name +
			": it belongs to another account, or you lack s3:GetBucketLocation. rolecall cannot tell which."})
		screen.Actions = []Action{use, other, again}
	default:
		again.Default, again.Key, use.Default, use.Key = true, "", false, "u"
		screen.Blocks = append(screen.Blocks, *problemOf(b.seen.err))
		screen.Actions = []Action{again, use, other}
	}
	screen.Blocks = append(screen.Blocks, b.place(s)...)
	return screen
}

// place says what the account is in its organisation: reports on all accounts
// are those of the management account.
func (b *bucketLook) place(s *Session) []Block {
	management := b.seen.organization.ManagementAccountID
	switch management {
	case "":
		return nil
	case s.AccountID:
		return []Block{Text{Tone: Good, Body: "This account manages its organisation: its report covers all member accounts."}}
	}
	return []Block{Text{Tone: Warning, Body: "This is a member account. The organisation's management account is " + Grouped(management) +
		". Go on only if this account has the report itself; else connect that one."}}
}
