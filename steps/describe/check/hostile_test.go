package check_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"rolecall/steps"
	"rolecall/steps/describe"
	"rolecall/steps/describe/check"
)

// nested is n levels of indentation.
func nested(n int, line string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + line + "\n")
	}
	return b.String()
}

// hostileFiles are texts that want to hang, to fill the memory, to panic or to
// draw what is not there. None is a description.
func hostileFiles() map[string]string {
	in := func(old, text string) string { return strings.Replace(acme, old, text, 1) }
	title := func(text string) string { return in("title: Acme\nwizard", "title: "+text+"\nwizard") }
	return map[string]string{
		// Too deep, too wide, too long.
		"60 KB of [":       strings.Repeat("[", 60_000),
		"60 KB of {":       strings.Repeat("{", 60_000),
		"20,000 levels":    strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
		"maps in maps":     strings.Repeat("a: {", 15_000),
		"lists on a line":  strings.Repeat("- ", 60_000),
		"keys on a line":   strings.Repeat("? ", 60_000),
		"colons on a line": strings.Repeat("a: ", 40_000),
		"levels of lines":  nested(600, "a:"),
		"levels of items":  nested(600, "-"),
		"deep in a value":  "title: " + strings.Repeat("[", 30_000),
		"deep in quotes": `title: "` + strings.Repeat(
			"[",
			300,
		) + `"`,
		"20,000 keys":          strings.Repeat("a: b\n", 20_000),
		"30,000 items":         strings.Repeat("- b\n", 30_000),
		"10,000 merges":        strings.Repeat("<<: *a\n", 10_000),
		"a long line":          "title: " + strings.Repeat("x", 200_000),
		"spaces":               "title:" + strings.Repeat(" ", 100_000) + "x",
		"tabs":                 strings.Repeat("\t", 100_000),
		"returns":              strings.Repeat("\r", 100_000),
		"newlines":             strings.Repeat("\n", 200_000),
		"300 KB":               strings.Repeat("# x\n", 80_000),
		"documents":            strings.Repeat("---\n", 3_000),
		"directives":           strings.Repeat("%YAML 1.2\n", 3_000),
		"quotes":               strings.Repeat("'", 19_001),
		"double quotes":        strings.Repeat(`"`, 19_001),
		"bars":                 strings.Repeat("|\n", 3_000),
		"dashes":               strings.Repeat("-", 19_000),
		"colons":               strings.Repeat(":", 19_000),
		"commas":               "a: [" + strings.Repeat(",", 19_000),
		"empty lists":          "a: [" + strings.Repeat("[],", 6_000) + "]",
		"anchors":              strings.Repeat("&a ", 6_000),
		"tags":                 strings.Repeat("!a ", 6_000),
		"aliases":              strings.Repeat("*a ", 6_000),
		"a file of null bytes": strings.Repeat("\x00", 1_000),
		"escapes":              `title: "` + strings.Repeat(`\n`, 9_000) + `"`,
		// What YAML can say beside values.
		"billion laughs": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nname: " +
			"*c\n",
		"an alias of itself":       "a: &a [*a]\n",
		"a merge of itself":        "a: &a\n  <<: *a\n",
		"a key that is a list":     "? [a]\n: b\n",
		"an anchor without a name": "a: & b\n",
		"an alias of nobody":       "a: *b\n",
		"a tag for an object":      "!!python/object:os.system\n- rm\n",
		"a tag on a value":         title("!!binary QQ=="),
		"an anchor on a value":     title("&x Acme"),
		"merge into a partition":   in("    customise: true", "    customise: true\n    <<: {title: B}"),
		"the key of no key":        in("name: acme\n", "name: acme\n\"-\": x\n"),
		"numbers for text":         title("0x10"),
		"true for text":            title("true"),
		"null for text":            title("~"),
		// Texts that want to be more than text.
		"escape codes": title(
			`"\e[2J\e[H"`,
		),
		"a bell":            title(`"\a"`),
		"an OSC link":       title(`"\e]8;;http://x\e\\y"`),
		"turned text":       title(`"a\u202eb"`),
		"invisible letters": title(`"a\u200bb"`),
		"a return": title(
			`"a\rb"`,
		),
		"a new line":            title(`"a\nb"`),
		"a null":                title(`"a\0b"`),
		"delete":                title(`"a\x7fb"`),
		"C1":                    title(`"a\x9b31mb"`),
		"a private letter":      title(`"\ue000"`),
		"half a letter":         "title: \xc3\n",
		"half a pair":           title(`"\ud800"`),
		"UTF-16":                "\xff\xfen\x00a\x00",
		"UTF-16, the other way": "\xfe\xff\x00n\x00a",
		"UTF-32":                "\xff\xfe\x00\x00n\x00\x00\x00",
		"JavaScript": in(
			"https://acme.example.com",
			"javascript:alert(1)",
		),
		"data":             in("https://acme.example.com", "data:text/html,x"),
		"a file's address": in("https://acme.example.com", "file:///etc/passwd"),
		"a password in a link": in(
			"https://acme.example.com",
			"https://me:pw@acme.example.com",
		),
		"a link with spaces": in("https://acme.example.com", `"https://acme.example.com/ x"`),
		// What the program has for itself.
		"the name of a built-in":           in("name: acme", "name: spot"),
		"the title of a built-in":          title("Spot"),
		"the title in capitals":            title("SPOT"),
		"the title spaced":                 title(`" S p o t "`),
		"the title in Cyrillic":            title("Sроt"),
		"the title in wide letters":        title("Ｓｐｏｔ"),
		"the title with a zero":            title("Sp0t"),
		"an API":                           in("wizard: Acme guide", "api: spot"),
		"a pattern of a million":           in("acme-[0-9]{8}", strings.Repeat("(a{500}){2}", 400)),
		"a pattern that does not end":      in("acme-[0-9]{8}", strings.Repeat("(", 400)),
		"a name that leads elsewhere":      in("name: acme", "name: ../../x"),
		"a role that leads elsewhere":      in("role_name: Acme-Role", "role_name: ../x"),
		"a partition that leads elsewhere": in("  aws:\n", "  aws/../x:\n"),
		"an account of letters": in(
			`"111122223333"`,
			`"11112222333a"`,
		),
		"a policy of brackets": in(`{"Sid": "Read"`, strings.Repeat("[", 70)),
		"a policy of numbers":  in("    policy: |\n", "    policy: 1\n    x: |\n"),
		"a trust policy":       in(`"Resource": "*"`, `"Principal": "*"`),
		"a policy twice":       in(`"Version"`, `"Version": "2012-10-17", "Version"`),
	}
}

