package spot_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/steps/spot"
	"rolecall/steps/vendorapi"
)

func TestFindToken(t *testing.T) {
	const ini = "; comment\n[default]\ntoken = " + secret + "\naccount=act-1\n\n[team]\n  token=\"team-token\"\n[only-account]\naccount = " +
		"act-2\n"
	home := filepath.Join("/home/me", ".spotinst", "credentials")
	for name, test := range map[string]struct {
		env    map[string]string
		files  map[string]string
		token  string
		source string
		failed string
	}{
		"nothing": {},
		"no home": {files: map[string]string{home: ini}},
		"environment": {env: map[string]string{"SPOTINST_TOKEN": " env-token\n", "HOME": "/home/me"}, files: map[string]string{home: ini},
			token: "env-token", source: "SPOTINST_TOKEN"},
		"bad environment": {env: map[string]string{"SPOTINST_TOKEN": secret + " x"}, token: secret + " x", source: "SPOTINST_TOKEN",
			failed: "holds a space"},
		"no file": {env: map[string]string{"HOME": "/home/me"}},
		"file": {env: map[string]string{"HOME": "/home/me"}, files: map[string]string{home: ini}, token: secret, source: home +
			", profile default"},
		"Windows": {env: map[string]string{"USERPROFILE": "/home/me"}, files: map[string]string{home: strings.ReplaceAll(ini, "\n",
			"\r\n")}, token: secret, source: home + ", profile default"},
		"profile": {env: map[string]string{"HOME": "/home/me", "SPOTINST_CREDENTIALS_PROFILE": "team"},
			files: map[string]string{home: ini}, token: "team-token", source: home + ", profile team"},
		"profile falls": {env: map[string]string{"HOME": "/home/me", "SPOTINST_CREDENTIALS_PROFILE": "only-account"},
			files: map[string]string{home: ini}, token: secret, source: home + ", profile only-account"},
		"profile unknown": {env: map[string]string{"HOME": "/home/me", "SPOTINST_CREDENTIALS_PROFILE": "x"},
			files: map[string]string{home: ini}, failed: `no token for the profile "x"`},
		"other file": {env: map[string]string{"SPOTINST_CREDENTIALS_FILE": "/f"},
			files: map[string]string{"/f": `{"token":"json-token","account":"act-1"}`}, token: "json-token", source: "/f, profile default"},
		"other file gone":  {env: map[string]string{"SPOTINST_CREDENTIALS_FILE": "/f"}, failed: "cannot be read"},
		"other file empty": {env: map[string]string{"SPOTINST_CREDENTIALS_FILE": "/f"}, files: map[string]string{"/f": ""}, failed: "no token"},
		"no default":       {env: map[string]string{"HOME": "/home/me"}, files: map[string]string{home: "[team]\ntoken=x"}},
		"bad JSON": {env: map[string]string{"SPOTINST_CREDENTIALS_FILE": "/f"}, files: map[string]string{"/f": `{"token":"` + secret +
			`"`}, failed: "no token"},
	} {
		t.Run(name, func(t *testing.T) {
			getenv := func(key string) string { return test.env[key] }
			readFile := func(path string) ([]byte, error) {
				if text, ok := test.files[path]; ok {
					return []byte(text), nil
				}
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			token, source, err := spot.FindToken(getenv, readFile)
			if string(token) != test.token || source != test.source {
				t.Errorf("got %q from %q", string(token), source)
			}
			if (err != nil) != (test.failed != "") || err != nil && !strings.Contains(err.Error(), test.failed) {
				t.Errorf("error %v", err)
			}
			var e *vendorapi.Error
			if err != nil && (!errors.As(err, &e) || strings.Contains(fmt.Sprintf("%+v %#v", err, e), secret)) {
				t.Errorf("unsafe error %#v", err)
			}
		})
	}
}
