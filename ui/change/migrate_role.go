package change

import (
	"context"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/steps/describe"
	making "rolecall/steps/make"
	"rolecall/steps/migrate"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/undo"
	"rolecall/ui/cli"
)

type migrateKeyJSON struct {
	ID       string     `json:"access_key_id"`
	Status   string     `json:"status"` // Active or Inactive
	LastUsed *time.Time `json:"last_used,omitempty"`
	Unknown  bool       `json:"last_used_unknown,omitempty"`
	Service  string     `json:"service,omitempty"`
	Proven   bool       `json:"proven"` // a receipt proves that rolecall made it
	Why      string     `json:"why,omitempty"`
}

type migrateRemovedJSON struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Why     string `json:"why,omitempty"`
}

// toRole turns the user of a connection into a role, as far as it can go now.
func (u *migrating) toRole(ctx context.Context) error {
	if err := u.nameRole(); err != nil {
		return err
	}
	var r migrate.Replacing
	err := u.budget.Within(ctx, func(ctx context.Context) (err error) {
		r, err = u.m.PlanRole(ctx)
		return err
	})
	defer func() { u.tellUser(r) }()
	if err != nil {
		return err
	}
	u.heading()
	if u.door.Answers.Access != describe.AccessUser && r.User == "" && !r.Ours() && r.Making.Stage == making.Made {
		u.doc.Done, u.doc.State = true, stateDone
		u.tell(r.Roles)
		u.say("  It has a role, and no user is left of before. There is nothing to do.")
		return nil
	}
	u.sayKeys(r)
	fresh := r.Making.Stage == making.Ready
	if err := u.makeRole(ctx, &r); err != nil {
		return err
	}
	if err := u.handOver(ctx, &r, fresh); err != nil {
		return err
	}
	if len(r.Active()) > 0 || r.Ours() && r.Leaves().IsZero() {
		return u.deactivate(ctx, &r)
	}
	return u.delete(ctx, &r)
}

// nameRole takes the names from the flags, else from what an earlier run kept.
func (u *migrating) nameRole() error {
	s := u.m.Session
	for _, role := range s.Request().Needed() {
		part := s.Part(role.Purpose)
		if u.flags.externalID != "" {
			if err := s.Vendor.CheckExternalID(u.flags.externalID); err != nil {
				return cli.FlagRefused("--external-id", err)
			}
			if part.ExternalID != "" && part.ExternalID != u.flags.externalID && part.RoleID != "" {
				return cli.Usage("--external-id is "+u.flags.externalID+", and the role was made with "+part.ExternalID+".", "the same external ID",
					"Leave --external-id out.")
			}
			part.ExternalID = u.flags.externalID
		}
		if role.NoExternal == "" && part.ExternalID == "" {
			why := "Its value: " + s.Vendor.ExternalID.Find
			return cli.Usage("The role needs an external ID. "+why, "--external-id", "Add --external-id. Nothing was changed.")
		}
		if u.flags.roleName != "" {
			part.RoleName, part.NameGiven = u.flags.roleName, true
		}
		part.Needed = true
		s.SetPart(role.Purpose, func(p *record.Part) { *p = part })
	}
	return nil
}

// sayKeys shows every key of the user with its last use.
func (u *migrating) sayKeys(r migrate.Replacing) {
	for _, k := range r.Keys {
		u.say("  User %s · access key %s · %s · %s", r.User, k.Now.ID, keyStatus(k.Now), u.lastUse(k.Now))
		if !k.Ours {
			u.say("    It is left alone: %s %s", k.Why, k.Next)
		}
	}
}

func keyStatus(k aws.AccessKey) string {
	if k.Active {
		return "active"
	}
	return "inactive"
}

func (u *migrating) lastUse(k aws.AccessKey) string {
	switch {
	case k.UseUnknown:
		return "last use unknown: you may not ask (iam:GetAccessKeyLastUsed)"
	case k.LastUsed.IsZero():
		return "never used"
	}
	return "last used " + k.LastUsed.UTC().Format("2006-01-02 15:04") + " UTC with " + k.Service
}

