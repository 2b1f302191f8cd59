package aws

import (
	"maps"
	"os"
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
	MFASerial     string // the device whose code is asked for on the way to its credentials
	SSOSession    string
	SourceProfile string
	Problem       error // what in the files keeps it from working, an *Error; nil when nothing does
}

// Profiles lists the profiles of the AWS configuration and credentials files,
// honouring AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE; the default one
// stands first, then by name. Files that do not exist are no error; a file that
// cannot be read or understood is one, beside what the other file gave. It is
// the same reading that --profile rests on.
func Profiles(getenv func(string) string) ([]Profile, error) {
	files, err := readAWSFiles(getenv)
	var all []Profile
	for _, p := range files.profiles {
		all = append(all, files.describe(p, getenv))
	}
	sort.Slice(all, func(i, j int) bool {
		if (all[i].Name == defaultProfile) != (all[j].Name == defaultProfile) {
			return all[i].Name == defaultProfile
		}
		return all[i].Name < all[j].Name
	})
	if err == nil {
		err = files.unread
	}
	return all, err
}

func (f *awsFiles) describe(p profile, getenv func(string) string) Profile {
	value := func(key string) string { return cleanText(p.get(key)) }
	d := Profile{
		Name: p.name, Kind: p.kind(), Region: value("region"), RoleARN: value("role_arn"), RoleName: value("sso_role_name"),
		SSOSession: value("sso_session"), SourceProfile: value("source_profile"), AccountID: value("sso_account_id"),
	}
	if arn, ok := SplitARN(d.RoleARN); ok {
		d.AccountID = arn.AccountID
	}
	chain, err := f.chain(p, getenv)
	d.Problem = err
	for _, link := range chain {
		if serial := link.get("mfa_serial"); link.kind() == ProfileRole && serial != "" {
			d.MFASerial = cleanText(serial)
			break
		}
	}
	return d
}

// kind follows the order in which the AWS CLI looks at the settings (botocore,
// create_credential_resolver and ProfileProviderBuilder).
func (p profile) kind() ProfileKind {
	switch {
	case p.get("role_arn") != "" && p.get("web_identity_token_file") == "":
		return ProfileRole
	case p.get("web_identity_token_file") != "":
		return ProfileWebIdentity
	case p.hasAny("sso_account_id", "sso_role_name"), p.hasAny("sso_session", "sso_start_url") && !p.hasOtherThanSSO():
		return ProfileSSO
	case p.credentials.has(keyID):
		return ProfileKeys
	case p.get("login_session") != "":
		return ProfileLogin
	case p.get("credential_process") != "":
		return ProfileProcess
	case p.config.has(keyID), p.has(keySecret):
		return ProfileKeys
	}
	return ProfileEmpty
}

// hasOtherThanSSO tells a profile that names an SSO session for its tokens
// alone, and gets its credentials elsewhere.
func (p profile) hasOtherThanSSO() bool {
	return p.hasAny(keyID, keySecret, "login_session", "credential_process")
}

const (
	keyID     = "aws_access_key_id"
	keySecret = "aws_secret_access_key"
)

// keys is the section that the access key is taken from: the AWS CLI takes both
// halves from one file, the credentials file first.
func (p profile) keys() section {
	if p.credentials.has(keyID) || !p.config.has(keyID) && p.credentials.has(keySecret) {
		return p.credentials
	}
	return p.config
}

// chain is the way to a profile's credentials: the profile itself, then, where
// it is a role, the profile that it starts from, and so on. The last one is no
// role, or a role that starts from what the machine gives. What cannot work is
// an *Error that names section, key and file.
func (f *awsFiles) chain(p profile, getenv func(string) string) ([]profile, error) {
	chain := []profile{p}
	for {
		if err := f.check(p, getenv); err != nil {
			return chain, err
		}
		if p.kind() != ProfileRole || p.get("source_profile") == "" {
			return chain, nil
		}
		next, err := f.source(chain)
		if err != nil {
			return chain, err
		}
		chain = append(chain, next)
		p = next
	}
}

