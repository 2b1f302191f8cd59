package ui

import (
	"time"

	"github.com/spf13/cobra"

	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/step"
)

func (a *app) resumeCommand() *cobra.Command {
	var yes bool
	wait := defaultWait
	cmd := &cobra.Command{
		Use:   "resume [SESSION]",
		Short: "Go on where a session stopped",
		Long: "resume goes on at the first step that is not done, having looked at AWS again. Without a session it takes the one " +
			"that was saved last and is not connected. A rehearsal's account is gone when it ends: resuming one begins with the same answers in a new account.",
		Args:              upToOne,
		ValidArgsFunction: a.completeSessions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.resume(cmd, args, yes, wait)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "take defaults and never ask")
	cmd.Flags().DurationVar(&wait, "wait", defaultWait, "how long to wait for IAM and the vendor when unattended")
	return cmd
}

func (a *app) resume(cmd *cobra.Command, args []string, yes bool, wait time.Duration) error {
	front, err := a.frontFor(yes)
	if err != nil {
		return err
	}
	if err := a.checkCommon(); err != nil {
		return err
	}
	store, err := a.store()
	if err != nil {
		return err
	}
	saved, err := a.pickSession(store, args)
	if err != nil {
		return err
	}
	held, answers, err := store.Open(saved.ID, saved.Rehearsal, a.env.Now())
	if err != nil {
		return err
	}
	held.Now = a.env.Now
	s, err := a.resumed(answers)
	if err == nil {
		s.Unfinished, err = held.Unfinished()
	}
	if err != nil {
		_ = held.Release() // the error at hand says more
		return err
	}
	if s.Rehearsal {
		world, err := a.rehearsalWorld(s)
		if err != nil {
			return err
		}
		defer world.close()
	} else if err := a.realWorld(s); err != nil {
		return err
	}
	r := &run{app: a, walk: steps.NewWalk(s), held: held, store: store, wait: wait}
	if front == frontUnattended {
		s.Wait = wait
		if err := missingFlags(r.walk, "rolecall resume "+saved.ID); err != nil {
			return r.finish(err)
		}
	}
	return r.walkThrough(cmd.Context(), front)
}

// pickSession reads the named session, or the last one that is not connected.
func (a *app) pickSession(store *record.Store, args []string) (record.Answers, error) {
	if len(args) == 1 {
		return store.Load(args[0])
	}
	saved, ok, err := store.Latest(func(s record.Answers) bool { return !connected(s) })
	if err == nil && !ok {
		err = usage("There is no unfinished session.", "a session that stopped half-way",
			"Begin one: rolecall. Name a connected one to look at it again: rolecall resume ID.")
	}
	if err == nil {
		a.say("Session %s.", saved.ID)
	}
	return saved, err
}

// resumed makes the session again from its answers.
func (a *app) resumed(answers record.Answers) (*step.Session, error) {
	if answers.Rehearsal {
		answers = answers.InNewWorld()
	}
	if a.profile != "" {
		answers.Profile = a.profile
	}
	if a.region != "" {
		answers.Region = a.region
	}
	if a.account == "" && answers.AccountPinned {
		a.account = answers.AccountID
	}
	if a.profile == "" {
		a.profile = answers.Profile
	}
	a.region = answers.Region
	s := &step.Session{Answers: answers, LoadVendor: describe.Load, Now: a.env.Now, Resuming: true}
	if answers.Vendor == "" || answers.Method == "" {
		p := &prepared{load: describe.Load}
		if err := p.offer(&connectFlags{vendor: answers.Vendor}); err != nil {
			return nil, err
		}
		s.Offers = p.offers
		return s, nil
	}
	v, err := describe.Load(answers.Vendor)
	if err != nil {
		return nil, flagRefused("vendor "+answers.Vendor, err)
	}
	s.Vendor = v
	for _, m := range v.Methods {
		s.Offers = append(s.Offers, step.Offer{Vendor: answers.Vendor, Method: m.ID, Access: m.Access, Label: v.Title + " · " + m.Title})
	}
	s.Prepare()
	return s, nil
}