// makeRole makes and proves the role.
func (u *migrating) makeRole(ctx context.Context, r *migrate.Replacing) error {
	if r.Making.Stage == making.Ready {
		for _, op := range r.Making.Plan.Operations {
			u.planned(strings.TrimSuffix(op.Name+" · "+op.Detail, " · "))
		}
		if err := u.agree(ctx, "Make this in account "+screen.Grouped(u.doc.AccountID)+"? The user keeps working."); err != nil {
			return err
		}
		if err := u.saveNames(); err != nil {
			return err
		}
	}
	err := u.budget.Within(ctx, func(ctx context.Context) error { return u.m.MakeRole(ctx, r) })
	if err != nil {
		return err
	}
	u.doc.State = stateRoleProven
	u.tell(r.Roles)
	for _, one := range r.Roles {
		u.say("  The role %s is there and proven.", one.Role.ARN)
	}
	return nil
}

// saveNames keeps what the role is to be called and its external ID, so that the
// next run knows. The connection is still the user's.
func (u *migrating) saveNames() error {
	if u.door.Open == nil {
		return nil
	}
	answers := u.door.Answers
	answers.Parts = u.m.Session.Parts
	return u.door.Open.Save(answers)
}

// handOver says what the vendor's description says of it, and wants to hear that
// it was done. Of a role that is fresh no flag can have known that.
func (u *migrating) handOver(ctx context.Context, r *migrate.Replacing, fresh bool) error {
	s := u.m.Session
	if r.Handed.IsZero() {
		u.sayHandOver(r)
		switch {
		case u.flags.handedOver && !fresh:
		case u.flags.yes:
			if err := u.saveNames(); err != nil {
				return err
			}
			what := "Nobody said that " + s.Vendor.Title + " has the role now."
			if u.flags.handedOver {
				what = "The role was made only now, so that " + s.Vendor.Title + " cannot have had it when --handed-over was given."
			}
			return &screen.Fault{Problem: screen.Problem{
				What:     what + " The user's key works as before.",
				Expected: "the hand-over, done by you", Next: "Hand it over as the lines above say, then run the same with --handed-over.",
				Kind: screen.NotAsNeeded}}
		default:
			if err := u.agree(ctx, "Does "+s.Vendor.Title+" have it, and say that it works?"); err != nil {
				return err
			}
		}
		if err := u.m.HandedOver(r); err != nil {
			return err
		}
	}
	u.doc.State = stateHandedOver
	return u.keep(r.Roles, func(answers *record.Answers) {
		for _, one := range r.Roles {
			answers.SetPart(one.Purpose, func(p *record.Part) { p.HandedOver = true })
		}
	})
}

func (u *migrating) sayHandOver(r *migrate.Replacing) {
	s := u.m.Session
	for _, one := range r.Roles {
		role, _ := s.Vendor.Role(one.Purpose)
		value := one.Role.ARN
		if role.HandOver == describe.HandOverAccount {
			value = s.AccountID
		}
		u.talk("For %s: %s\n  %s", s.Vendor.Title, cli.OrElse(role.Field, "the role's ARN"), value)
	}
	method, ok := s.Vendor.Method(describe.Direct, describe.AccessRole)
	if !ok {
		return
	}
	if step, ok := method.Step("connect", ""); ok {
		for _, line := range step.Instructions {
			u.talk("  · %s", line)
		}
	}
	if page := s.Vendor.Links.Connect; page != "" {
		u.talk("  %s", page)
	}
}

// deactivate makes the user's key useless, once that was agreed to.
func (u *migrating) deactivate(ctx context.Context, r *migrate.Replacing) error {
	from := u.m.AWSNow().AddDate(0, 0, u.flags.days).Truncate(24 * time.Hour)
	day := from.Format(time.DateOnly)
	question := "Deactivate it now, and have it deleted with its user from " + day + " on?"
	active := r.Active()
	for _, k := range active {
		u.planned("deactivate access key " + k.Now.ID + " of " + r.User + ", " + u.lastUse(k.Now))
		if !k.UsedSince(r.Handed) {
			continue
		}
		warning := "Access key " + k.Now.ID + " was used after the role was handed over: " + u.lastUse(k.Now) + "."
		if k.Now.UseUnknown {
			warning = "Nobody knows whether access key " + k.Now.ID + " was used since the role was handed over."
		}
		if u.flags.yes && !u.flags.used {
			return &screen.Fault{Problem: screen.Problem{What: warning, Expected: "a key that nothing uses any more",
				Next: "Find out what uses it. If that may stop: --although-used.", Kind: screen.NotAsNeeded}}
		}
		u.talk("Warning: %s What uses it stops working.", warning)
	}
	u.planned("delete the user from " + day + " on, when this is run again")
	if len(active) == 0 {
		question = "Have the user deleted from " + day + " on?"
	}
	if err := u.agree(ctx, question); err != nil {
		return err
	}
	if err := u.budget.Within(ctx, func(ctx context.Context) error { return u.m.Deactivate(ctx, r, from) }); err != nil {
		return err
	}
	u.doc.State = stateDeactivated
	for _, k := range active {
		u.talk("Access key %s is deactivated.", k.Now.ID)
	}
	u.sayDay(r)
	return nil
}