// TestHostileFilesAreRefused reads each as a stranger's file: every one is
// refused with its place, and what is said of it can be drawn.
func TestHostileFilesAreRefused(t *testing.T) {
	if n := len(hostileFiles()); n < 60 {
		t.Errorf("%d hostile files", n)
	}
	for name, text := range hostileFiles() {
		t.Run(name, func(t *testing.T) {
			_, err := steps.Library().ReadForeign([]byte(text), "x.yaml")
			mistakes := describe.MistakesOf(err)
			if len(mistakes) == 0 || len(mistakes) > 100 {
				t.Fatalf("%d mistakes: %v", len(mistakes), err)
			}
			for _, m := range mistakes {
				if m.Line < 1 || m.Column < 1 || m.What == "" || m.Expected == "" || m.Next == "" ||
					strings.ContainsFunc(m.Error(), func(c rune) bool { return !unicode.IsPrint(c) }) ||
					len(m.Error()) > 4_000 {
					t.Errorf("%+v", m)
				}
			}
		})
	}
}

func TestAByteOrderMarkIsNoMistake(t *testing.T) {
	v, err := steps.Library().ReadForeign([]byte("\uFEFF"+acme), "dir/acme.yaml")
	if err != nil || v.File != "acme.yaml" {
		t.Fatalf("%v", err)
	}
}

func TestWhereARequestGoes(t *testing.T) {
	for url, says := range map[string]string{
		"https://acme.example.com/x": "", "https://a.acme-local.com": "", "": "", "https://xn--acme.example": "",
		"https://localhost/x": "this machine", "https://a.localhost": "this machine", "https://127.0.0.1": "this machine",
		"https://127.9.9.9:8": "this machine", "https://[::1]": "this machine", "https://0.0.0.0": "this machine",
		"https://[::ffff:127.0.0.1]/": "this machine", "https://localhost.": "this machine",
		"https://169.254.169.254/latest": "link-local", "https://[fe80::1]": "link-local", "https://10.0.0.1": "local network",
		"https://192.168.1.1": "local network", "https://[fd00::1]": "local network",
		"https://93.184.216.34": "bare IP", "https://[2606:2800::1]": "bare IP", "https://printer.local": "local network",
		"https://intranet": "local network", "https://2130706433": "local network", "https://0x7f.0.0.1": "unusual", "https://127.1": "unusual",
	} {
		if got := (describe.Request{URL: url}).Local(); (got == "") != (says == "") || !strings.Contains(got, says) {
			t.Errorf("%s: %q, want %q", url, got, says)
		}
	}
}

func TestWarnings(t *testing.T) {
	text := strings.Replace(
		acme,
		`"Resource": "*"}`,
		`"Resource": "arn:aws:s3:::STAGE_PREFIX/*", "Condition": {"StringEquals": {"aws:PrincipalTag/x": "OTHER_WORD"}}}`,
		1,
	)
	text = strings.Replace(
		text,
		"wizard: Acme guide\n",
		"wizard: Acme guide\nhand_over:\n  url: https://169.254.169.254/x\n  body: '{\"r\": \"{role_arn}\"}'\n",
		1,
	)
	v, err := steps.Library().ReadForeign([]byte(text), "acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	said := fmt.Sprint(check.Warnings(v, time.Unix(1_764_000_000, 0)))
	for _, want := range []string{"link-local", "STAGE_PREFIX", "OTHER_WORD"} {
		if !strings.Contains(said, want) {
			t.Errorf("%s is not said: %s", want, said)
		}
	}
}

func TestWordsAreFilledByName(t *testing.T) {
	values := map[string]string{"role": "R", "role_arn": "ARN", "A": "{role}"}
	for text, want := range map[string]string{"{role} {role_arn}": "R ARN", "{roles} {ROLE}": "{roles} {ROLE}", "{{role}}": "{R}",
		"{A}": "{role}", "{": "{", "a {role": "a {role", `{"x": {role}}`: `{"x": R}`, "": ""} {
		if got := describe.FillWords(text, values); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