// source is the profile that the last one of a chain starts from (botocore,
// AssumeRoleProvider._validate_source_profile): a profile may name itself when
// it has an access key.
func (f *awsFiles) source(chain []profile) (profile, error) {
	p := chain[len(chain)-1]
	name := p.get("source_profile")
	next, ok := f.find(name)
	if !ok {
		return profile{}, f.noSource(p, name)
	}
	for i, seen := range chain {
		if own := next.name == p.name && next.hasAny(keyID, keySecret); seen.name == next.name && !own {
			return profile{}, circle(append(chain[i:], next))
		}
	}
	if next.kind() == ProfileEmpty {
		return profile{}, misconfigured("source_profile in "+p.place("source_profile")+" names "+next.name+", which has no credentials.",
			"access keys, SSO, a role or a credential_process in "+next.title(), "Complete "+next.title()+", or name another source_profile.")
	}
	if next.kind() == ProfileRole && next.hasAny(keyID, keySecret) { // in a source, keys go before the role
		return next.withoutRole(), nil
	}
	return next, nil
}

// withoutRole is the profile as others start from it: with the credentials that
// it has itself.
func (p profile) withoutRole() profile {
	for _, s := range []*section{&p.config, &p.credentials} {
		s.values = maps.Clone(s.values)
		for _, key := range []string{"role_arn", "source_profile", "credential_source"} {
			delete(s.values, key)
		}
	}
	return p
}

func (f *awsFiles) noSource(p profile, source string) error {
	e := misconfigured("source_profile in "+p.place("source_profile")+" names "+source+", and there is no such profile.",
		"a profile of "+f.config+" or "+f.credentials, "Add the profile "+source+", or correct source_profile.")
	if hint := f.misnamed[unquote(source)]; hint != "" {
		e.Next = cleanText(hint) + "."
	}
	return e
}

func circle(chain []profile) error {
	names := make([]string, len(chain))
	for i, p := range chain {
		names[i] = p.name
	}
	first := chain[0]
	return misconfigured("source_profile turns in a circle: "+strings.Join(names, " → ")+", in "+first.config.path+".",
		"a chain that ends at a profile with credentials of its own", "Correct source_profile of "+first.title()+".")
}

// check says what in one profile cannot work, as far as the files tell.
func (f *awsFiles) check(p profile, getenv func(string) string) error {
	switch p.kind() {
	case ProfileRole:
		return checkRole(p, getenv)
	case ProfileSSO:
		_, err := f.sso(p)
		return err
	case ProfileKeys:
		return checkKeys(p)
	case ProfileWebIdentity:
		if p.get("role_arn") == "" {
			return lacks(p, "web_identity_token_file", "role_arn", "the role that the token is for")
		}
		return checkTokenFile(
			"web_identity_token_file in "+p.place("web_identity_token_file"),
			expandPath(getenv, p.get("web_identity_token_file")),
		)
	case ProfileEmpty:
		for _, key := range []string{"source_profile", "credential_source"} {
			if p.get(key) != "" {
				return lacks(p, key, "role_arn", "the role to take on from there")
			}
		}
	}
	return nil
}

// checkTokenFile checks that the file of a web identity can be read.
func checkTokenFile(where, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return misconfigured(
			where+" names "+path+", which cannot be read: "+rootCause(err)+".",
			"a file that holds a token",
			"Correct the path or its permissions.",
		)
	}
	return file.Close()
}

// lacks says that a section has one key and not the other that goes with it.
func lacks(p profile, has, missing, meaning string) error {
	return misconfigured(p.place(has)+" has "+has+" and no "+missing+".", missing+", "+meaning, "Add "+missing+" to "+p.title()+".")
}

// checkKeys checks that a profile has both halves of its access key.
func checkKeys(p profile) error {
	keys := p.keys()
	has, missing := keyID, keySecret
	switch {
	case keys.values[keyID] == "":
		has, missing = keySecret, keyID
	case keys.values[keySecret] != "":
		return nil
	}
	title := "[" + p.name + "]"
	if keys.path == p.config.path {
		title = p.title()
	}
	return misconfigured(title+" of "+keys.path+" has half a key pair: "+has+" and no "+missing+".",
		"both halves in one section of one file", "Add "+missing+", or make a new pair and enter it with `aws configure"+profileFlag(p.name)+"`.")
}

// The values of credential_source.
const (
	sourceEnvironment = "Environment"
	sourceInstance    = "Ec2InstanceMetadata"
	sourceContainer   = "EcsContainer"
)

