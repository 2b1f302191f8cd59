package draw_test

import (
	"slices"
	"time"

	"rolecall/steps"
	"rolecall/steps/screen"
	"rolecall/steps/step"
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
	screen screen.Screen
	change func(*draw.Frame)
}

func policyCode() screen.Code {
	return screen.Code{
		Label: "Policy document",
		Name:  "Spot-Policy.json",
		Body:  policyJSON,
		About: "6,097 of 6,144 characters · sha256:3f9a…",
		Notes: []screen.Note{
			{
				Line: 7,
				Tone: screen.Warning,
				Text: "iam:PassRole on every role, with ec2:RunInstances: whoever has both can act as any role that EC2 may take.",
			},
		},
	}
}

func instructions(next int) screen.Instructions {
	return screen.Numbered(
		next,
		"Roles › Create role",
		"AWS account › Another AWS account",
		"Paste the account ID",
		"Tick Require external ID, paste the external ID",
		"Next, tick Spot-Policy, Next",
		"Enter the role name Spot-Role",
		"Create role",
		"Open the new role and copy its ARN",
		"Paste it in Spot's wizard",
	)
}

// instructionsOfPage has a gap, a tick out of order, and a page that spares some.
func instructionsOfPage() screen.Instructions {
	in := instructions(1)
	in[1].Page, in[2].Page, in[3].Page, in[4].Done = screen.PageOpens, screen.PageFills, screen.PageFills, true
	return slices.Delete(in, 7, 8)
}

func values() screen.Facts {
	return screen.Facts{
		{Label: "Account ID", Value: "922761411349", Shown: "9227-6141-1349", Copy: true},
		{
			Label: "External ID",
			Value: externalID,
			Copy:  true,
			Note:  "a shared identifier that keeps another customer of Spot from using your role",
		},
		{Label: "Role ARN", Value: roleARN, Copy: true},
		{Label: "A label that is much longer than it should be", Value: "Spot-Role"},
	}
}

func tree() screen.Tree {
	return screen.Tree{ID: "products", Nodes: []screen.Node{
		{ID: "elastigroup", Label: "Elastigroup", Note: "+2,318 characters", Tick: screen.Partly, Children: []screen.Node{
			{
				ID:      "stateful",
				Label:   "Stateful instances",
				Detail:  "keep disks and addresses when replaced",
				Tick:    screen.On,
				Details: []string{"ec2:AttachVolume: attaches the old disk", "  ec2:DetachVolume"},
			},
			{ID: "emr", Label: "EMR", Detail: "elasticmapreduce:* on every cluster", Note: "4 risks"},
		}},
		{ID: "ocean", Label: "Ocean", Note: "+402 characters", Tick: screen.On, Fixed: "GovCloud takes the whole policy or none"},
		{ID: "analyzer", Label: "Cloud Analyzer", Detail: "a second, read-only role"},
	}}
}

func nearMiss() screen.Problem {
	return screen.Problem{
		What:    "Spot-Role trusts Spot, but under another external ID",
		Wanted:  externalID,
		Found:   "spotinst:aws:extid:0123456789abcdee",
		Next:    "Paste the wanted one into its trust policy (e opens it). rolecall keeps watching.",
		Kind:    screen.NotAsNeeded,
		Passing: true,
	}
}

func waiting() screen.Waiting {
	return screen.Waiting{
		For:   "a role that trusts Spot",
		Since: noon.Add(-42 * time.Second),
		Until: noon.Add(30*time.Minute - 42*time.Second),
		Next:  noon.Add(2500 * time.Millisecond),
	}
}

func of(blocks ...screen.Block) screen.Screen {
	return screen.Screen{Heading: "Create IAM role", Place: "Spot wizard 3.6", Blocks: blocks}
}

