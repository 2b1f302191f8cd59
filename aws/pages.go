package aws

import awssdk "github.com/aws/aws-sdk-go-v2/aws"

// mostPages is more than any list of an account has: AWS lets an account have
// some thousand roles or policies, and a page holds at least twenty of them.
// Source: the quotas of IAM and of Organizations.
const mostPages = 1000

// EveryPage asks for one page of a list after the other. ask gets the place
// where the page begins, nil for the first one, and returns where the next one
// does, nil after the last. A server that leads in a circle, or on and on, is
// refused, of kind Unavailable: waiting for its end would last for ever. list
// names the list in that refusal.
func EveryPage(list string, ask func(at *string) (next *string, err error)) error {
	var at *string
	for range mostPages {
		next, err := ask(at)
		if err != nil || awssdk.ToString(next) == "" {
			return err
		}
		if at != nil && *at == *next {
			break
		}
		at = next
	}
	return refuse(Unavailable, "The list has no end: "+list+". Each page names another one.", "a list that ends, as AWS's do",
		"Check that the address which answers is AWS's (AWS_ENDPOINT_URL, a proxy), then try again.")
}
