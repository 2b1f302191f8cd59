package spot

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"rolecall/steps/vendorapi"
)

// Accounts lists the accounts on AWS that the token can see, in Spot's order.
func (c *Client) Accounts(ctx context.Context) ([]vendorapi.Account, error) {
	const op = "list Spot accounts"
	items, err := get[account](ctx, c, op, "/setup/account", nil)
	if err != nil {
		return nil, err
	}
	accounts := make([]vendorapi.Account, 0, len(items))
	for _, item := range items {
		if cloud := item.CloudProvider; cloud != "" && !strings.EqualFold(cloud, "AWS") {
			continue
		}
		if !isAccountID(item.ID) {
			return nil, odd(op, "an account without an ID such as act-12ab12ab")
		}
		accounts = append(accounts, c.account(item))
	}
	return accounts, nil
}

// CreateAccount makes an account at Spot. Its name needs a letter.
func (c *Client) CreateAccount(ctx context.Context, name string) (vendorapi.Account, error) {
	const op = "create Spot account"
	name = strings.TrimSpace(name)
	if err := CheckAccountName(name); err != nil {
		return vendorapi.Account{}, err
	}
	body := struct {
		Account accountName `json:"account"`
	}{accountName{name}}
	items, err := post[account](ctx, c, op, "/setup/account", nil, body)
	if err != nil {
		return vendorapi.Account{}, err
	}
	if len(items) != 1 || !isAccountID(items[0].ID) {
		return vendorapi.Account{}, unsure(odd(op, "no account with an ID such as act-12ab12ab"))
	}
	return c.account(items[0]), nil
}

// CheckAccountName refuses what Spot would refuse as an account's name: one
// without a letter, or with control characters.
func CheckAccountName(name string) error {
	printable := !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
	if strings.ContainsFunc(name, unicode.IsLetter) && printable && len(name) <= 255 {
		return nil
	}
	return refuse(
		"create Spot account",
		"This cannot be the name of a Spot account.",
		"a name with at least one letter, on one line",
		"Choose another name.",
	)
}

// ExternalID reads the account's external ID; empty when it has none yet.
func (c *Client) ExternalID(ctx context.Context, account string) (string, error) {
	const op = "read the external ID from Spot"
	if err := checkAccountID(op, account); err != nil {
		return "", err
	}
	items, err := get[externalID](ctx, c, op, "/setup/credentials/aws/externalId/"+url.PathEscape(account), nil)
	if none(err) || err == nil && (len(items) == 0 || items[0].ExternalID == "") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return oneExternalID(op, items)
}

// MintExternalID has Spot mint a new external ID. The old one then counts no
// more: never mint while a role may carry it.
func (c *Client) MintExternalID(ctx context.Context, account string) (string, error) {
	const op = "have Spot mint an external ID"
	if err := checkAccountID(op, account); err != nil {
		return "", err
	}
	items, err := post[externalID](ctx, c, op, "/setup/credentials/aws/externalId", accountQuery(account), nil)
	if err != nil {
		return "", err
	}
	id, err := oneExternalID(op, items)
	if err != nil {
		return "", unsure(err)
	}
	return id, nil
}

func oneExternalID(op string, items []externalID) (string, error) {
	if len(items) != 1 || !isExternalID(items[0].ExternalID) {
		return "", odd(op, "no single external ID that AWS would accept")
	}
	return items[0].ExternalID, nil
}

// Role reads the ARN of the role that Spot holds for the account; empty when it
// holds none.
func (c *Client) Role(ctx context.Context, account string) (string, error) {
	const op = "read the role from Spot"
	if err := checkAccountID(op, account); err != nil {
		return "", err
	}
	items, err := get[credentials](ctx, c, op, "/setup/credentials/aws", accountQuery(account))
	if none(err) || err == nil && (len(items) == 0 || items[0].IAMRole == "") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !isRoleARN(items[0].IAMRole) {
		return "", odd(op, "something that is no role's ARN")
	}
	return items[0].IAMRole, nil
}

// SubmitRole hands the role over, in the place of one that Spot held. Spot
// tries to assume it at once; an error that is Refused says that it could not.
func (c *Client) SubmitRole(ctx context.Context, account, roleARN string) error {
	const op = "hand the role over to Spot"
	if err := checkAccountID(op, account); err != nil {
		return err
	}
	if !isRoleARN(roleARN) {
		return refuse(op, "This is not the ARN of a role.", "arn:aws:iam::123456789012:role/Spot-Role", "Copy it from the role's page.")
	}
	body := struct {
		Credentials credentials `json:"credentials"`
	}{credentials{roleARN}}
	_, err := post[credentials](ctx, c, op, "/setup/credentials/aws", accountQuery(account), body)
	return err
}

// The items of Spot's answers. Keys that rolecall has no use for are let pass.
type (
	account struct {
		ID             string `json:"id"`
		Name           string `json:"name"`
		OrganizationID string `json:"organizationId"`
		CloudProvider  string `json:"cloudProvider"`
	}
	accountName struct {
		Name string `json:"name"`
	}
	externalID struct {
		ExternalID string `json:"externalId"`
	}
	credentials struct {
		IAMRole string `json:"iamRole"`
	}
)

func (c *Client) account(a account) vendorapi.Account {
	return vendorapi.Account{ID: a.ID, Name: c.clean(a.Name), OrganizationID: c.clean(a.OrganizationID)}
}

func accountQuery(account string) url.Values { return url.Values{"accountId": {account}} }

// none tells that Spot has nothing of the kind for the account. What Spot
// answers then is undocumented; its SDK reads an empty list, and 404 says the
// same.
func none(err error) bool {
	e, ok := err.(*vendorapi.Error) //nolint:errorlint // get returns it bare
	return ok && e.Status == http.StatusNotFound
}

func isAccountID(s string) bool { return whole(`act-[0-9A-Za-z]{1,64}`, s) }

func checkAccountID(op, account string) error {
	if isAccountID(account) {
		return nil
	}
	return refuse(op, "This is not the ID of a Spot account.", "an ID such as act-12ab12ab", "Copy it from Spot's console.")
}

// isExternalID follows STS's grammar (botocore sts/2011-06-15).
func isExternalID(s string) bool { return len(s) <= 1224 && whole(`[\w+=,.@:/-]{2,}`, s) }

func isRoleARN(s string) bool {
	return len(s) <= 2048 && whole(`arn:aws[a-z-]*:iam::[0-9]{12}:role/[\x21-\x7e]+`, s)
}

func whole(pattern, s string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(s)
}
