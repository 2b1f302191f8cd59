package evidence

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/aws"
	"rolecall/policy"
)

// sound tells whether a name or ARN has only what IAM takes in them: whatever
// else is in one did not come from AWS, and would read as another name once it is
// cleaned.
func sound(name string) bool {
	return len(name) <= 2048 && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

func unsound(name string) error {
	return refuse(fmt.Sprintf("%q in the evidence is no name of AWS.", clean(name)), "Copy the output again, as AWS gave it.")
}

// checkNames refuses names that AWS cannot have given.
func (e *reader) checkNames(h *holder) error {
	names := []string{h.arn, h.name, h.id, h.path, h.boundary}
	if len(h.attached)+len(h.inlineNames)+len(h.groups)+len(h.keys) > maxListed {
		return refuse("A list in the evidence is longer than AWS allows.", "Copy the output again, as AWS gave it.")
	}
	for _, p := range h.attached {
		names = append(names, p.ARN)
	}
	for _, k := range h.keys {
		names = append(names, k.ID)
	}
	for _, name := range append(append(names, h.inlineNames...), h.groups...) {
		if !sound(name) {
			return unsound(name)
		}
	}
	if h.arn == "" {
		return nil
	}
	arn, ok := aws.SplitARN(h.arn)
	if !ok || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, h.kind()+"/") || nameOf(h.arn) != h.name {
		return refuse(
			fmt.Sprintf("%q in the evidence is not the ARN of the %s %s.", clean(h.arn), h.kind(), clean(h.name)),
			"Copy the output again, as AWS gave it.",
		)
	}
	if h.path == "" {
		h.path = pathOf(h.arn)
	}
	if h.path != pathOf(h.arn) {
		return contradiction(
			"The path of the "+h.kind()+" "+h.name+" is "+h.path+", and its ARN says "+pathOf(h.arn)+".",
			"one path",
			"Copy the output again, as AWS gave it.",
		)
	}
	return nil
}

// finish gives what did not say whose it is to whom it has to be about.
func (e *reader) finish() error {
	if e.count == 0 && len(e.view.absent) == 0 && len(e.view.forms) == 0 {
		return refuse("The evidence is empty.", "Paste the output of aws iam get-role --role-name NAME --output json.")
	}
	if e.view.account != "" && len(e.view.forms) == 1 {
		return refuse("This is the answer of aws sts get-caller-identity: it says whose session somebody is in, and shows no role.",
			"Paste the output of aws iam get-role --role-name NAME --output json too.")
	}
	for _, text := range e.trusts {
		if err := e.giveTrust(text); err != nil {
			return err
		}
	}
	for i := range e.lists {
		if err := e.giveList(&e.lists[i]); err != nil {
			return err
		}
	}
	if err := e.giveVersions(); err != nil {
		return err
	}
	e.noteOthers()
	if err := e.checkProviders(); err != nil {
		return err
	}
	return e.checkAbsent()
}

// noteOthers says that the evidence is of another role or user than the one that
// is asked for.
func (e *reader) noteOthers() {
	for _, user := range []bool{false, true} {
		name, asked := e.subject(user)
		is := func(h *holder) bool { return h.user == user && strings.EqualFold(h.name, name) }
		i := slices.IndexFunc(e.view.holders, func(h *holder) bool { return h.user == user && !is(h) })
		if asked && i >= 0 && !slices.ContainsFunc(e.view.holders, is) {
			h := e.view.holders[i]
			e.view.note(
				"The evidence shows the " + h.kind() + " " + h.name + ", not " +
					clean(name) + ": --" + h.kind() + " " + h.name + " would judge that one.",
			)
		}
	}
}

// subject is the role or user that is asked for, or the only one that there is.
func (e *reader) subject(user bool) (string, bool) {
	asked := e.ask.Role
	if user {
		asked = e.ask.User
	}
	if asked != "" {
		return nameOf(asked), true
	}
	var names []string
	for _, h := range e.view.holders {
		if h.user == user {
			names = append(names, h.name)
		}
	}
	if len(names) == 1 {
		return names[0], true
	}
	return "", false
}

func (e *reader) giveTrust(text string) error {
	shown, trust := aws.ReadDocument(text, policy.Trust)
	name, ok := e.subject(false)
	if !ok {
		e.view.note("A trust policy alone does not say which role it is of; it was not used.")
		return nil
	}
	e.view.note("The trust policy does not say which role it is of; it is taken for that of " + clean(name) + ".")
	return e.add(holder{name: name, form: "the trust policy alone", trustText: shown, trust: trust})
}

