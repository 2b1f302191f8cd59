package change

import (
	"cmp"
	"context"
	"strings"

	"rolecall/aws"
	"rolecall/steps/describe"
	"rolecall/steps/migrate"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
)

// intoStack has CloudFormation take over the roles of a connection.
func (u *migrating) intoStack(ctx context.Context) error {
	s := u.m.Session
	if _, ok := s.Vendor.Method(describe.Automatic, describe.AccessRole); !ok {
		return cli.Usage(s.Vendor.Title+" is not connected by CloudFormation.", "a vendor with the method automatic",
			"See rolecall vendors show "+s.Vendor.Name+".")
	}
	name := cmp.Or(u.flags.stackName, s.Stack.Name, s.Request().StackName())
	var p *migrate.Import
	err := u.budget.Within(ctx, func(ctx context.Context) (err error) {
		p, err = u.m.PlanImport(ctx, name)
		return err
	})
	if err != nil {
		return err
	}
	u.tell(p.Roles)
	u.doc.Stack = &migrateStackJSON{Name: name}
	u.heading()
	if p.Done {
		u.say("  The stack %s holds the role already.", name)
	} else if err := u.agreeImport(ctx, p); err != nil {
		return err
	}
	var stack aws.Stack
	err = u.budget.Within(ctx, func(ctx context.Context) (err error) {
		stack, err = u.m.Import(ctx, p)
		return err
	})
	if err != nil {
		return err
	}
	u.doc.Stack.ID, u.doc.Done, u.doc.State = stack.ID, true, stateDone
	err = u.keep(p.Roles, func(answers *record.Answers) {
		answers.Method, answers.Access = describe.Automatic, describe.AccessRole
		answers.Stack = record.Stack{Name: stack.Name, ID: stack.ID, Way: "rolecall", Acknowledged: true}
	})
	if err == nil && !p.Done {
		u.talk("The stack %s holds the role now. It is the same role, with the same trust policy.", name)
	}
	return err
}

func (u *migrating) agreeImport(ctx context.Context, p *migrate.Import) error {
	for line := range strings.Lines(p.Template) {
		u.say("  %s", strings.TrimRight(line, "\n"))
	}
	for _, one := range p.Resources {
		u.planned("import " + one.Type + " " + one.Value + " as " + one.LogicalID)
	}
	u.planned("add the output with the role's ARN")
	u.say("  Nothing of it is changed but the tags that CloudFormation gives to what it manages. When the stack is deleted, all of it stays.")
	return u.agree(ctx, "Make the stack "+p.Stack+" in account "+screen.Grouped(u.doc.AccountID)+", and acknowledge that "+
		"CloudFormation manages these IAM resources?")
}

// outOfStack deletes the stack of a connection and keeps its roles.
func (u *migrating) outOfStack(ctx context.Context) error {
	s := u.m.Session
	if s.Method != describe.Automatic {
		u.doc.Done, u.doc.State = true, stateDone
		u.heading()
		u.say("  No stack holds the role of this connection. There is nothing to do.")
		return nil
	}
	var r *migrate.Release
	err := u.budget.Within(ctx, func(ctx context.Context) (err error) {
		r, err = u.m.PlanRelease(ctx)
		return err
	})
	if err != nil {
		return err
	}
	u.tell(r.Roles)
	u.doc.Stack = &migrateStackJSON{Name: r.Stack.Name, ID: r.Stack.ID}
	u.heading()
	if !r.Done {
		if err := u.agreeRelease(ctx, r); err != nil {
			return err
		}
	}
	if err := u.budget.Within(ctx, func(ctx context.Context) error { return u.m.Release(ctx, r) }); err != nil {
		return err
	}
	u.doc.Done, u.doc.State = true, stateDone
	u.talk("The stack is gone. Its role is still there: the same role, with the same trust policy.")
	return u.keep(r.Roles, func(answers *record.Answers) {
		answers.Method, answers.Stack = describe.Manual, record.Stack{}
	})
}

func (u *migrating) agreeRelease(ctx context.Context, r *migrate.Release) error {
	if !r.Retained {
		u.planned("update stack " + r.Stack.Name + " by a change set: DeletionPolicy Retain on each role and policy, and nothing else")
	}
	u.planned("delete stack " + r.Stack.Name)
	for _, one := range r.Roles {
		u.planned("keep role " + one.Role.ARN + " (" + one.Role.ID + ") with its policies")
	}
	return u.agree(ctx, "Do this in account "+screen.Grouped(u.doc.AccountID)+"?")
}
