package policies

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"rolecall/policy"
	"rolecall/policy/review"
	"rolecall/steps/screen"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
	"rolecall/ui/report"
)

// reviewed is one of several sources: its review, or why there is none.
type reviewed struct {
	name    string
	text    []byte // of standard input, which was read to see what it is
	read    bool   // text is set
	report  *review.Report
	problem *screen.Problem
}

// severalSources tells what is reviewed together: several arguments, a folder,
// or a list of files on standard input. It is false for one document, which
// has a report of its own.
func severalSources(ctx context.Context, a *cli.App, args []string) ([]reviewed, bool, error) {
	if len(args) == 1 && args[0] == "-" || len(args) == 0 {
		return fromStdin(ctx, a)
	}
	many := len(args) > 1
	var all []reviewed
	for _, name := range args {
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			files, err := policyFiles(name)
			if err != nil {
				return nil, false, err
			}
			all, many = append(all, files...), true
			continue
		}
		all = append(all, reviewed{name: name})
	}
	return unique(all), many, nil
}

// fromStdin reads standard input: a document, or the names of files, one a line.
func fromStdin(ctx context.Context, a *cli.App) ([]reviewed, bool, error) {
	src, err := readSource(ctx, a, "-")
	if err != nil {
		return nil, false, err
	}
	names := listed(src.text)
	if names == nil {
		return []reviewed{{name: src.name, text: src.text, read: true}}, false, nil
	}
	all, _, err := severalSources(ctx, a, names)
	return all, true, err
}

// listed is the lines of a text that is a list: it is no JSON, and its first
// line names something that is there. Otherwise it is nil.
func listed(text []byte) []string {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || strings.ContainsRune(`{["`, rune(text[0])) || bytes.ContainsRune(text, 0) {
		return nil
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if name := strings.TrimRight(line, "\r\n"); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	if _, err := os.Stat(names[0]); err != nil {
		return nil
	}
	return names
}

// maxFiles bounds what one review looks at.
const maxFiles = 100_000

// policyFiles are the files below a folder whose names end in .json, but not
// those in hidden folders, and none that is no regular file.
func policyFiles(folder string) ([]reviewed, error) {
	var all []reviewed
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			problem := cli.ProblemOf(cli.CannotRead(path, err))
			all = append(all, reviewed{name: path, problem: &problem})
			return nil
		case entry.IsDir():
			if path != folder && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		case len(all) >= maxFiles:
			return cli.Usage(
				fmt.Sprintf("%s holds more than %s files.", draw.Clean(folder), screen.Thousands(maxFiles)),
				"a folder of policies",
				"Name the folders one by one.",
			)
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && strings.EqualFold(filepath.Ext(path), ".json") {
			all = append(all, reviewed{name: path})
		}
		return nil
	})
	if err == nil && len(all) == 0 {
		return nil, cli.Usage(
			draw.Clean(folder)+" holds no file whose name ends in .json.",
			"a folder with policies",
			"Name the files, or another folder.",
		)
	}
	return all, err
}

// unique leaves out a file that was named before.
func unique(all []reviewed) []reviewed {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(r reviewed) bool {
		key := filepath.Clean(r.name)
		if strings.HasPrefix(r.name, "vendor:") || strings.HasPrefix(r.name, "arn:") {
			key = r.name
		}
		again := seen[key]
		seen[key] = true
		return again
	})
}

// filesJSON is the reviews of several documents.
type filesJSON struct {
	Files  []fileJSON     `json:"files"`
	Totals report.Totals  `json:"totals"`
	Error  *cli.ErrorJSON `json:"error,omitempty"`
}

// fileJSON is one of them: a review, or the reason why there is none.
type fileJSON struct {
	File string `json:"file"`
	*review.Report
	Error *cli.ErrorJSON `json:"error,omitempty"`
}

// reviewMany reviews several documents, each as the kind that it is unless
// --kind says one.
func (f *reviewFlags) reviewMany(ctx context.Context, a *cli.App, all []reviewed) error {
	if f.trust != "" {
		return cli.Usage(
			"--trust is read together with one policy, and there are several.",
			"one policy with --trust",
			"Name the one file, or leave out --trust.",
		)
	}
	var waiting sync.WaitGroup
	next := make(chan *reviewed)
	for range runtime.GOMAXPROCS(0) {
		waiting.Go(func() {
			for one := range next {
				f.reviewOne(ctx, a, one)
			}
		})
	}
	for i := range all {
		next <- &all[i]
	}
	close(next)
	waiting.Wait()
	if ctx.Err() != nil {
		return cli.ErrCancelled
	}
	return f.writeMany(a, all)
}