func scenes() []scene {
	return []scene{
		{"choices", of(screen.Text{Body: "Where is the AWS account that you connect?"},
			screen.Choices{ID: "partition", Picked: "gov", Options: []screen.Option{
				{ID: "aws", Label: "AWS"}, {ID: "gov", Label: "AWS GovCloud (US)", Detail: "the policy cannot be customized there"},
				{ID: "cn", Label: "AWS China", Disabled: "this profile is of another partition"}}},
			screen.Text{Tone: screen.Dim, Body: "Every ARN, the trust policy and all links follow this answer."}), nil},
		{
			"role",
			of(
				nearMiss(),
				instructions(2),
				values(),
				screen.Link{
					Label: "Create role, filled in",
					URL:   "https://console.aws.amazon.com/iam/home#/roles/create?step=type&trustedEntityType=AWS_ACCOUNT&awsAccount=922761411349",
				},
				waiting(),
			),
			func(f *draw.Frame) {
				f.Sent = map[string]string{}
				for _, item := range draw.Items(f.Screen, nil) {
					if item.Label == "External ID" {
						f.Sent[item.Key] = "sent"
					}
				}
				f.Turn = 2
				f.Status = draw.Status{Tone: screen.Good, Text: "External ID sent (35 bytes). Nothing to paste? s saves it."}
			},
		},
		{"instructions-marked", of(instructionsOfPage(), values(), waiting(), nearMiss()), func(f *draw.Frame) {
			f.Marked, f.Moved = draw.Items(f.Screen, nil)[6].Key, true
		}},
		{"instructions-done", of(instructions(9), values(), waiting(), nearMiss()), nil},
		{"role-short", of(instructions(8), screen.Facts{{Label: "Account ID", Value: "922761411349", Copy: true}}, waiting()), nil},
		{"permissions", of(tree(), screen.Meter{Label: "Size", Used: 5870, Limit: 6144, Unit: "characters"}), func(f *draw.Frame) {
			f.Marked, f.Moved = "node/products/stateful", true
			f.Folds = draw.Folds{"node/products/stateful": {Details: true}}
		}},
		{"too-large", of(tree(), screen.Meter{Label: "Size", Used: 7001, Limit: 6144}), func(f *draw.Frame) {
			f.Marked, f.Moved = "node/products/ocean", true
		}},
		{"policy", of(policyCode(), screen.Facts{{Label: "Policy name", Value: "Spot-Policy", Copy: true}}, instructions(0), waiting()), nil},
		{
			"field",
			of(
				screen.Text{Body: "Paste the role's ARN."},
				screen.Input{ID: "arn", Label: "Role ARN", Problem: "This is the ARN of a policy. Expected: a role. Copy it from the role's page."},
			),
			func(f *draw.Frame) {
				f.Texts, f.Caret = map[string]string{
					"arn": "arn:aws:iam::123456789012:policy/" + "very-long-name-very-long-name-very-long-name-very-long-name",
				}, 80
			},
		},
		{"field-empty", of(screen.Input{ID: "name", Label: "Name", Hint: "Production"}), nil},
		{"secret", of(screen.Input{ID: "token", Label: "API token", Secret: true}), func(f *draw.Frame) {
			f.Texts, f.Caret = map[string]string{"token": "hunter2-hunter2"}, 15
		}},
		{"checks", of(screen.Text{Tone: screen.Good, Body: "Found Spot-Role."}, screen.Checks{
			{
				ID:    "trust-external-id",
				State: screen.Fail,
				Label: "External ID",
				Want:  externalID,
				Got:   "none is asked for",
				Fix:   "Add the condition sts:ExternalId to the trust policy.",
			},
			{ID: "trust-extra-principals", State: screen.Warn, Label: "Also trusts", Want: "nobody but the vendor", Got: "your own account"},
			{ID: "policy-attached", State: screen.Pending, Label: "The policy is attached"},
			{
				ID:    "policy-matches",
				State: screen.Unknown,
				Label: "What it grants",
				Want:  "what Spot needs",
				Got:   "not visible: iam:GetPolicyVersion is not allowed",
			},
			{
				ID:    "role-exists",
				State: screen.Pass,
				Label: "Role",
				Got:   "Spot-Role",
			},
			{ID: "role-path", State: screen.Pass, Label: "Path", Got: "/"},
		}), nil},
		{"tasks", of(screen.Tasks{
			{Name: "Create policy", State: screen.Finished, Detail: "Spot-Policy"},
			{Name: "Create role", State: screen.Running, Detail: "Spot-Role", Since: noon.Add(-75 * time.Second)},
			{Name: "Attach", State: screen.Stopped, Detail: "a long explanation of why this was not possible in this account today"},
			{Name: "Submit", State: screen.Ahead}}), func(f *draw.Frame) { f.Turn = 1 }},
		{
			"problem",
			of(screen.Problem{
				What:     "AWS refused to list the roles",
				Expected: "the permission iam:GetAccountAuthorizationDetails",
				Next:     "Have it granted, or press h to paste the ARN by hand.",
				Quoted:   "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: iam:GetAccountAuthorizationDetails",
				Kind:     screen.AWSRefused,
			}),
			func(f *draw.Frame) {
				f.Status = draw.Status{Bad: true, Text: "This session is not saved: write session.json: no space left on device"}
			},
		},
		{"confirm", of(screen.Text{Tone: screen.Warning, Body: "This Spot account has a role already."}), func(f *draw.Frame) {
			f.Question = "Replace arn:aws:iam::123456789012:role/Old by arn:aws:iam::123456789012:role/Spot-Role at Spot?"
			f.Keys = []draw.Key{{Name: "y", Label: "yes"}, {Name: "n", Label: "no"}, {Name: "ctrl+c", Label: "leave"}}
		}},
		{
			"hostile",
			of(
				screen.Text{Body: "\x1b[2J\x1b]0;title\amalice\u202egnp.exe\u200b\r\nsecond\tline"},
				screen.Facts{
					{Label: "A\x1b[31mB", Value: "x\x07y\u0085z", Copy: true},
				},
				screen.Choices{ID: "c", Options: []screen.Option{{ID: "1", Label: "日本語のアカウント名 e\u0301 👩‍💻"}}},
			),
			nil,
		},
		{"help", of(screen.Text{Body: "hidden under the help"}), func(f *draw.Frame) {
			f.Help = []draw.Key{
				{Name: "enter", Label: "next", Disabled: "waits for the role"},
				{Name: "c", Label: "copy", Help: "copy what is marked, byte for byte"},
			}
			f.Keys = []draw.Key{{Name: "esc", Label: "close"}}
		}},
		{"link", of(screen.Text{Body: "hidden under the link"}), func(f *draw.Frame) {
			f.Shown = &screen.Link{
				Label: "Create role",
				URL:   "https://console.aws.amazon.com/iam/home#/roles/create?step=type&trustedEntityType=AWS_ACCOUNT&awsAccount=922761411349&isThirdParty=true",
			}
			f.Keys = []draw.Key{{Name: "c", Label: "copy"}, {Name: "esc", Label: "close"}}
		}},
		{"picture", of(screen.Picture{Lines: []string{"you ──▸ AWS ──▸ Spot"}, Alt: "You connect AWS to Spot."}), nil},
	}
}