// giveList gives a list to the role or user that the command names, or to the
// only one that the evidence is about.
func (e *reader) giveList(l *list) error {
	l.part.user = l.part.user || e.ask.User != "" && e.ask.Role == "" || strings.Contains(l.command.name, "-user-") || e.onlyUsers()
	if name := l.command.value("--role-name"); name != "" {
		l.part.user, l.part.name = false, name
	} else if name := l.command.value("--user-name"); name != "" {
		l.part.user, l.part.name = true, name
	} else if l.command.value("--group-name") != "" {
		return nil
	}
	if l.part.name != "" {
		if !e.ask.asked(l.part.user, l.part.name) {
			return nil
		}
		return e.add(l.part)
	}
	if l.part.user && l.command.name == "" {
		l.part.form = strings.Replace(l.part.form, "-role-", "-user-", 1) // two commands with one form of answer
	}
	name, ok := e.subject(l.part.user)
	if !ok || !e.about(&l.part, name) {
		e.view.note(
			"A list from " + l.part.form + " does not say whose it is, and the evidence is of several; it was not used. Paste it with its command.",
		)
		return nil
	}
	e.view.note("AWS does not say whose the list from " + l.part.form + " is; it is taken for that of " + clean(name) + ".")
	l.part.name = name
	return e.add(l.part)
}

// onlyUsers tells whether the evidence shows users and no role.
func (e *reader) onlyUsers() bool {
	return len(e.view.holders) > 0 && !slices.ContainsFunc(e.view.holders, func(h *holder) bool { return !h.user })
}

// about tells whether nothing in the evidence is of another role or user than
// the one of that name.
func (e *reader) about(h *holder, name string) bool {
	of := holder{user: h.user, name: name}
	for other := range e.named {
		if other != strings.ToLower(mentioned(&of)) {
			return false
		}
	}
	return true
}

// giveVersions gives documents that do not say which policy they are of to the
// attached policies that have none.
func (e *reader) giveVersions() error {
	var anonymous []version
	for _, v := range e.versions {
		if v.arn == "" {
			anonymous = append(anonymous, v)
			continue
		}
		if err := e.managed(&managed{arn: v.arn, version: v.id, known: true, text: v.text}); err != nil {
			return err
		}
	}
	if len(anonymous) == 0 {
		return nil
	}
	without := e.withoutDocument()
	if len(without) != len(anonymous) {
		e.view.note(
			fmt.Sprintf(
				"%s of policies not known by name were not used: %d policies lack theirs. Paste each with its command, aws iam get-policy-version "+
					"--policy-arn ….",
				counted(len(anonymous), "document"),
				len(without),
			),
		)
		return nil
	}
	if len(without) == 1 {
		e.view.note("AWS does not say which policy a version is of; it is taken for that of " + without[0] + ".")
	} else {
		e.view.note("AWS does not say which policy a version is of; they are taken for those of " + strings.Join(without, ", ") + ".")
	}
	for i, v := range anonymous {
		if err := e.managed(&managed{arn: without[i], version: v.id, known: true, text: v.text}); err != nil {
			return err
		}
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// withoutDocument are the attached policies whose documents nobody showed. AWS's
// own come last: what the vendor needs of them is only that they are attached.
func (e *reader) withoutDocument() []string {
	var arns []string
	for _, h := range e.view.holders {
		for _, p := range h.attached {
			if known := e.view.policies[p.ARN]; known == nil || !known.known {
				arns = append(arns, p.ARN)
			}
		}
	}
	own := slices.DeleteFunc(slices.Clone(arns), aws.OfAWS)
	if len(own) == len(e.versions) {
		return own
	}
	return arns
}

// checkAbsent refuses evidence that shows what AWS says is not there.
func (e *reader) checkAbsent() error {
	for _, h := range e.view.holders {
		if h.whole && slices.Contains(e.view.absent, h.kind()+" "+strings.ToLower(h.name)) {
			return contradiction(
				"The evidence shows the "+h.kind()+" "+h.name+", and AWS's words that there is none.",
				"outputs that agree",
				"Run the commands again and paste the new outputs alone.",
			)
		}
	}
	return nil
}
