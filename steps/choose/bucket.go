package choose

import (
	"context"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// bucketLook checks that the bucket which a policy names exists and is in the
// account, and says what the account is in its organisation.
type bucketLook struct {
	label   string // "Report bucket"
	name    string
	reports bool // it holds cost reports
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
func bucketAsked(s *step.Session) (p describe.Parameter, name string) {
	if s.AWS == nil {
		return p, ""
	}
	for _, key := range s.Request().Parameterised() {
		if p, _ := s.Vendor.Parameter(key); p.IsBucket() {
			return p, s.Parameters[key]
		}
	}
	return p, ""
}

func (b *bucketLook) look(s *step.Session) screen.Effect {
	p, name := bucketAsked(s)
	*b = bucketLook{label: p.Label, name: name, reports: p.Kind == describe.ParameterReports, running: true}
	account := s.AWS
	return screen.Call{Name: "look at the bucket " + name, Do: func(ctx context.Context) screen.Msg {
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
func (b *bucketLook) show(s *step.Session, view screen.Screen) screen.Screen {
	if b.running || b.seen == nil {
		view.Blocks = []screen.Block{screen.Tasks{{Name: "Looking at the bucket " + b.name, State: screen.Running}}}
		return view
	}
	use := screen.Action{ID: "use-bucket", Label: "use it", Default: true}
	other := screen.Action{ID: "other-bucket", Key: "n", Label: "name another"}
	again := screen.Action{ID: "look-again", Key: "a", Label: "look again"}
	facts := screen.Facts{{Label: b.label, Value: b.name}}
	if b.seen.region != "" {
		facts = append(facts, screen.Fact{Label: "Region", Value: b.seen.region})
	}
	view.Blocks = append(view.Blocks, facts)
	switch kind := aws.KindOf(b.seen.err); {
	case b.seen.err == nil:
		view.Blocks = append(view.Blocks, screen.Text{Tone: screen.Good, Body: "The bucket " + b.name + " is in this account."})
		view.Actions = []screen.Action{use, other}
	case kind == aws.NotFound:
		other.Default, other.Key = true, ""
		view.Blocks = append(
			view.Blocks,
			screen.Problem{What: "There is no bucket " + b.name + ".", Expected: "a bucket of account " + s.AccountID,
				Next: "Give the right name as " + b.label + ", or create the bucket first.", Kind: screen.NotAsNeeded},
		)
		view.Actions = []screen.Action{other, again}
	case kind == aws.Denied:
		view.Blocks = append(view.Blocks, screen.Text{Tone: screen.Warning, Body: "S3 does not let you look at the bucket " + b.name +
			": it belongs to another account, or you lack s3:GetBucketLocation. rolecall cannot tell which."})
		view.Actions = []screen.Action{use, other, again}
	default:
		again.Default, again.Key, use.Default, use.Key = true, "", false, "u"
		view.Blocks = append(view.Blocks, *step.ProblemOf(b.seen.err))
		view.Actions = []screen.Action{again, use, other}
	}
	view.Blocks = append(view.Blocks, b.place(s)...)
	return view
}

// place says what the account is in its organisation: reports on all accounts
// are those of the management account.
func (b *bucketLook) place(s *step.Session) []screen.Block {
	management := b.seen.organization.ManagementAccountID
	switch {
	case management == "" || !b.reports:
		return nil
	case management == s.AccountID:
		return []screen.Block{
			screen.Text{Tone: screen.Good, Body: "This account manages its organization: its report covers all member accounts."},
		}
	}
	return []screen.Block{
		screen.Text{
			Tone: screen.Warning,
			Body: "This is a member account. The organization's management account is " + screen.Grouped(management) +
				". Go on only if this account has the report itself; else connect that one.",
		},
	}
}
