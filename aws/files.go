package aws

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/ini.v1"
)

// section is what one section of an AWS file sets. Keys are in lower case, as
// the AWS CLI reads them.
type section struct {
	title  string // "profile dev", as it is written
	path   string // the file it stands in
	values map[string]string
	nested map[string]map[string]string // indented settings below an empty one: services
}

func (s section) has(key string) bool { _, ok := s.values[key]; return ok }

// profile is one profile: what the configuration file says of it and what the
// credentials file does, which goes first.
type profile struct {
	name                string
	config, credentials section
}

// get is the value of a setting, empty when it is not set.
func (p profile) get(key string) string {
	if p.credentials.has(key) {
		return p.credentials.values[key]
	}
	return p.config.values[key]
}

func (p profile) has(key string) bool { return p.credentials.has(key) || p.config.has(key) }

// hasAny reports whether one of the settings has a value.
func (p profile) hasAny(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return p.get(key) != "" })
}

// place is where a setting of the profile stands, or would stand: the section
// as it is written, and the file.
func (p profile) place(key string) string {
	if p.credentials.has(key) || p.config.path == "" {
		return "[" + p.name + "] of " + p.credentials.path
	}
	return p.title() + " of " + p.config.path
}

// title is the profile's section in the configuration file.
func (p profile) title() string {
	if p.name == defaultProfile {
		return "[default]"
	}
	if strings.ContainsAny(p.name, " \t") {
		return `[profile "` + p.name + `"]`
	}
	return "[profile " + p.name + "]"
}

const defaultProfile = "default"

// awsFiles are the configuration file and the credentials file of the AWS CLI.
// They are read here and nowhere else: for --profile, for the list of profiles
// and for doctor.
type awsFiles struct {
	config, credentials string // paths, empty where there is no home
	profiles            map[string]profile
	ssoSessions         map[string]section
	services            map[string]section
	misnamed            map[string]string // a name that people may mean, and the section that hides it
	unread              error             // a file that is there and cannot be read
}

// readAWSFiles reads both files: AWS_CONFIG_FILE and
// AWS_SHARED_CREDENTIALS_FILE, else config and credentials in ~/.aws. A file
// that does not exist is empty. One that cannot be read is too, as for the AWS
// CLI, and is noted; one that is no INI file is an *Error that names the line.
func readAWSFiles(getenv func(string) string) (*awsFiles, error) {
	f := &awsFiles{
		config:      awsFile(getenv, "AWS_CONFIG_FILE", "config"),
		credentials: awsFile(getenv, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
		profiles:    map[string]profile{}, ssoSessions: map[string]section{}, services: map[string]section{}, misnamed: map[string]string{},
	}
	configErr := f.readConfig()
	credentialsErr := f.readCredentials()
	return f, errors.Join(configErr, credentialsErr)
}

// awsFile is the path of one of the files. "~" and "$NAME" mean what they mean
// to a shell, since the AWS CLI expands them (botocore, raw_config_parse).
func awsFile(getenv func(string) string, variable, name string) string {
	if path := getenv(variable); path != "" {
		return expandPath(getenv, path)
	}
	home := homeFolder(getenv)
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".aws", name)
}

func homeFolder(getenv func(string) string) string {
	if home := getenv("HOME"); home != "" {
		return home
	}
	return getenv("USERPROFILE")
}

// expandPath replaces a "~" at the start and variables that are set.
func expandPath(getenv func(string) string, path string) string {
	path = pathVariable().ReplaceAllStringFunc(path, func(word string) string {
		if value := getenv(strings.Trim(word, "${}")); value != "" {
			return value
		}
		return word
	})
	rest, ok := strings.CutPrefix(path, "~")
	if home := homeFolder(getenv); ok && home != "" && (rest == "" || os.IsPathSeparator(rest[0])) {
		return home + rest
	}
	return path
}

