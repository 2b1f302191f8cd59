package draw_test

import (
	"time"

	"rolecall/steps"
	"rolecall/ui/draw"
)

const (
	externalID = "spotinst:aws:extid:0123456789abcdef"
	roleARN    = "arn:aws:iam::123456789012:role/a/rather/deep/path/Spot-Role-of-the-platform-team"
	policyJSON = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Sid\": \"Ocean\",\n      \"Effect\": \"Allow\",\n" +
		"      \"Action\": [\"ec2:RunInstances\", \"iam:PassRole\"],\n      \"Resource\": \"*\"\n    }\n  ]\n}\n"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// scene is one screen with the state that ui holds beside it. To have another
// one drawn in every size and look, add a line here and run with -update.
type scene struct {
	name   string
	screen steps.Screen
	change func(*draw.Frame)
}

func policyCode() steps.Code {
	return steps.Code{Label: "Policy document", Name: "Spot-Policy.json", Body: policyJSON, About: "6,097 of 6,144 characters · sha256:3f9a…",
		Notes: []steps.Note{{Line: 7, Tone: steps.Warning, Text: "iam:PassRole on every role, with ec2:RunInstances: whoever has both can act as any role that EC2 may take."}}}
}

func instructions(next int) steps.Instructions {
	return steps.Instructions{Next: next, Items: []string{
		"Roles › Create role", "AWS account › Another AWS account", "Paste the account ID", "Tick Require external ID, paste the external ID",
		"Next, tick Spot-Policy, Next", "Enter the role name Spot-Role", "Create role", "Open the new role and copy its ARN", "Paste it in Spot's wizard",
	}}
}

func values() steps.Facts {
	return steps.Facts{
		{Label: "Account ID", Value: "922761411349", Shown: "9227-6141-1349", Copy: true},
		{Label: "External ID", Value: externalID, Copy: true, Note: "a shared identifier that keeps another customer of Spot from using your role"},
		{Label: "Role ARN", Value: roleARN, Copy: true},
		{Label: "A label that is much longer than it should be", Value: "Spot-Role"},
	}
}

func tree() steps.Tree {
	return steps.Tree{ID: "products", Nodes: []steps.Node{
		{ID: "elastigroup", Label: "Elastigroup", Note: "+2,318 characters", Tick: steps.Partly, Children: []steps.Node{
			{ID: "stateful", Label: "Stateful instances", Detail: "keep disks and addresses when replaced", Tick: steps.On, Details: []string{"ec2:AttachVolume: attaches the old disk", "  ec2:DetachVolume"}},
			{ID: "emr", Label: "EMR", Detail: "elasticmapreduce:* on every cluster", Note: "4 risks"},
		}},
		{ID: "ocean", Label: "Ocean", Note: "+402 characters", Tick: steps.On, Fixed: "GovCloud takes the whole policy or none"},
		{ID: "analyzer", Label: "Cloud Analyzer", Detail: "a second, read-only role"},
	}}
}

func nearMiss() steps.Problem {
	return steps.Problem{What: "Spot-Role trusts Spot, but under another external ID", Wanted: externalID, Found: "spotinst:aws:extid:0123456789abcdee",
		Next: "Paste the wanted one into its trust policy (e opens it). rolecall keeps watching.", Kind: steps.NotAsNeeded, Passing: true}
}

func waiting() steps.Waiting {
	return steps.Waiting{For: "a role that trusts Spot", Since: noon.Add(-42 * time.Second), Until: noon.Add(30*time.Minute - 42*time.Second), Next: noon.Add(2500 * time.Millisecond)}
}

func screen(blocks ...steps.Block) steps.Screen {
	return steps.Screen{Heading: "Create IAM role", Place: "Spot wizard 3.6", Blocks: blocks}
}

func scenes() []scene {
	return []scene{
		{"choices", screen(steps.Text{Body: "Where is the AWS account that you connect?"},
			steps.Choices{ID: "partition", Picked: "gov", Options: []steps.Option{
				{ID: "aws", Label: "AWS"}, {ID: "gov", Label: "AWS GovCloud (US)", Detail: "the policy cannot be customised there"},
				{ID: "cn", Label: "AWS China", Disabled: "this profile is of another partition"}}},
			steps.Text{Tone: steps.Dim, Body: "Every ARN, the trust policy and all links follow this answer."}), nil},
		{"role", screen(instructions(2), values(), steps.Link{Label: "Create role, filled in", URL: "https://console.aws.amazon.com/iam/home#/roles/create?step=type&trustedEntityType=AWS_ACCOUNT&awsAccount=922761411349"},
			waiting(), nearMiss()), func(f *draw.Frame) {
			f.Sent = map[string]string{draw.Items(f.Screen, nil)[1].Key: "sent"}
			f.Turn = 2
			f.Status = draw.Status{Tone: steps.Good, Text: "External ID sent (35 bytes). Nothing to paste? s saves it."}
		}},
		{"role-short", screen(instructions(8), steps.Facts{{Label: "Account ID", Value: "922761411349", Copy: true}}, waiting()), nil},
		{"permissions", screen(tree(), steps.Meter{Label: "Size", Used: 5870, Limit: 6144, Unit: "characters"}), func(f *draw.Frame) {
			f.Marked, f.Moved = "node/products/stateful", true
			f.Folds = draw.Folds{"node/products/stateful": {Details: true}}
		}},
		{"too-large", screen(tree(), steps.Meter{Label: "Size", Used: 7001, Limit: 6144}), func(f *draw.Frame) {
			f.Marked, f.Moved = "node/products/ocean", true
		}},
		{"policy", screen(policyCode(), steps.Facts{{Label: "Policy name", Value: "Spot-Policy", Copy: true}}, instructions(0), waiting()), nil},
		{"field", screen(steps.Text{Body: "Paste the role's ARN."}, steps.Input{ID: "arn", Label: "Role ARN", Problem: "This is the ARN of a policy. Expected: a role. Copy it from the role's page."}), func(f *draw.Frame) {
			f.Texts, f.Caret = map[string]string{"arn": "arn:aws:iam::123456789012:policy/" + "very-long-name-very-long-name-very-long-name-very-long-name"}, 80
		}},
		{"field-empty", screen(steps.Input{ID: "name", Label: "Name", Hint: "Production"}), nil},
		{"secret", screen(steps.Input{ID: "token", Label: "API token", Secret: true}), func(f *draw.Frame) {
			f.Texts, f.Caret = map[string]string{"token": "hunter2-hunter2"}, 15
		}},
		{"checks", screen(steps.Text{Tone: steps.Good, Body: "Found Spot-Role."}, steps.Checks{
			{ID: "role-exists", State: steps.Pass, Label: "The role exists"},
			{ID: "trust-external-id", State: steps.Fail, Label: "Its trust policy asks for the external ID", Why: "It asks for none.", Fix: "Add the condition sts:ExternalId to the trust policy."},
			{ID: "trust-extra-principals", State: steps.Warn, Label: "Nobody else may use it", Why: "Your own account may, too."},
			{ID: "policy-attached", State: steps.Pending, Label: "The policy is attached"},
			{ID: "policy-matches", State: steps.Unknown, Label: "The policy grants what Spot needs", Why: "iam:GetPolicyVersion is not allowed."}}), nil},
		{"tasks", screen(steps.Tasks{
			{Name: "Create policy", State: steps.Finished, Detail: "Spot-Policy"},
			{Name: "Create role", State: steps.Running, Detail: "Spot-Role", Since: noon.Add(-75 * time.Second)},
			{Name: "Attach", State: steps.Stopped, Detail: "a long explanation of why this was not possible in this account today"},
			{Name: "Submit", State: steps.Ahead}}), func(f *draw.Frame) { f.Turn = 1 }},
		{"problem", screen(steps.Problem{What: "AWS refused to list the roles", Expected: "the permission iam:GetAccountAuthorizationDetails", Next: "Have it granted, or press h to paste the ARN by hand.",
			Quoted: "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: iam:GetAccountAuthorizationDetails", Kind: steps.AWSRefused}), func(f *draw.Frame) {
			f.Status = draw.Status{Bad: true, Text: "This session is not saved: write session.json: no space left on device"}
		}},
		{"confirm", screen(steps.Text{Tone: steps.Warning, Body: "This Spot account has a role already."}), func(f *draw.Frame) {
			f.Question = "Replace arn:aws:iam::123456789012:role/Old by arn:aws:iam::123456789012:role/Spot-Role at Spot?"
			f.Keys = []draw.Key{{Name: "y", Label: "yes"}, {Name: "n", Label: "no"}, {Name: "ctrl+c", Label: "leave"}}
		}},
		{"hostile", screen(steps.Text{Body: "\x1b[2J\x1b]0;title\amalice\u202egnp.exe\u200b\r\nsecond\tline"},
			steps.Facts{{Label: "A\x1b[31mB", Value: "x\x07y\u0085z", Copy: true}}, steps.Choices{ID: "c", Options: []steps.Option{{ID: "1", Label: "日本語のアカウント名 e\u0301 👩‍💻"}}}), nil},
		{"help", screen(steps.Text{Body: "hidden under the help"}), func(f *draw.Frame) {
			f.Help = []draw.Key{{Name: "enter", Label: "next", Disabled: "waits for the role"}, {Name: "c", Label: "copy", Help: "copy what is marked, byte for byte"}}
			f.Keys = []draw.Key{{Name: "esc", Label: "close"}}
		}},
		{"link", screen(steps.Text{Body: "hidden under the link"}), func(f *draw.Frame) {
			f.Shown = &steps.Link{Label: "Create role", URL: "https://console.aws.amazon.com/iam/home#/roles/create?step=type&trustedEntityType=AWS_ACCOUNT&awsAccount=922761411349&isThirdParty=true"}
			f.Keys = []draw.Key{{Name: "c", Label: "copy"}, {Name: "esc", Label: "close"}}
		}},
		{"picture", screen(steps.Picture{Lines: []string{"you ──▸ AWS ──▸ Spot"}, Alt: "You connect AWS to Spot."}), nil},
	}
}

func frame(s scene, width, height int) draw.Frame {
	f := draw.Frame{
		Width: width, Height: height, Screen: s.screen, Now: noon, Turn: -1, Follow: true,
		Header: draw.Header{Vendor: "Spot", How: "by hand", Account: "1234-5678-9012 prod", Banner: "REHEARSAL"},
		Rail: []steps.RailItem{
			{Number: 1, Title: "Vendor and method", Status: steps.Done}, {Number: 2, Title: "GovCloud or China account?", Status: steps.Done},
			{Number: 3, Title: "AWS login", Status: steps.Done}, {Number: 4, Title: "Permissions", Status: steps.Done},
			{Number: 5, Title: "Create IAM policy", Status: steps.Done}, {Number: 6, Title: "Create IAM role", Here: true}, {Number: 7, Title: "Connect"},
		},
		Keys: []draw.Key{
			{Name: "enter", Label: "next", Disabled: "waits for the role"}, {Name: "↑↓", Label: "move", Obvious: true}, {Name: "c 1-3", Label: "copy"},
			{Name: "o", Label: "open"}, {Name: "x", Label: "extend", Disabled: "not yet"}, {Name: "v", Label: "trust policy"}, {Name: "b", Label: "back"},
			{Name: "?", Label: "help", Obvious: true}, {Name: "ctrl+c", Label: "leave"}, {Name: "ctrl+z", Hidden: true},
		},
	}
	if items := draw.Items(f.Screen, nil); len(items) > 0 {
		f.Marked = items[draw.Start(items)].Key
	}
	if s.change != nil {
		s.change(&f)
	}
	return f
}
