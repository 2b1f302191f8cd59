package describe

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// handOver checks the declared request: its destination is shown and confirmed
// before anything is sent, and it says what is sent.
func (r *reader) handOver(v *Vendor) {
	h := v.HandOver
	if h == (Request{}) {
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
	if len(v.Methods) > 0 && !slices.ContainsFunc(v.Methods, func(m Method) bool { return m.Access == AccessRole }) {
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
				fmt.Sprintf("There is no placeholder {%s}.", clean(word)),
				strings.Join(requestWords(), ", "),
				didYouMean(word, requestWords())+"Correct it.",
			)
		}
	}
	if v.API != "" {
		r.wrong("hand_over", "An API takes the role already.", "api or hand_over", "Remove one of the two.")
	}
}

// Local says why the address of a request is none of a server on the internet:
// it is this machine, its network, or a bare IP address, which no certificate
// and no name vouches for. It is empty for any other address. What a name
// resolves to shows only when the request is sent.
func (r Request) Local() string {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" {
		return ""
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if address, err := netip.ParseAddr(host); err == nil {
		return localAddress(address.Unmap())
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case last == "localhost":
		return "It is this machine itself, no server of a vendor."
	case slices.Contains([]string{"local", "internal", "lan", "home", "intranet", "corp"}, last) || !strings.Contains(host, "."):
		return "It is a name of the local network, no server of a vendor."
	case strings.Trim(last, "0123456789abcdefx") == "" && strings.ContainsAny(last[:1], "0123456789"):
		return "It is an IP address written in an unusual way."
	}
	return ""
}

func localAddress(a netip.Addr) string {
	switch {
	case a.IsLoopback() || a.IsUnspecified():
		return "It is this machine itself, no server of a vendor."
	case a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast():
		return "It is a link-local address, where clouds serve credentials to their machines."
	case a.IsPrivate():
		return "It is an address of the local network, no server of a vendor."
	}
	return "It is a bare IP address: no name says whose it is."
}
