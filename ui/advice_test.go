package ui

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rolecall/ui/cli"
)

// advice is a text of the program. What is known only when it runs stands in it
// as a gap.
type advice struct{ where, text string }

// gap stands for a value in a text.
const gap = "\x00"

// TestEveryRecommendedCommandIsOne holds every text in the sources to the
// program: each command line of rolecall's that a text recommends is one that
// exists, with flags and arguments that exist. Nothing is run.
func TestEveryRecommendedCommandIsOne(t *testing.T) {
	found := 0
	for _, one := range advices(t) {
		for _, tail := range recommended(one.text) {
			args, mention := commandLine(tail)
			if len(args) == 0 {
				continue
			}
			found++
			if err := parses(args, mention); err != nil {
				t.Errorf("%s recommends rolecall %s: %v", one.where, strings.Join(args, " "), err)
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d recommended command lines were found", found)
	}
	t.Logf("%d recommended command lines", found)
}

// TestWhatAStepAsksForIsAFlag wants every flag that a step names to be one of
// connect and of rehearse, and, where it answers a question, of resume: a run
// that stops because of a missing flag can be gone on with.
func TestWhatAStepAsksForIsAFlag(t *testing.T) {
	// These say what is wanted, which a session has settled: resume does not take
	// them.
	settled := []string{"--vendor", "--products", "--regions", "--restrict-tag", "--path", "--tag", "--permissions-boundary",
		"--session-duration", "--partition", "--plan"}
	// These are of other commands, or of the AWS CLI.
	others := []string{"--role", "--user", "--all", "--minify", "--kind", "--details", "--trust", "--evidence", "--format", "--fail-on",
		"--template-body", "--capabilities", "--parameters", "--retain-stacks", "--send-token",
		"--ou", "--accounts", "--account-tag", "--failure-tolerance", "--concurrency", "--resend", "--drift"}
	flags := map[string]string{}
	for _, one := range advices(t) {
		if !strings.HasPrefix(one.where, "../steps/") || strings.HasPrefix(one.where, "../steps/describe/") ||
			strings.Contains(one.text, "aws iam ") || strings.Contains(one.text, "aws cloudformation ") {
			continue
		}
		for _, flag := range regexp.MustCompile(`(?:^|[\s(])(--[a-z][a-z-]+[a-z])`).FindAllStringSubmatch(one.text, -1) {
			flags[flag[1]] = one.where
		}
	}
	for flag, where := range flags {
		if slices.Contains(others, flag) {
			continue
		}
		commands := []string{"connect", "rehearse"}
		if !slices.Contains(settled, flag) {
			commands = append(commands, "resume")
		}
		for _, name := range commands {
			if command := find(name); command.Flag(strings.TrimPrefix(flag, "--")) == nil {
				t.Errorf("%s names %s, which rolecall %s does not take", where, flag, name)
			}
		}
	}
	if len(flags) < 15 {
		t.Errorf("only %d flags were found", len(flags))
	}
}

func find(name string) *cobra.Command {
	command, _, err := rootCommand(&cli.App{Env: cli.Env{Now: time.Now}}).Find([]string{name})
	if err != nil {
		return &cobra.Command{}
	}
	command.InheritedFlags() // makes the common flags known to Flag
	return command
}

// advices are the texts of the sources and of the vendors' descriptions.
func advices(t *testing.T) []advice {
	t.Helper()
	var all []advice
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "testdata" || name == "generate" || strings.HasPrefix(name, ".") && name != ".."):
			return fs.SkipDir
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			all = append(all, textsOf(t, path)...)
		case strings.HasSuffix(name, ".yaml") && strings.Contains(path, "assets"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all = append(all, advice{path, string(text)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// textsOf are the string constants of a file, those that are put together as
// one.
func textsOf(t *testing.T, path string) []advice {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var all []advice
	ast.Inspect(file, func(node ast.Node) bool {
		expr, ok := node.(ast.Expr)
		if !ok {
			return true
		}
		text, isText := textOf(expr)
		if isText {
			all = append(all, advice{filepath.ToSlash(path) + ":" + strconv.Itoa(set.Position(expr.Pos()).Line), text})
		}
		return !isText
	})
	return all
}

// textOf is a string constant, or a sum of which one term is.
func textOf(expr ast.Expr) (text string, ok bool) {
	switch expr := expr.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(expr.Value)
		return regexp.MustCompile(`%[+#]?[svdqx]`).ReplaceAllString(text, gap), err == nil && expr.Kind == token.STRING
	case *ast.BinaryExpr:
		left, isLeft := textOf(expr.X)
		right, isRight := textOf(expr.Y)
		return left + right, expr.Op == token.ADD && (isLeft || isRight)
	case *ast.ParenExpr:
		return textOf(expr.X)
	}
	return gap, false
}

// recommended is what stands behind each rolecall in a text.
func recommended(text string) []string {
	var tails []string
	for _, at := range regexp.MustCompile(`(?:^|[\s("`+"`"+`])rolecall `).FindAllStringIndex(text, -1) {
		tail, _, _ := strings.Cut(text[at[1]:], "\n")
		tails = append(tails, tail)
	}
	return tails
}

// commandLine takes the command line from the beginning of a text, and fills its
// gaps; there is none when a word follows that is no command. A mention is a
// command inside of a sentence that goes on: its arguments may be left out.
func commandLine(tail string) (args []string, mention bool) {
	tail, _, _ = strings.Cut(tail, " #")
	tail, _, _ = strings.Cut(tail, " >")
	command, value := rootCommand(&cli.App{Env: cli.Env{Now: time.Now}}), ""
	for word := range strings.FieldsSeq(tail) {
		bare := strings.Trim(strings.TrimRight(word, ".,;:)`"), "'\"`")
		last := bare != strings.Trim(word, "'\"`")
		switch next := sub(command, bare); {
		case value != "":
			args, value = append(args, strings.ReplaceAll(bare, gap, value)), ""
		case next != nil:
			command, args = next, append(args, bare)
		case strings.HasPrefix(bare, "-"):
			args, value = append(args, bare), valueFor(command, bare)
		case len(args) == 0, isProse(bare) && !command.HasSubCommands():
			return args, true
		default:
			args = append(args, strings.ReplaceAll(bare, gap, "260131-7k2m"))
		}
		if last {
			break
		}
	}
	if value != "" {
		args = append(args, value) // the gap was all of it, or it is left to the reader
	}
	return args, false
}

func sub(command *cobra.Command, word string) *cobra.Command {
	for _, one := range command.Commands() {
		if one.Name() == word {
			return one
		}
	}
	return nil
}

// valueFor is a value for a flag that takes one; empty for a switch, and for
// what is no flag.
func valueFor(command *cobra.Command, flag string) string {
	command.InheritedFlags()
	known := command.Flag(strings.TrimLeft(flag, "-"))
	if strings.HasPrefix(flag, "-") && !strings.HasPrefix(flag, "--") {
		known = command.Flags().ShorthandLookup(strings.TrimLeft(flag, "-"))
	}
	switch {
	case known == nil, known.NoOptDefVal != "", strings.Contains(flag, "="):
		return ""
	case known.Value.Type() == "duration":
		return "2m"
	}
	return "x"
}

// isProse tells a word of a sentence from an argument.
func isProse(word string) bool { return regexp.MustCompile(`^[a-z]+$`).MatchString(word) }

// parses parses a command line as the program does, and runs nothing.
func parses(args []string, mention bool) error {
	command, left, err := rootCommand(&cli.App{Env: cli.Env{Now: time.Now}}).Find(args)
	if err != nil {
		return err
	}
	switch err := command.ParseFlags(left); {
	case errors.Is(err, pflag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	if command.Args == nil || mention && command.Flags().NArg() == 0 {
		return nil
	}
	return command.Args(command, command.Flags().Args())
}

// TestBadAdviceIsFound holds the tests above to what they are for.
func TestBadAdviceIsFound(t *testing.T) {
	for text, bad := range map[string]bool{
		"Go on: rolecall resume " + gap + " --secret-file FILE.":                false,
		"Go on: rolecall resume " + gap + " --secret FILE.":                     true,
		"Try rolecall disconnect " + gap + " " + gap:                            true,
		"Have it reviewed (rolecall approve), then go on":                       true,
		"See rolecall policy review --details, or ask":                          false,
		"See rolecall policy review --detail, or ask":                           true,
		"rolecall resumes where it stopped":                                     false,
		"Begin one: rolecall, or try rolecall rehearse.":                        false,
		"Later: rolecall resume " + gap + ", or give it longer: --wait 10m.":    false,
		"rolecall sessions delete 260131-7k2m":                                  true,
		"rolecall connect --vendor " + gap + " --method automatic --stack-name": false,
	} {
		failed := false
		for _, tail := range recommended(text) {
			if args, mention := commandLine(tail); len(args) > 0 && parses(args, mention) != nil {
				failed = true
			}
		}
		if failed != bad {
			t.Errorf("%q: bad is %v", text, failed)
		}
	}
}