var pathVariable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$(?:\w+|\{\w+\})`) })

func (f *awsFiles) readConfig() error {
	sections, err := f.parse(f.config)
	for _, s := range sections { // of "[default]" and "[profile default]", the later one counts
		kind, name := splitTitle(s.title)
		switch {
		case kind == "" && name == defaultProfile, kind == "profile" && name != "":
			f.profiles[name] = profile{name: name, config: s}
		case kind == "sso-session" && name != "":
			f.ssoSessions[name] = s
		case kind == "services" && name != "":
			f.services[name] = s
		default:
			f.misnamed[unquote(s.title)] = "[" + s.title + "] of " + f.config + ` needs the word "profile": [profile ` + s.title + "]"
		}
	}
	return err
}

func (f *awsFiles) readCredentials() error {
	sections, err := f.parse(f.credentials)
	for _, s := range sections {
		name := unquote(strings.TrimSpace(s.title))
		if kind, rest := splitTitle(s.title); kind == "profile" {
			f.misnamed[rest] = "[" + s.title + "] of " + f.credentials + ` must not have the word "profile" in that file: [` + rest + "]"
			continue
		}
		p := f.profiles[name]
		p.name, p.credentials = name, s
		f.profiles[name] = p
	}
	for name, p := range f.profiles { // where a setting that is missing would stand
		if p.credentials.path == "" {
			p.credentials.path = f.credentials
			f.profiles[name] = p
		}
	}
	return err
}

// splitTitle takes a section of the configuration file apart: "profile dev" and
// `profile "my team"`. The AWS CLI wants quotes around blanks (botocore,
// configloader), the SDKs do not, so both are read.
func splitTitle(title string) (kind, name string) {
	title = strings.TrimSpace(title)
	i := strings.IndexAny(title, " \t")
	if i < 0 {
		return "", title
	}
	return title[:i], unquote(strings.TrimSpace(title[i:]))
}

// unquote takes a pair of quotes away.
func unquote(s string) string {
	for _, quote := range []string{`"`, `'`} {
		if len(s) >= 2 && strings.HasPrefix(s, quote) && strings.HasSuffix(s, quote) {
			return s[1 : len(s)-1]
		}
	}
	return s
}

// largestAWSFile bounds what is read: a wrong path must not fill the memory.
const largestAWSFile = 4 << 20

// parse reads the sections of one file, in its order.
func (f *awsFiles) parse(path string) ([]section, error) {
	if path == "" {
		return nil, nil
	}
	if file, err := os.Stat(path); err == nil && !file.IsDir() && !file.Mode().IsRegular() {
		return nil, nil // a device or a pipe, which the AWS CLI passes over too
	}
	text, err := readBounded(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		f.unread = errors.Join(f.unread, misconfigured("The AWS file "+path+" cannot be read: "+rootCause(err)+".",
			"a file that you may read", "Correct its permissions or its path."))
		return nil, nil
	case !utf8.ValidString(text):
		return nil, misconfigured(
			"The AWS file "+path+" is not UTF-8 text.",
			"a text file in UTF-8",
			"Save it as UTF-8; editors and shells of Windows may write UTF-16.",
		)
	}
	return parseINI(path, text)
}

