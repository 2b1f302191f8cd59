package describe

import (
	"encoding/json"
	"strings"
)

// requestWords are the placeholders of a request's body.
func requestWords() []string { return []string{"role_arn", "external_id", "account_id"} }

// placeholders are the words in braces that stand in the strings of a JSON
// body. Braces of JSON itself hold quotes or white space.
func placeholders(body string) []string {
	var words []string
	for {
		i := strings.IndexByte(body, '{')
		if i < 0 {
			return words
		}
		body = body[i+1:]
		j := strings.IndexAny(body, "{}\" \t\r\n:,")
		if j > 0 && body[j] == '}' {
			words = append(words, body[:j])
		}
	}
}

// Render puts the values in the place of the placeholders. Each is written as
// JSON writes it inside a string, so that no value can change what is sent.
func (r Request) Render(roleARN, externalID, accountID string) string {
	return strings.NewReplacer(
		"{role_arn}",
		inString(roleARN),
		"{external_id}",
		inString(externalID),
		"{account_id}",
		inString(accountID),
	).Replace(
		r.Body,
	)
}

func inString(value string) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return strings.Trim(string(text), `"`)
}
