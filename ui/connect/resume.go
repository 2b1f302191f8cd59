package connect

import (
	"github.com/spf13/cobra"

	"rolecall/steps"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/flags"
	"rolecall/ui/front"
	"rolecall/ui/lines"
	"rolecall/ui/rehearse"
	"rolecall/ui/sessions"
)

// ResumeCommand is rolecall resume.
func ResumeCommand(a *cli.App) *cobra.Command {
	f := &flags.Flags{}
	cmd := &cobra.Command{
		Use:   "resume [SESSION]",
		Short: "Go on where a session stopped",
		Long: "resume goes on at the first step that is not done, having looked at AWS again. Without a session it takes the one " +
			"that was saved last, is not connected and that nobody has open, and stops where one cannot be read, since that could be the one. " +
			"Flags answer what " +
			"is still open, or answer it anew. A rehearsal's account is gone when it ends: resuming one begins with the same answers in a new " +
			"account.",
		Example:           "  rolecall resume\n  rolecall resume 260131-7k2m --yes --secret-file key.json",
		Args:              cli.UpToOne,
		ValidArgsFunction: sessions.Complete(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			return resume(a, cmd, args, f)
		},
	}
	f.Bind(cmd, flags.Resuming)
	return cmd
}

func resume(a *cli.App, cmd *cobra.Command, args []string, f *flags.Flags) error {
	by, err := front.For(a, f.Yes())
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
	open, answers, err := store.Open(saved.ID, saved.Rehearsal, a.Env.Now())
	if err != nil {
		return err
	}
	open.Begin("resume", a.Whoami(), a.Env.Now)
	s, release, err := goOn(a, f, open, answers)
	if err != nil {
		_ = open.Release() // the error at hand says more
		return err
	}
	defer release()
	r := &lines.Run{App: a, Walk: steps.NewWalk(s), Open: open, Store: store, Wait: f.Wait()}
	if by == front.Unattended {
		s.Wait = f.Wait()
		if err := lines.MissingFlags(r.Walk, "rolecall resume "+saved.ID); err != nil {
			return finish(r, err)
		}
	}
	return walkThrough(cmd.Context(), r, by)
}

// goOn makes the session again, as far as the saved answers and the flags
// go, and connects it to AWS and to the vendor.
func goOn(a *cli.App, f *flags.Flags, open *record.OpenSession, answers record.Answers) (s *step.Session, release func(), err error) {
	if s, err = sessions.Resumed(a, answers); err != nil {
		return nil, nil, err
	}
	if s.Unfinished, err = open.Unfinished(); err != nil {
		return nil, nil, err
	}
	if err := narrowTo(s, f.Text("method"), f.Text("access")); err != nil {
		return nil, nil, err
	}
	if err := f.Answer(s); err != nil {
		return nil, nil, err
	}
	if err := keepSecret(a, f.SecretFile(), s); err != nil {
		return nil, nil, err
	}
	s.SendTo, release = f.SendTo(), func() {}
	if s.Rehearsal {
		release = rehearse.Start(a, s, f.Yes()).Close
	} else {
		sessions.AttachClients(a, s)
	}
	if s.ByHand {
		return s, release, nil
	}
	if err := s.ConnectAPI(); err != nil { // the step that would say what is wrong may be behind
		release()
		return nil, nil, err
	}
	return s, release, nil
}

// pickSession reads the named session, or the last one that is not connected.
func pickSession(a *cli.App, store *record.Store, args []string) (record.Answers, error) {
	if len(args) == 1 {
		saved, err := store.Load(args[0])
		if err == nil && saved.Across != nil {
			err = cli.Usage("Session "+args[0]+" connects an organization.", "a session on one account", "Go on with it: rolecall org.")
		}
		return saved, err
	}
	var held []sessions.Line
	saved, ok, err := store.Latest(func(one record.Listed) bool {
		open := !sessions.Connected(one.Answers) && one.Answers.Across == nil
		if open && one.Holder != nil {
			held = append(held, sessions.LineOf(one))
			return false
		}
		return open
	})
	switch {
	case !ok && err == nil && len(held) > 0:
		return saved, &screen.Fault{Problem: screen.Problem{What: "The unfinished session " + held[0].Session + " is " + held[0].Holder() + ".",
			Expected: "a session that nobody has open", Next: "Go on there, end it and try again, or begin another one: rolecall."}}
	case err != nil && ok:
		return saved, sessions.AlsoNext(err, "Or name the session to go on with: rolecall resume "+saved.ID+".")
	case err != nil:
		return saved, err
	case !ok:
		return saved, cli.Usage("There is no unfinished session.", "a session that stopped half-way",
			"Begin one: rolecall. Name a connected one to look at it again: rolecall resume ID.")
	}
	for _, one := range held {
		a.Say("Session %s is left alone: it is %s.", one.Session, one.Holder())
	}
	a.Say("Session %s.", saved.ID)
	return saved, nil
}
