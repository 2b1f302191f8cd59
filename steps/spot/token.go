package spot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"gopkg.in/ini.v1"
)

// The environment and file of the Spot SDK (spotinst-sdk-go, spotinst/credentials),
// and rolecall's own variable for the address.
const (
	envURL         = "ROLECALL_SPOT_URL"
	envToken       = "SPOTINST_TOKEN"
	envFile        = "SPOTINST_CREDENTIALS_FILE"
	envProfile     = "SPOTINST_CREDENTIALS_PROFILE"
	defaultProfile = "default"
)

// FindToken looks for a token where Spot's SDK does: SPOTINST_TOKEN, then the
// credentials file ~/.spotinst/credentials, INI with profiles or JSON. The
// source says where it was, in words: "SPOTINST_TOKEN", or the file and
// profile. No token anywhere gives "" and no error, unless the environment
// names a file or profile. The error holds nothing of the file.
func FindToken(getenv func(string) string, readFile func(string) ([]byte, error)) (token Token, source string, err error) {
	if t := Token(strings.TrimSpace(getenv(envToken))); t != "" {
		return t, envToken, t.Check()
	}
	path, asked := credentialsPath(getenv)
	if path == "" {
		return "", "", nil
	}
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return "", "", nil
	}
	if err != nil {
		return "", "", fileError(path, fmt.Sprintf("The credentials file %s of Spot cannot be read.", path), err)
	}
	profile := getenv(envProfile)
	if profile == "" {
		profile = defaultProfile
	}
	token = tokenIn(string(text), profile)
	switch source = fmt.Sprintf("%s, profile %s", path, profile); {
	case token != "":
		return token, source, token.Check()
	case asked || getenv(envProfile) != "":
		return "", "", fileError(path, fmt.Sprintf("The credentials file %s of Spot has no token for the profile %q.", path, profile), nil)
	}
	return "", "", nil
}

// credentialsPath is where the file is, and whether the environment named it.
func credentialsPath(getenv func(string) string) (path string, asked bool) {
	if path := getenv(envFile); path != "" {
		return path, true
	}
	for _, home := range []string{getenv("HOME"), getenv("USERPROFILE")} {
		if home != "" {
			return filepath.Join(home, ".spotinst", "credentials"), false
		}
	}
	return "", false
}

func fileError(path, what string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	e := refuse("find the token of Spot", what, "an INI file with [default] and token = …, or JSON with \"token\"",
		"Correct "+path+", or set "+envToken+".")
	e.Err = err
	return e
}

// tokenIn reads the file as the SDK does, and with the same library: INI, in which a profile without a
// token takes the default one's, else JSON, which has no profiles.
func tokenIn(text, profile string) Token {
	var whole struct {
		Token string `json:"token"`
	}
	if json.Unmarshal([]byte(text), &whole) == nil {
		return Token(strings.TrimSpace(whole.Token))
	}
	file, err := ini.LoadSources(ini.LoadOptions{SkipUnrecognizableLines: true}, []byte(text))
	if err != nil || !file.HasSection(profile) {
		return ""
	}
	token := file.Section(profile).Key("token").Value()
	if token == "" {
		token = file.Section(defaultProfile).Key("token").Value()
	}
	return Token(strings.TrimSpace(token))
}