// reviewOne fills in a review, or why there is none.
func (f *reviewFlags) reviewOne(ctx context.Context, a *cli.App, one *reviewed) {
	if one.problem != nil || ctx.Err() != nil {
		return
	}
	_, result, err := f.reviewSource(ctx, a, one)
	if err != nil {
		problem := cli.ProblemOf(err)
		one.problem = &problem
		return
	}
	one.report = result
}

// reviewSource reads one source and reviews it.
func (f *reviewFlags) reviewSource(ctx context.Context, a *cli.App, one *reviewed) (*source, *review.Report, error) {
	src := &source{name: one.name, text: one.text}
	if !one.read {
		read, err := readSource(ctx, a, one.name)
		if err != nil {
			return nil, nil, err
		}
		src = read
	}
	opts, err := f.options()
	if err != nil {
		return nil, nil, err
	}
	if !f.kindGiven {
		opts.Kind = kindFor(src.text)
	}
	opts.Now = a.Env.Now()
	if err := src.know(opts, a.JSON || f.format != "text" || f.details); err != nil {
		return nil, nil, err
	}
	result := review.Review(src.text, *opts)
	return src, &result, nil
}

// kindFor is the kind that a text is taken as where none was named: identity,
// unless only as a trust policy it is what it was read as.
func kindFor(text []byte) policy.Kind {
	for _, kind := range []policy.Kind{policy.Identity, policy.Trust} {
		read := policy.Recognise(text, kind)
		if !slices.ContainsFunc(read.Refusals, func(r policy.Refusal) bool { return r.ID == "kind" }) {
			return read.Kind
		}
	}
	return policy.Identity
}

// writeMany writes the reviews and ends with the exit code of the worst: a file
// that could not be read, then what AWS refuses and what --fail-on says.
func (f *reviewFlags) writeMany(a *cli.App, all []reviewed) error {
	files := make([]report.File, len(all))
	for i := range all {
		files[i] = report.File{Name: all[i].name, Report: all[i].report}
		if all[i].problem != nil {
			files[i].Problem = all[i].problem.What
		}
	}
	if err := f.drawMany(a, files); err != nil {
		return err
	}
	failure := f.worstOf(all)
	if failure == nil {
		if a.JSON {
			a.WriteJSON(documentOf(all, report.TotalsOf(files), nil))
		}
		return nil
	}
	return &cli.Failure{Err: failure, Document: func(e *cli.ErrorJSON) any { return documentOf(all, report.TotalsOf(files), e) }}
}

func (f *reviewFlags) drawMany(a *cli.App, files []report.File) error {
	opts := report.Options{Details: f.details}
	switch f.format {
	case "text":
		var b strings.Builder
		theme, err := a.ThemeForOutput()
		if err != nil {
			return err
		}
		opts.Theme = theme
		if err := report.ManyText(&b, files, opts); err != nil {
			return err
		}
		return page(a, b.String())
	case "markdown":
		return report.ManyMarkdown(a.Env.Stdout, files, opts)
	case "html":
		return report.ManyHTML(a.Env.Stdout, files, opts)
	case "sarif":
		return report.SARIF(a.Env.Stdout, files, cli.Version())
	}
	return nil
}

func documentOf(all []reviewed, totals report.Totals, e *cli.ErrorJSON) filesJSON {
	document := filesJSON{Files: make([]fileJSON, len(all)), Totals: totals, Error: e}
	for i := range all {
		document.Files[i] = fileJSON{File: all[i].name, Report: all[i].report}
		if p := all[i].problem; p != nil {
			document.Files[i].Error = cli.JSONOf(*p)
		}
	}
	return document
}

// worstOf is the failure that the command ends with, nil for none.
func (f *reviewFlags) worstOf(all []reviewed) error {
	var first *screen.Problem
	failed := 0
	for i := range all {
		if p := all[i].problem; p != nil {
			unread := *p
			return &screen.Fault{Problem: unread}
		}
		problem, fails := f.verdict(all[i].report, all[i].name)
		if !fails {
			continue
		}
		failed++
		first = cmp.Or(first, &problem)
	}
	if first == nil {
		return nil
	}
	if failed > 1 {
		first.What = fmt.Sprintf("%s of %s are not as required. The first: %s", screen.Thousands(failed), screen.Thousands(len(all)), first.What)
	}
	return &screen.Fault{Problem: *first}
}
