package aws

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// ProfileKind says how a profile gets its credentials.
type ProfileKind string

// The kinds of a Profile.
const (
	ProfileKeys        ProfileKind = "access keys"
	ProfileSSO         ProfileKind = "sso"
	ProfileRole        ProfileKind = "role"
	ProfileWebIdentity ProfileKind = "web identity"
	ProfileProcess     ProfileKind = "process"
	ProfileLogin       ProfileKind = "login"
	ProfileEmpty       ProfileKind = "no credentials" // settings only
)

// Profile is what the AWS files say about one profile. No secret is kept.
type Profile struct {
	Name          string
	Kind          ProfileKind
	Region        string
	AccountID     string // where the file names it: sso_account_id or the role's ARN
	RoleARN       string
	RoleName      string // of SSO
	MFASerial     string
	SSOSession    string
	SourceProfile string
}

// Profiles lists the profiles of the AWS configuration and credentials files,
// honouring AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE; the default one
// stands first, then by name. Files that do not exist are no error; a file that
// cannot be read is one, beside what the other file gave.
func Profiles(getenv func(string) string) ([]Profile, error) {
	found := map[string]map[string]string{}
	configErr := readProfiles(awsFile(getenv, "AWS_CONFIG_FILE", "config"), true, found)
	credentialsErr := readProfiles(awsFile(getenv, "AWS_SHARED_CREDENTIALS_FILE", "credentials"), false, found)
	var all []Profile
	for name, keys := range found {
		all = append(all, newProfile(name, keys))
	}
	sort.Slice(all, func(i, j int) bool {
		if (all[i].Name == "default") != (all[j].Name == "default") {
			return all[i].Name == "default"
		}
		return all[i].Name < all[j].Name
	})
	return all, errors.Join(configErr, credentialsErr)
}

func awsFile(getenv func(string) string, variable, name string) string {
	if path := getenv(variable); path != "" {
		return path
	}
	home := getenv("HOME")
	if home == "" {
		home = getenv("USERPROFILE")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".aws", name)
}

// profileKeys are the settings that are read. Of secrets only the presence is
// noted.
const profileKeys = `region role_arn source_profile credential_source credential_process web_identity_token_file mfa_serial
 sso_session sso_start_url sso_account_id sso_role_name login_session aws_access_key_id`

func readProfiles(path string, isConfig bool, found map[string]map[string]string) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the AWS profiles: %w", err)
	}
	var current map[string]string
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if name, ok := section(line); ok {
			current = openSection(name, isConfig, found)
			continue
		}
		readSetting(line, current)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the AWS profiles in %s: %w", path, err)
	}
	return nil
}

// section is the name within "[…]", with a comment behind it allowed.
func section(line string) (string, bool) {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "[") {
		return "", false
	}
	name, _, ok := strings.Cut(line[1:], "]")
	return strings.TrimSpace(name), ok
}

// openSection is where the settings of a section go; nil for sections that
// are no profile (sso-session, services).
func openSection(name string, isConfig bool, found map[string]map[string]string) map[string]string {
	if isConfig && name != "default" {
		kind, rest, ok := strings.Cut(name, " ")
		if !ok || kind != "profile" {
			return nil
		}
		name = strings.TrimSpace(rest)
	}
	name = cleanText(strings.Trim(name, `"'`))
	if name == "" {
		return nil
	}
	if found[name] == nil {
		found[name] = map[string]string{}
	}
	return found[name]
}

// readSetting notes one "key = value". Indented lines belong to a nested
// setting such as s3 and are not of interest.
func readSetting(line string, into map[string]string) {
	if into == nil || line == "" || strings.ContainsRune(" \t#;", rune(line[0])) {
		return
	}
	key, value, ok := strings.Cut(line, "=")
	key = strings.ToLower(strings.TrimSpace(key))
	if !ok || !slices.Contains(strings.Fields(profileKeys), key) {
		return
	}
	if key == "aws_access_key_id" || key == "credential_process" {
		value = "set"
	}
	value, _, _ = strings.Cut(value, " #")
	into[key] = cleanText(value)
}

func newProfile(name string, keys map[string]string) Profile {
	p := Profile{
		Name: name, Kind: profileKind(keys), Region: keys["region"], RoleARN: keys["role_arn"], RoleName: keys["sso_role_name"],
		MFASerial: keys["mfa_serial"], SSOSession: keys["sso_session"], SourceProfile: keys["source_profile"],
		AccountID: keys["sso_account_id"],
	}
	if arn, ok := SplitARN(p.RoleARN); ok {
		p.AccountID = arn.AccountID
	}
	return p
}

// profileKind follows the order in which the SDK looks at the settings
// (aws-sdk-go-v2 config, resolveCredsFromProfile).
func profileKind(keys map[string]string) ProfileKind {
	switch {
	case keys["role_arn"] != "" && keys["web_identity_token_file"] != "":
		return ProfileWebIdentity
	case keys["role_arn"] != "":
		return ProfileRole
	case keys["aws_access_key_id"] != "":
		return ProfileKeys
	case keys["sso_session"] != "" || keys["sso_start_url"] != "":
		return ProfileSSO
	case keys["login_session"] != "":
		return ProfileLogin
	case keys["credential_process"] != "":
		return ProfileProcess
	}
	return ProfileEmpty
}