func (u *migrating) sayDay(r *migrate.Replacing) {
	u.talk("From %s on, this deletes the user: rolecall migrate %s --access role.", r.Leaves().Format(time.DateOnly), u.doc.Session)
}

// delete deletes the user once its day has come.
func (u *migrating) delete(ctx context.Context, r *migrate.Replacing) error {
	u.doc.State = stateDeactivated
	switch {
	case len(r.Removes) == 0:
		u.doc.Done, u.doc.State = len(r.Keys) == 0, stateHandedOver
		if !u.doc.Done {
			return &screen.Fault{Problem: screen.Problem{
				What:     "The user " + r.User + " is left alone: no receipt proves that rolecall made it or its key.",
				Expected: "a user that this session made", Next: r.Keys[0].Next, Kind: screen.NotAsNeeded}}
		}
		u.doc.State = stateDone
		u.say("  No user is left of before.")
		return nil
	case r.Ours() && !u.m.Due(*r):
		u.sayDay(r)
		return nil
	}
	if !r.Ours() {
		u.doc.State = stateHandedOver
	}
	for _, one := range r.Removes {
		if one.Verdict == undo.Remove {
			u.planned("delete " + string(one.Kind) + " " + one.Label())
		}
	}
	if r.Ours() {
		if err := u.agree(ctx, "Delete the user "+r.User+"? Its day was "+r.Leaves().Format(time.DateOnly)+"."); err != nil {
			return err
		}
	}
	if err := u.budget.Within(ctx, func(ctx context.Context) error { return u.m.Delete(ctx, r) }); err != nil {
		return err
	}
	for _, one := range r.Removes {
		if one.Verdict == undo.Stays {
			return &screen.Fault{Problem: screen.Problem{
				What:     "Not all of the user was deleted: " + string(one.Kind) + " " + one.Label() + " stays. " + one.Why,
				Expected: "a user that is as rolecall made it", Next: one.Next, Kind: screen.NotAsNeeded}}
		}
	}
	u.doc.Done, u.doc.State = true, stateDone
	u.talk("The user is gone. The role is all that is left of the connection.")
	return u.forgetUser(r)
}

// forgetUser takes the user out of the session.
func (u *migrating) forgetUser(r *migrate.Replacing) error {
	return u.keep(r.Roles, func(answers *record.Answers) {
		for purpose, part := range answers.Parts {
			if part.UserName != "" || part.UserID != "" {
				answers.SetPart(purpose, func(p *record.Part) { *p = record.Part{} })
			}
		}
	})
}

// tellUser puts what is known of the user into the document.
func (u *migrating) tellUser(r migrate.Replacing) {
	for _, k := range r.Keys {
		one := migrateKeyJSON{ID: k.Now.ID, Status: "Inactive", Unknown: k.Now.UseUnknown, Service: k.Now.Service, Proven: k.Ours, Why: k.Why}
		if k.Now.Active {
			one.Status = "Active"
		}
		if !k.Now.LastUsed.IsZero() {
			one.LastUsed = &k.Now.LastUsed
		}
		u.doc.Keys = append(u.doc.Keys, one)
	}
	if !r.Handed.IsZero() {
		u.doc.HandedAt = &r.Handed
	}
	if day := r.Leaves(); !day.IsZero() {
		u.doc.DeleteOn = day.Format(time.DateOnly)
	}
	for _, one := range r.Removes {
		if one.Verdict != undo.Remove {
			u.doc.Removed = append(u.doc.Removed, migrateRemovedJSON{string(one.Kind), one.Label(), string(one.Verdict), one.Why})
		}
	}
}
