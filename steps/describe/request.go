package describe

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

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

// Render puts the values in the place of the placeholders. Each is written as
// JSON writes it inside a string, so that no value can change what is sent.
func (r Request) Render(roleARN, externalID, accountID string) string {
	return strings.NewReplacer("{role_arn}", inString(roleARN), "{external_id}", inString(externalID), "{account_id}", inString(accountID)).
		Replace(r.Body)
}

func inString(value string) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return strings.Trim(string(text), `"`)
}