func frame(s scene, width, height int) draw.Frame {
	f := draw.Frame{
		Width: width, Height: height, Screen: s.screen, Now: noon, Turn: -1, Follow: true,
		Header: draw.Header{Vendor: "Spot", How: "by hand", Account: "1234-5678-9012 prod", Banner: "REHEARSAL"},
		Rail: []steps.RailItem{
			{Number: 1, Title: "Vendor and method", Status: step.Done},
			{Number: 2, Title: "GovCloud or China account?", Status: step.Done},
			{Number: 3, Title: "AWS login", Status: step.Done},
			{Number: 4, Title: "Permissions", Status: step.Done},
			{
				Number: 5,
				Title:  "Create IAM policy",
				Status: step.Done,
			},
			{Number: 6, Title: "Create IAM role", Here: true},
			{Number: 7, Title: "Connect"},
		},
		Keys: []draw.Key{
			{
				Name:     "enter",
				Label:    "next",
				Disabled: "waits for the role",
			},
			{Name: "↑↓", Label: "move", Obvious: true},
			{Name: "c 1-3", Label: "copy"},
			{
				Name:  "o",
				Label: "open",
			},
			{Name: "x", Label: "extend", Disabled: "not yet"},
			{Name: "v", Label: "trust policy"},
			{Name: "b", Label: "back"},
			{Name: "?", Label: "help", Obvious: true},
			{Name: "ctrl+c", Label: "leave"},
			{Name: "ctrl+z", Hidden: true},
		},
	}
	items := draw.Items(f.Screen, nil)
	if i := draw.Start(items); i >= 0 {
		f.Marked = items[i].Key
	}
	if s.change != nil {
		s.change(&f)
	}
	return f
}
