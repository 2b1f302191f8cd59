package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rolecall/steps/describe"
)

// handOver checks the declared request: its destination is shown and confirmed
// before anything is sent, and it says what is sent.
func (r *reader) handOver(v *describe.Vendor) {
	h := v.HandOver
	if h == (describe.Request{}) {
		return
	}
	r.need("hand_over.url", h.URL, "the https address that takes the role")
	r.url("hand_over.url", h.URL)
	r.need("hand_over.body", h.Body, "the JSON that is sent, with {role_arn}, {external_id} or {account_id} in it")
	if object := (map[string]json.RawMessage{}); h.Body != "" && json.Unmarshal([]byte(h.Body), &object) != nil {
		r.wrong("hand_over.body", "hand_over.body is no JSON object.", "a JSON object", "Correct it.")
	}
	words := placeholders(h.Body)
	if h.Body != "" && len(words) == 0 {
		r.wrong(
			"hand_over.body",
			"hand_over.body hands nothing over: it has no placeholder.",
			"{"+strings.Join(requestWords(), "}, {")+"}",
			"Write where the role stands in it.",
		)
	}
	if len(v.Methods) > 0 && !slices.ContainsFunc(v.Methods, func(m describe.Method) bool { return m.Access == describe.AccessRole }) {
		r.wrong(
			"hand_over",
			"No method makes a role that the request could hand over.",
			"a method with access: role",
			"Add one, or remove hand_over.",
		)
	}
	for _, word := range words {
		if !slices.Contains(requestWords(), word) {
			r.wrong(
				"hand_over.body",
				fmt.Sprintf("There is no placeholder {%s}.", describe.Clean(word)),
				strings.Join(requestWords(), ", "),
				describe.DidYouMean(word, requestWords())+"Correct it.",
			)
		}
	}
	if v.API != "" {
		r.wrong("hand_over", "An API takes the role already.", "api or hand_over", "Remove one of the two.")
	}
}

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
