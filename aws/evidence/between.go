package evidence

import (
	"io"
	"regexp"
	"strings"
	"sync"
)

// command is a call of the AWS CLI that was pasted with its output.
type command struct {
	name  string // "get-role"
	words []string
}

// value is that of an option, empty where it was not given.
func (c command) value(option string) string {
	for i, word := range c.words {
		if word == option && i+1 < len(c.words) {
			return strings.Trim(c.words[i+1], `"'`)
		}
		if rest, ok := strings.CutPrefix(word, option+"="); ok {
			return strings.Trim(rest, `"'`)
		}
	}
	return ""
}

// The lines that stand between documents when a terminal is copied.
var (
	commandLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:^|[\s$#%>])aws (iam|sts|cloudformation) ([a-z-]+)(.*)$`)
	})
	refusalLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`An error occurred \((\w+)\) when calling the (\w+) operation[^:]*: (.*)$`)
	})
	promptLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:[^{}"<]{0,200}[$#%]|(?:PS |[A-Z]:)[^{}"<]{0,200}>)\s*$`)
	})
	textLine     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Z][A-Z0-9]+\t`) })
	yamlLine     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*(- )?['"]?[A-Za-z][\w:-]*['"]?:(\s|$)`) })
	templateLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(
			`^['"]?(AWSTemplateFormatVersion|Resources|Parameters|Transform|Metadata|Conditions|Mappings|Outputs|Description|Rules)['"]?:(\s|$)`,
		)
	})
	tableLine     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*([-+]{4,}|\|)`) })
	credentialKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)(aws_secret_access_key|SecretAccessKey)`) })
	continuation  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*--[a-z][a-z-]+(\s|=|$)`) })
)

// isPrompt tells whether what comes is not a list but the prompt of a shell, such
// as [cloudshell-user@ip-10-0-0-1 ~]$.
func (e *reader) isPrompt() bool {
	ahead, _ := e.s.in.Peek(512) // the end of the text may be nearer
	line, _, _ := strings.Cut(string(ahead), "\n")
	line = strings.TrimRight(line, "\r")
	return promptLine().MatchString(line) || commandLine().MatchString(line)
}

// between takes one line that is not part of a JSON document.
func (e *reader) between() error {
	line, err := e.s.textLine()
	if err != nil {
		return err
	}
	bare := strings.TrimSpace(line)
	switch {
	case credentialKey().MatchString(line):
		return refuse(
			"This holds a secret key, which shows no role.",
			"Keep it to yourself. Paste the output of aws iam get-role --role-name NAME --output json.",
		)
	case refusalLine().MatchString(line):
		return e.refused(refusalLine().FindStringSubmatch(line))
	case commandLine().MatchString(line):
		m := commandLine().FindStringSubmatch(line)
		e.command = command{name: m[2], words: strings.Fields(m[3])}
		return nil
	case continuation().MatchString(line) && e.command.name != "":
		e.command.words = append(e.command.words, strings.Fields(line)...)
		return nil
	case templateLine().MatchString(line), bare == "---" && e.count == 0, strings.HasPrefix(bare, "#") && e.count == 0:
		return e.templateYAML(line)
	case bare == "---", promptLine().MatchString(line), strings.HasPrefix(bare, "#"):
		return nil
	case textLine().MatchString(line):
		return wrongForm("text")
	case tableLine().MatchString(line):
		return wrongForm("a table")
	case yamlLine().MatchString(line):
		return wrongForm("YAML")
	case strings.HasPrefix(bare, "<"):
		return refuse("This is a page of HTML or XML.", "Paste the output of aws iam get-role --role-name NAME --output json.")
	case strings.HasPrefix(bare, "arn:"):
		return refuse("This is an ARN alone.", "Give it with --role, and the output of aws iam get-role as the evidence.")
	case strings.HasPrefix(bare, "resource \"") || strings.HasPrefix(bare, "data \""):
		return refuse("This is Terraform's configuration, which says what is meant and not what is.", "Paste the state: terraform show -json.")
	}
	return e.s.fail("%q starts no document", short(line))
}

// refused takes AWS's refusal of a command, which a terminal shows in the place
// of its output.
func (e *reader) refused(m []string) error {
	code, operation, said := m[1], m[2], m[3]
	if code == "NoSuchEntity" && (operation == "GetRole" || operation == "GetUser") {
		name := e.command.value("--role-name") + e.command.value("--user-name")
		if at := strings.Index(said, " with name "); at >= 0 {
			name, _, _ = strings.Cut(said[at+len(" with name "):], " ")
		}
		e.view.form("AWS's own words")
		e.view.absent = append(e.view.absent, strings.ToLower(operation[3:]+" "+strings.Trim(name, `"'`)))
		e.command = command{}
		return nil
	}
	if code == "NoSuchEntity" && operation == "GetOpenIDConnectProvider" {
		e.noProvider(said)
		return nil
	}
	return refuse("This is AWS's refusal of "+operation+", not an answer: "+short(said),
		"Ask somebody who may call it, and paste the answer.")
}

// rest reads the rest of the evidence, of which a template is the last.
func (e *reader) rest(first string) (string, error) {
	const most = 1 << 20 // CloudFormation takes no larger template
	text, err := io.ReadAll(io.LimitReader(e.s.in, most+1))
	if err != nil {
		return "", err
	}
	if len(text) > most {
		return "", refuse("The template is larger than 1 MB, which CloudFormation does not take.", "Name the right file.")
	}
	return first + "\n" + string(text), nil
}