// checkRole checks where a role's own sign-in comes from (botocore,
// AssumeRoleProvider).
func checkRole(p profile, getenv func(string) string) error {
	source, named := p.get("source_profile"), p.get("credential_source")
	arn, isARN := SplitARN(p.get("role_arn"))
	switch {
	case !isARN || arn.Service != "iam":
		return misconfigured(
			"role_arn in "+p.place("role_arn")+" is no ARN of a role: "+p.get("role_arn")+".",
			"arn:aws:iam::ACCOUNT:role/NAME",
			"Correct role_arn.",
		)
	case source != "" && named != "":
		return misconfigured(p.place("source_profile")+" has both source_profile and credential_source.", "one of the two", "Remove one of them.")
	case source == "" && named == "" && !p.hasAny(keyID, keySecret):
		return misconfigured(p.place("role_arn")+" has role_arn and neither source_profile nor credential_source.",
			"where the credentials come from that take on the role", "Add source_profile or credential_source to "+p.title()+".")
	case source == "" && named == "":
		return checkKeys(p)
	case named == sourceEnvironment:
		return checkEnvironment(p, getenv)
	case named == sourceContainer && getenv(containerURI) == "" && getenv(containerURL) == "":
		return misconfigured("credential_source in "+p.place("credential_source")+" is "+named+", and this is no container with a role.",
			containerURI+" or "+containerURL+" in the environment", "Name another credential_source, or a source_profile.")
	case named != "" && named != sourceInstance && named != sourceContainer:
		return misconfigured("credential_source in "+p.place("credential_source")+" is not known: "+named+".",
			sourceEnvironment+", "+sourceInstance+" or "+sourceContainer, "Correct credential_source.")
	}
	return nil
}

func checkEnvironment(p profile, getenv func(string) string) error {
	if id, secret := environmentPair(getenv); id != "" && secret != "" {
		return nil
	}
	return misconfigured(
		"credential_source in "+p.place("credential_source")+" is "+sourceEnvironment+", and the environment has no access key.",
		envKeyID+" and "+envKeySecret,
		"Set both, or name a source_profile.",
	)
}

// ssoSettings is what signs in with SSO.
type ssoSettings struct{ session, region, startURL, accountID, roleName string }

// sso puts a profile and its [sso-session] together and says what is missing
// (botocore, SSOProvider).
func (f *awsFiles) sso(p profile) (ssoSettings, error) {
	s := ssoSettings{session: p.get("sso_session"), region: p.get("sso_region"), startURL: p.get("sso_start_url"),
		accountID: p.get("sso_account_id"), roleName: p.get("sso_role_name")}
	repair := "`aws configure sso" + profileFlag(p.name) + "` writes all of it."
	regionAt := p.title()
	if s.session != "" {
		session, ok := f.ssoSessions[s.session]
		regionAt = "[sso-session " + s.session + "]"
		if !ok {
			return s, misconfigured("sso_session in "+p.place("sso_session")+" names "+s.session+", and there is no section "+regionAt+".",
				regionAt+" with sso_region and sso_start_url in "+f.config, "Add that section, or correct sso_session. "+repair)
		}
		for _, setting := range []struct {
			key   string
			value *string
		}{{"sso_region", &s.region}, {"sso_start_url", &s.startURL}} {
			if there := session.values[setting.key]; *setting.value != "" && there != "" && *setting.value != there {
				return s, misconfigured(setting.key+" in "+p.place(setting.key)+" differs from that of "+regionAt+".",
					"one value, "+*setting.value+" or "+there, "Remove "+setting.key+" from "+p.title()+".")
			} else if there != "" {
				*setting.value = there
			}
		}
	}
	var missing []string
	for _, setting := range []struct{ key, value, place string }{
		{"sso_account_id", s.accountID, p.title()}, {"sso_role_name", s.roleName, p.title()}, {"sso_region", s.region, regionAt},
		{"sso_start_url", s.startURL, regionAt},
	} {
		if setting.value == "" {
			missing = append(missing, setting.key+" in "+setting.place)
		}
	}
	if len(missing) > 0 {
		return s, misconfigured("The profile "+p.name+" signs in with SSO and lacks "+strings.Join(missing, ", ")+".",
			"those settings in "+f.config, "Add them. "+repair)
	}
	return s, nil
}
