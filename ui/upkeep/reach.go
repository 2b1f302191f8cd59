package upkeep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"rolecall/aws"
	"rolecall/policy"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
)

// How far a clock may be off. AWS takes a request whose time is at most five
// minutes off (AWS General Reference, "Signature Version 4": some services allow
// 15); the SDK makes up for more, and what else checks a time here does not.
const (
	skewNoticed = time.Minute
	skewRefused = 5 * time.Minute
)

// findClock compares this machine's clock with AWS's.
func findClock(account *aws.Account, signIn error) line {
	l := line{Name: "clock", Status: unknown, Detail: "AWS told no time", Fix: "See the line aws."}
	skew, known := time.Duration(0), false
	if account != nil {
		skew, known = account.Skew()
	}
	if e := aws.Explain(signIn); e != nil && e.Skew != 0 {
		skew, known = e.Skew, true
	}
	if !known {
		return l
	}
	direction := "ahead of"
	if skew < 0 {
		direction = "behind"
	}
	l.Status, l.Detail, l.Fix = pass, "within a minute of AWS's", ""
	if skew.Abs() < skewNoticed {
		return l
	}
	l.Status, l.Detail = warn, fmt.Sprintf("%s %s AWS's", skew.Abs().Round(time.Second), direction)
	l.Fix = "Set the clock of this machine, best by the network's time (NTP)."
	if skew.Abs() >= skewRefused {
		l.Detail += ", more than AWS takes in a signature; its SDK makes up for it, other tools may not"
	}
	return l
}

// findEndpoints asks each service of AWS that rolecall uses one question that
// reads: whatever it answers, also that it is not allowed, it can be reached.
func findEndpoints(ctx context.Context, account *aws.Account, signIn error) []line {
	asks := []struct {
		name, host, without string
		ask                 func(context.Context) error
	}{
		{"iam", "IAM", "Nothing can be looked at or made.", func(ctx context.Context) error { _, err := account.Alias(ctx); return err }},
		{"cloudformation", "CloudFormation", "Only --method automatic needs it.", func(ctx context.Context) error {
			_, err := account.Stack(ctx, "rolecall-doctor") // that there is none is an answer
			return err
		}},
		{"organizations", "Organizations", "rolecall goes on without: it names the management account, and SCPs.",
			func(ctx context.Context) error { _, err := account.Organization(ctx); return err }},
	}
	var lines []line
	for _, one := range asks {
		l := line{Name: "endpoint-" + one.name, Status: unknown, Detail: one.host + " was not asked", Fix: "See the line aws."}
		if account != nil && signIn == nil {
			l = reached(l.Name, one.host, one.without, one.ask(ctx))
		}
		lines = append(lines, l)
	}
	return lines
}

func reached(name, service, without string, err error) line {
	l := line{Name: name, Status: pass, Detail: service + " answers"}
	kind := aws.KindOf(err)
	switch {
	case err == nil || kind == aws.NotFound:
	case kind == aws.Denied: // which is an answer
		l.Detail += ", and does not let you read there"
	case name == nameIAM: // nothing works without it
		return failed(name, err)
	case kind == aws.Network, kind == aws.Unavailable, kind == aws.Canceled, kind == aws.Throttled:
		p := cli.ProblemOf(err)
		l.Status, l.Detail, l.Fix = warn, strings.TrimSuffix(p.What, ".")+" ("+service+")", strings.TrimSpace(p.Next+" "+without)
	default:
		p := cli.ProblemOf(err)
		l.Status, l.Detail, l.Fix = unknown, service+": "+p.What, p.Next
	}
	return l
}

// oldData is the age from which AWS has added enough actions to matter.
const oldData = 180 * 24 * time.Hour

// findData says how old what rolecall knows of IAM is.
func findData(a *cli.App) line {
	data := policy.AWS()
	l := line{Name: "data", Status: pass, Detail: fmt.Sprintf("IAM actions of %s (%s)", data.Date(), data.Version())}
	day, err := time.Parse(time.DateOnly, data.Date())
	if err != nil {
		l.Status, l.Fix = unknown, "Its age is not known: install rolecall again."
		return l
	}
	age := a.Env.Now().Sub(day)
	l.Detail += ", " + screen.Counted(max(int(age/(24*time.Hour)), 0), "day") + " old"
	switch {
	case age > oldData:
		l.Status, l.Fix = warn, "Install a newer rolecall: AWS adds actions every week, and a review does not know those."
	case age < -24*time.Hour:
		l.Status, l.Detail = warn, l.Detail+", and of the future by this clock"
		l.Fix = "Set the clock of this machine."
	}
	return l
}

// tryFolder says what is wrong with the folder of the sessions; empty texts when
// nothing is. A folder that is not there yet is made when it is needed.
func tryFolder(folder string) (what, fix string) {
	info, err := os.Stat(folder)
	if err != nil {
		return "", ""
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fmt.Sprintf("others may look into it (mode %04o)", info.Mode().Perm()), "Keep it to yourself: chmod 700 " + folder
	}
	file, err := os.CreateTemp(folder, ".rolecall-doctor-*")
	if err != nil {
		return "nothing can be written there", "Make room, or make it yours; or name another place with XDG_STATE_HOME."
	}
	_, writing := file.WriteString("doctor")
	if err := errors.Join(writing, file.Close(), os.Remove(file.Name())); err != nil {
		return "nothing can be written there", "Make room, or make it yours; or name another place with XDG_STATE_HOME."
	}
	return "", ""
}
