package wizard

import (
	"strings"
	"time"

	"rolecall/steps/record"
	"rolecall/steps/screen"
)

const (
	sprintersPurpose = "SprintersUser"
	sprintersPolicy  = "arn:aws:iam::123456789012:policy/sprinters-policy"
)

// policyByHand is what the person does at the policy step.
func (p *pictured) policyByHand(w *fluent) {
	w.t.Helper()
	g, err := p.session.Grant(sprintersPurpose)
	if err != nil {
		w.t.Fatal(err)
	}
	p.does(w, "iam:CreatePolicy", map[string]string{"PolicyName": "sprinters-policy", "PolicyDocument": g.Whole.Pretty()})
}

func (p *pictured) userByHand(w *fluent) {
	w.t.Helper()
	p.does(w, "iam:CreateUser", map[string]string{"UserName": "sprinters-user"})
	p.does(w, "iam:AttachUserPolicy", map[string]string{"UserName": "sprinters-user", "PolicyArn": sprintersPolicy})
}

func (p *pictured) keyByHand(w *fluent) {
	w.t.Helper()
	p.does(w, "iam:CreateAccessKey", map[string]string{"UserName": "sprinters-user"})
}

func userStops() []stop {
	return []stop{
		{"user-begin", func(*fluent, *pictured) {}, []string{"Connect with an IAM user"}},
		{"user-permissions", toStep(record.StepPermissions), []string{"ec2:RunInstances", "ec2:DescribeSpotPriceHistory", "EBS snapshots"}},
		{"user-policy", toStep(record.StepPolicy), []string{"Waiting for a policy"}},
		{"user-policy-found", func(w *fluent, p *pictured) {
			p.policyByHand(w)
			w.Wait(30 * time.Second)
		}, []string{"Found sprinters-policy"}},
		{"user-create", toStep(record.StepUser), []string{"Waiting for a user"}},
		{"user-found", func(w *fluent, p *pictured) {
			p.userByHand(w)
			w.Wait(30 * time.Second)
		}, []string{"Found sprinters-user"}},
		{"credentials-waiting", toStep(record.StepCredentials), []string{"Waiting for a new access key of sprinters-user", "Other"}},
		{"credentials-pasting", press("p"), []string{"Paste both halves"}},
		{"credentials-secret", func(w *fluent, _ *pictured) {
			w.Paste("AKIAIOSFODNN7EXAMPLE").Enter()
			w.Paste("not/the/whole/secret")
		}, []string{"Secret access key", "••••"}},
		{"credentials-secret-short", enterAnd(time.Second), []string{"it has 20 characters"}},
		{"credentials-found", func(w *fluent, p *pictured) {
			w.Press("esc").Wait(3 * time.Second)
			p.keyByHand(w)
			w.Wait(30 * time.Second)
		}, []string{"Found a key of sprinters-user"}},
		{"user-connect", toStep(record.StepConnect), []string{"Retrieve access keys", "both are pasted"}},
		{"user-connected", enterAnd(3 * time.Second), []string{"Handed over by you"}},
	}
}

func userDirectStops() []stop {
	return []stop{
		{"user-direct-plan", toStep(record.StepCreate), []string{"create policy sprinters-policy", "create user sprinters-user"}},
		{"user-direct-running", func(w *fluent, p *pictured) {
			slowly(w, p)
			w.Enter().Wait(7 * time.Second)
		}, []string{"create user sprinters-user"}},
		{"user-direct-done", quickly, []string{"sprinters-user is right"}},
		{"credentials-ready", toStep(record.StepCredentials), []string{"rolecall makes an access key for sprinters-user", "make the key"}},
		{"credentials-trying", func(w *fluent, p *pictured) {
			p.aws.SetLatency(5 * time.Second)
			w.Enter().Wait(7 * time.Second)
		}, []string{"Trying the access key"}},
		{"credentials-made", quickly, []string{"The key of sprinters-user is made", "Its secret is in memory"}},
		{"user-direct-connect", func(w *fluent, p *pictured) {
			w.reach(record.StepConnect)
			secret := p.secret(w)
			w.SeesNot(secret).Press("x").Sees(secret).Press("x").SeesNot(secret)
		}, []string{"show the secret", "••••"}},
		{"user-direct-delete-asked", press("d"), []string{"Delete access key AKIA"}},
	}
}

func userFullStops() []stop {
	return []stop{
		{"user-direct-adopted", func(w *fluent, p *pictured) {
			w.reach(record.StepPermissions)
			p.policyByHand(w)
			p.userByHand(w)
			p.keyByHand(w)
			p.keyByHand(w)
			w.Wait(3 * time.Minute).reach(record.StepCreate)
		}, []string{"sprinters-user exists already and is right. Nothing was made."}},
		{"credentials-full", toStep(record.StepCredentials), []string{"has two access keys", "made 3 minutes ago, never used"}},
	}
}

// secret is what the session made, and what no picture may show.
func (p *pictured) secret(w *fluent) string {
	w.t.Helper()
	secret := string(p.session.Secrets[sprintersPurpose])
	if len(secret) != 40 {
		w.t.Fatalf("a secret of %d characters", len(secret))
	}
	return secret
}

// hides fails when a drawing shows a secret of the session.
func (p *pictured) hides(w *fluent, drawing string) {
	w.t.Helper()
	for purpose, secret := range p.session.Secrets {
		if secret != screen.Secret("") && strings.Contains(drawing, string(secret)) {
			w.t.Errorf("the secret of %s is in the drawing", purpose)
		}
	}
}
