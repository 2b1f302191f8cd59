package ui_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	sdkaws "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// handsMain is the test binary where it is called aws-by-hand.
func handsMain(args []string) int {
	if err := handsCLI(args); err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		return 254
	}
	return 0
}

// handsCLI is as much of the AWS CLI as an exported script calls: one request to
// IAM or STS under AWS_ENDPOINT_URL, and of the answer what --query names last.
// The CLI itself takes half a second for each call.
func handsCLI(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: SERVICE OPERATION [--flag value]")
	}
	form, query, err := cliForm(args)
	if err != nil {
		return err
	}
	env := os.Getenv
	place := asker{env("AWS_ENDPOINT_URL"), env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"), env("AWS_REGION")}
	answer, err := place.ask(http.MethodPost, "/", args[0], form.Encode())
	if err != nil {
		return err
	}
	if query == "" {
		_, err = fmt.Println(answer)
		return err
	}
	element := query[strings.LastIndexByte(query, '.')+1:]
	found := regexp.MustCompile("<" + element + ">([^<]*)</").FindStringSubmatch(answer)
	if found == nil {
		return fmt.Errorf("there is no %s in %s", element, answer)
	}
	_, err = fmt.Println(found[1])
	return err
}

// cliForm is the request that a command line of the CLI sends.
func cliForm(args []string) (form url.Values, query string, err error) {
	version := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}[args[0]]
	form = url.Values{"Action": {cliName(args[1])}, "Version": {version}}
	for rest := args[2:]; len(rest) > 0; {
		flag, ok := strings.CutPrefix(rest[0], "--")
		if !ok {
			return nil, "", fmt.Errorf("%q is no flag", rest[0])
		}
		end := slices.IndexFunc(rest[1:], func(word string) bool { return strings.HasPrefix(word, "--") }) + 1
		if end == 0 {
			end = len(rest)
		}
		values := rest[1:end]
		rest = rest[end:]
		switch {
		case len(values) == 0:
			return nil, "", fmt.Errorf("--%s has no value", flag)
		case flag == "query":
			query = values[0]
		case flag == "output": // text is all there is
		case strings.HasSuffix(flag, "-list"):
			for i, value := range values {
				form.Set(fmt.Sprintf("%s.member.%d", cliName(flag), i+1), value)
			}
		default:
			form.Set(cliName(flag), values[0])
		}
	}
	return form, query, nil
}

// cliName is the API's name of an operation or a parameter: create-role is
// CreateRole, client-id is ClientID.
func cliName(words string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(words, "-") {
		if word == "id" {
			word = "ID"
		}
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String()
}

// asker sends single requests to an AWS.
type asker struct{ endpoint, key, secret, region string }

// ask sends one request, signed for the service.
func (a asker) ask(verb, path, service, body string) (answer string, err error) {
	r, err := http.NewRequest(verb, a.endpoint+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	key := sdkaws.Credentials{AccessKeyID: a.key, SecretAccessKey: a.secret}
	if err := v4.NewSigner().SignHTTP(context.Background(), key, r, hex.EncodeToString(sum[:]), service, a.region, time.Now()); err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}
