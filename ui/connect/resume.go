package connect

import (
	"time"

	"github.com/spf13/cobra"

	"rolecall/steps"
	"rolecall/steps/record"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/flags"
	"rolecall/ui/lines"
	"rolecall/ui/rehearse"
)

// ResumeCommand is rolecall resume.
func ResumeCommand(a *cli.App) *cobra.Command {
	var yes bool
	wait := flags.DefaultWait
	cmd := &cobra.Command{
		Use:   "resume [SESSION]",
		Short: "Go on where a session stopped",
		Long: "resume goes on at the first step that is not done, having looked at AWS again. Without a session it takes the one " +
			"that was saved last and is not connected. A rehearsal's account is gone when it ends: resuming one begins with the same answers in a new account.",
		Args:              cli.UpToOne,
		ValidArgsFunction: completeSessions(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			return resume(a, cmd, args, yes, wait)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "take defaults and never ask")
	cmd.Flags().DurationVar(&wait, "wait", flags.DefaultWait, "how long to wait for IAM and the vendor when unattended")
	return cmd
}

func resume(a *cli.App, cmd *cobra.Command, args []string, yes bool, wait time.Duration) error {
	front, err := frontFor(a, yes)
	if err != nil {
		return err
	}
	if err := a.CheckCommon(); err != nil {
		return err
	}
	store, err := a.Store()
	if err != nil {
		return err
	}
	saved, err := pickSession(a, store, args)
	if err != nil {
		return err
	}
	held, answers, err := store.Open(saved.ID, saved.Rehearsal, a.Env.Now())
	if err != nil {
		return err
	}
	held.Now = a.Env.Now
	s, err := resumed(a, answers)
	if err == nil {
		s.Unfinished, err = held.Unfinished()
	}
	if err != nil {
		_ = held.Release() // the error at hand says more
		return err
	}
	if s.Rehearsal {
		rehearsal := rehearse.Start(a, s)
		defer rehearsal.Close()
	} else {
		attachClients(a, s)
	}
	if !s.ByHand {
		err = s.ConnectAPI() // the step that would say what is wrong may be behind
	}
	if err != nil {
		_ = held.Release() // the error at hand says more
		return err
	}
	r := &lines.Run{App: a, Walk: steps.NewWalk(s), Held: held, Store: store, Wait: wait}
	if front == frontUnattended {
		s.Wait = wait
		if err := lines.MissingFlags(r.Walk, "rolecall resume "+saved.ID); err != nil {
			return finish(r, err)
		}
	}
	return walkThrough(cmd.Context(), r, front)
}

// pickSession reads the named session, or the last one that is not connected.
func pickSession(a *cli.App, store *record.Store, args []string) (record.Answers, error) {
	if len(args) == 1 {
		return store.Load(args[0])
	}
	saved, ok, err := store.Latest(func(s record.Answers) bool { return !connected(s) })
	if err == nil && !ok {
		err = cli.Usage("There is no unfinished session.", "a session that stopped half-way",
			"Begin one: rolecall. Name a connected one to look at it again: rolecall resume ID.")
	}
	if err == nil {
		a.Say("Session %s.", saved.ID)
	}
	return saved, err
}

// resumed makes the session again from its answers.
func resumed(a *cli.App, answers record.Answers) (*step.Session, error) {
	if answers.Rehearsal {
		answers = answers.InNewWorld()
	}
	if a.Profile != "" {
		answers.Profile = a.Profile
	}
	if a.Region != "" {
		answers.Region = a.Region
	}
	if a.Account == "" && answers.AccountPinned {
		a.Account = answers.AccountID
	}
	if a.Profile == "" {
		a.Profile = answers.Profile
	}
	a.Region = answers.Region
	s := &step.Session{Answers: answers, LoadVendor: steps.Library().Load, Now: a.Env.Now, Resuming: true}
	if answers.Vendor == "" || answers.Method == "" {
		p := &flags.Prepared{Load: steps.Library().Load}
		if err := p.Offer(flags.Way{Vendor: answers.Vendor}); err != nil {
			return nil, err
		}
		s.Offers = p.Offers
		return s, nil
	}
	v, err := steps.Library().Load(answers.Vendor)
	if err != nil {
		return nil, cli.FlagRefused("vendor "+answers.Vendor, err)
	}
	s.Vendor = v
	for _, m := range v.Methods {
		s.Offers = append(s.Offers, step.Offer{Vendor: answers.Vendor, Method: m.ID, Access: m.Access, Label: v.Title + " · " + m.Title})
	}
	s.Prepare()
	return s, nil
}