// parseINI reads the text of a file.
func parseINI(path, text string) ([]section, error) {
	lines := layOut(strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n"))
	file, err := loadINI(lines)
	if err != nil {
		line := firstLine(lines, func(_ *ini.File, err error) bool { return err != nil })
		return nil, misconfigured(fmt.Sprintf("Line %d of the AWS file %s cannot be understood.", line, path),
			"[section], key = value or # comment", "Correct that line.")
	}
	if stray(file, nil) {
		return nil, misconfigured(fmt.Sprintf("Line %d of the AWS file %s stands before any section.", firstLine(lines, stray), path),
			"a section first, such as [default]", "Put the section's name above it.")
	}
	var sections []section
	for _, s := range file.Sections() {
		if s.Name() != ini.DefaultSection {
			sections = append(sections, newSection(path, s))
		}
	}
	return sections, nil
}

// loadINI reads lines as the AWS CLI does: "=" or ":" sets, quotes and
// backslashes mean nothing, and no section inherits from another.
func loadINI(lines []string) (*ini.File, error) {
	return ini.LoadSources(ini.LoadOptions{
		IgnoreContinuation: true, IgnoreInlineComment: true, PreserveSurroundedQuote: true, AllowNestedValues: true,
		KeyValueDelimiters: "=:", ChildSectionDelimiter: "\x00",
	}, []byte(strings.Join(lines, "\n")))
}

// stray reports whether a setting stands before the first section.
func stray(file *ini.File, _ error) bool {
	return file != nil && len(file.Section(ini.DefaultSection).Keys()) > 0
}

// firstLine is the number of the first line, from 1, with which the lines so
// far are wrong.
func firstLine(lines []string, wrong func(*ini.File, error) bool) int {
	low, high := 1, len(lines)
	for low < high {
		middle := (low + high) / 2
		if wrong(loadINI(lines[:middle])) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// setting is the start of a line that sets something.
var setting = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*[A-Za-z_]\w*\s*[=:]`) })

// layOut brings lines into the form that the INI library reads as the AWS CLI
// reads the file itself (Python's configparser): settings that are indented
// alike are settings, not parts of an empty one before them, and a line that is
// indented deeper and sets nothing goes on with the value above it, as long
// commands of credential_process do. The number of lines stays as it is.
func layOut(lines []string) []string {
	laid := slices.Clone(lines)
	last, depth := -1, 0 // the last setting and its indent
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case trimmed[0] == '[':
			last = -1
			laid[i] = titleComment().ReplaceAllString(line, "$1")
		case last < 0 || indent(line) <= depth:
			last, depth, laid[i] = i, indent(line), trimmed
		case !setting().MatchString(line):
			laid[last] += " " + trimmed
			laid[i] = ""
		}
	}
	return laid
}

var titleComment = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\s*\[[^\]]*\])\s*[#;].*`) })

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

func newSection(path string, s *ini.Section) section {
	made := section{title: cleanAll(s.Name()), path: path, values: map[string]string{}}
	for _, key := range s.Keys() {
		name := strings.ToLower(key.Name())
		made.values[name] = settingValue(name, key.Value())
		for _, line := range key.NestedValues() {
			below, value, ok := strings.Cut(line, "=")
			if !ok {
				continue
			}
			if made.nested == nil {
				made.nested = map[string]map[string]string{}
			}
			if made.nested[name] == nil {
				made.nested[name] = map[string]string{}
			}
			made.nested[name][strings.ToLower(strings.TrimSpace(below))] = strings.TrimSpace(value)
		}
	}
	return made
}

// settingValue is a value without the comment behind it and without quotes
// around it, which the SDKs take away and the AWS CLI would not take. A command
// keeps both: they may be its own.
func settingValue(key, value string) string {
	if key == "credential_process" {
		return value
	}
	if m := inlineComment().FindStringIndex(value); m != nil {
		value = value[:m[0]]
	}
	return unquote(strings.TrimSpace(value))
}

var inlineComment = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:^|[ \t])[#;]`) })

func readBounded(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, largestAWSFile+1))
	if err == nil && len(text) > largestAWSFile {
		err = fmt.Errorf("larger than %d MB", largestAWSFile>>20)
	}
	return string(text), err
}

// find is the profile of a name, which may be in quotes as in the files.
func (f *awsFiles) find(name string) (profile, bool) {
	p, ok := f.profiles[unquote(cleanAll(name))]
	return p, ok
}

// missing says that there is no profile of a name, and what may be meant.
func (f *awsFiles) missing(name string) error {
	if f.unread != nil {
		return f.unread
	}
	e := misconfigured(
		"There is no AWS profile of that name: "+name+".",
		"a profile of "+f.config+" or "+f.credentials,
		"List them with `aws configure list-profiles`.",
	)
	if hint := f.misnamed[unquote(name)]; hint != "" {
		e.Next = hint + "."
	}
	return e
}

// misconfigured says what in the AWS configuration cannot work. Its Kind is
// NotSignedIn.
func misconfigured(what, expected, next string) *Error {
	return refuse(NotSignedIn, what, expected, next)
}
