package aws

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rolecall/policy"
)

// readsPerRound bounds how many changed policies one round reads: an account
// without GetAccountAuthorizationDetails is read newest first, a few at a time.
const readsPerRound = 6

// WantPolicy is a managed policy to find by what it grants. SuggestedName only
// decides which one is looked at first and reported when it differs.
type WantPolicy struct {
	Document      *policy.Document
	SuggestedName string
}

// PolicySighting is a policy that was found, compared with the wanted one.
type PolicySighting struct {
	Policy     Policy
	Want       int               // index of the WantPolicy that it was compared with
	Exact      bool              // grants exactly the wanted
	Difference policy.Difference // from the wanted one to this one
}

// PolicyWatch finds customer managed policies as they appear. Its methods are
// not safe for concurrent use: a step has one Fetch running at a time.
type PolicyWatch struct {
	watch
	wants   []WantPolicy
	arrived bool                 // the first full listing is done
	marker  *string              // where a listing goes on
	listed  map[string]bool      // ARNs of the listing under way
	seen    map[string]Policy    // by ARN, with documents
	queue   map[string]Policy    // by ARN: new or changed, document not read yet
	judged  map[string]judgement // by ARN and want
}

type judgement struct {
	version  string
	sighting PolicySighting
}

// WatchPolicy begins to look for one or more policies together. It sends
// nothing before the first Fetch.
func (a *Account) WatchPolicy(wants ...WantPolicy) *PolicyWatch {
	return &PolicyWatch{watch: watch{account: a}, wants: wants, seen: map[string]Policy{}, queue: map[string]Policy{},
		listed: map[string]bool{}, judged: map[string]judgement{}}
}

// Fetch does one round of at most five list requests and a few reads. next is
// when to ask again, also beside an error; done means that each wanted policy
// was found (see Done). Errors are of Kind Expired or NotSignedIn (renew, then
// go on with the same watch), Denied (nothing else is left to try) or Canceled.
func (w *PolicyWatch) Fetch(ctx context.Context) (next time.Duration, done bool, err error) {
	w.spent, w.note = 0, ""
	next, err = w.finish(w.round(ctx))
	return next, w.Done(), err
}

// Done tells whether every wanted policy was found: one that grants exactly
// it, or one of the suggested name that grants it and more.
func (w *PolicyWatch) Done() bool {
	found := make([]bool, len(w.wants))
	for _, s := range w.Matches() {
		if s.Exact || strings.EqualFold(s.Policy.Name, w.wants[s.Want].SuggestedName) {
			found[s.Want] = true
		}
	}
	return !slices.Contains(found, false)
}

// Note says in a sentence what is limited just now, empty when nothing is.
func (w *PolicyWatch) Note() string { return w.note }

func (w *PolicyWatch) round(ctx context.Context) error {
	if !w.arrived && w.may("iam:GetAccountAuthorizationDetails") {
		err := w.list(ctx, w.detailsPage)
		if err := w.deny("iam:GetAccountAuthorizationDetails", err); err != nil {
			return err
		}
		if w.may("iam:GetAccountAuthorizationDetails") {
			return nil
		}
	}
	if w.may("iam:ListPolicies") {
		err := w.list(ctx, w.listPage)
		if err := w.deny("iam:ListPolicies", err); err != nil {
			return err
		}
		if w.may("iam:ListPolicies") {
			return w.readQueue(ctx)
		}
	}
	w.note = limited("iam:ListPolicies", "rolecall looks only for a policy of the suggested name")
	return w.readSuggested(ctx)
}

// list runs a listing on from where it stopped; at its end what was not listed
// is forgotten, since it was deleted.
func (w *PolicyWatch) list(ctx context.Context, page func(context.Context) error) error {
	for range listCalls {
		if err := page(ctx); err != nil {
			return err
		}
		if w.marker == nil {
			w.arrived = true
			w.forgetUnlisted()
			return nil
		}
	}
	w.note = "This account has many policies. rolecall goes on looking through them."
	return nil
}

func (w *PolicyWatch) forgetUnlisted() {
	for arn := range w.seen {
		if !w.listed[arn] {
			delete(w.seen, arn)
		}
	}
	for arn := range w.queue {
		if !w.listed[arn] {
			delete(w.queue, arn)
		}
	}
	clear(w.listed)
}

func (w *PolicyWatch) detailsPage(ctx context.Context) error {
	out, err := w.account.iam().GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeLocalManagedPolicy}, MaxItems: awssdk.Int32(pageSize), Marker: w.marker}, w.watched)
	if err != nil {
		return w.account.fail(err, "iam:GetAccountAuthorizationDetails", "list the account's policies")
	}
	for _, p := range out.Policies {
		w.add(newPolicyDetail(p))
	}
	w.marker = nextMarker(out.IsTruncated, out.Marker)
	return nil
}

func newPolicyDetail(p types.ManagedPolicyDetail) Policy {
	found := newPolicy(types.Policy{Arn: p.Arn, PolicyName: p.PolicyName, PolicyId: p.PolicyId, Path: p.Path, Description: p.Description,
		DefaultVersionId: p.DefaultVersionId, AttachmentCount: p.AttachmentCount,
		PermissionsBoundaryUsageCount: p.PermissionsBoundaryUsageCount, CreateDate: p.CreateDate, UpdateDate: p.UpdateDate})
	found.Versions = len(p.PolicyVersionList)
	for _, v := range p.PolicyVersionList {
		if v.IsDefaultVersion {
			found.Text, found.Document = decodeDocument(awssdk.ToString(v.Document), policy.Identity)
		}
	}
	return found
}

func (w *PolicyWatch) listPage(ctx context.Context) error {
	out, err := w.account.iam().ListPolicies(ctx, &iam.ListPoliciesInput{
		Scope: types.PolicyScopeTypeLocal, MaxItems: awssdk.Int32(pageSize), Marker: w.marker}, w.watched)
	if err != nil {
		return w.account.fail(err, "iam:ListPolicies", "list the account's policies")
	}
	for _, p := range out.Policies {
		w.enqueue(newPolicy(p))
	}
	w.marker = nextMarker(out.IsTruncated, out.Marker)
	return nil
}

// nextMarker is where a listing goes on, nil at its end. AWS's empty markers
// and markers without truncation mean the end too.
func nextMarker(truncated bool, marker *string) *string {
	if !truncated || awssdk.ToString(marker) == "" {
		return nil
	}
	return marker
}

// enqueue notes a listed policy whose document is not known in this version.
// A policy that was deleted and made anew has another ID.
func (w *PolicyWatch) enqueue(p Policy) {
	w.listed[p.ARN] = true
	if old, ok := w.seen[p.ARN]; ok && old.VersionID == p.VersionID && old.ID == p.ID {
		return
	}
	w.queue[p.ARN] = p
}

func (w *PolicyWatch) add(p Policy) {
	w.listed[p.ARN] = true
	delete(w.queue, p.ARN)
	w.seen[p.ARN] = p
}

// readQueue reads a few of the changed policies: the suggested names first,
// then the newest.
func (w *PolicyWatch) readQueue(ctx context.Context) error {
	order := make([]Policy, 0, len(w.queue))
	for _, p := range w.queue {
		order = append(order, p)
	}
	slices.SortFunc(order, func(a, b Policy) int {
		if x, y := w.isSuggested(a.Name), w.isSuggested(b.Name); x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Or(b.Updated.Compare(a.Updated), strings.Compare(a.ARN, b.ARN))
	})
	for _, p := range order[:min(len(order), readsPerRound)] {
		read, err := w.account.withDocument(ctx, p, w.watched)
		if KindOf(err) == NotFound {
			delete(w.queue, p.ARN) // deleted meanwhile, or not visible everywhere yet
			continue
		}
		if err != nil {
			return err
		}
		delete(w.queue, p.ARN)
		w.seen[p.ARN] = read
	}
	return nil
}

func (w *PolicyWatch) isSuggested(name string) bool {
	return slices.ContainsFunc(w.wants, func(want WantPolicy) bool { return strings.EqualFold(want.SuggestedName, name) })
}

// readSuggested asks for the suggested names alone.
func (w *PolicyWatch) readSuggested(ctx context.Context) error {
	id, err := w.account.knownIdentity(ctx)
	if err != nil {
		return err
	}
	for _, want := range w.wants {
		if want.SuggestedName == "" {
			continue
		}
		arn := PolicyARN(id.Partition, id.AccountID, "", want.SuggestedName)
		p, err := w.account.policy(ctx, arn, w.watched)
		switch {
		case KindOf(err) == NotFound:
			delete(w.seen, arn)
		case err != nil:
			return err
		default:
			w.seen[p.ARN] = p
		}
	}
	return nil
}

// Matches are the policies that grant at least what is wanted, the exact ones
// first, then the suggested names, then the newest.
func (w *PolicyWatch) Matches() []PolicySighting {
	var all []PolicySighting
	for i := range w.wants {
		for _, p := range w.seen {
			if s, ok := w.sight(p, i); ok && (s.Exact || !s.Difference.Less()) {
				all = append(all, s)
			}
		}
	}
	slices.SortFunc(all, func(a, b PolicySighting) int {
		return cmp.Or(cmp.Compare(a.Want, b.Want), -compareBool(a.Exact, b.Exact),
			-compareBool(w.suggests(a), w.suggests(b)), b.Policy.Created.Compare(a.Policy.Created), strings.Compare(a.Policy.ARN, b.Policy.ARN))
	})
	return all
}

func (w *PolicyWatch) suggests(s PolicySighting) bool {
	return strings.EqualFold(s.Policy.Name, w.wants[s.Want].SuggestedName)
}

// Named is the first policy of a suggested name whose content differs from
// the wanted one, nil when there is none. Show its Difference.
func (w *PolicyWatch) Named() *PolicySighting {
	for i, want := range w.wants {
		for _, p := range w.seen {
			if !strings.EqualFold(p.Name, want.SuggestedName) {
				continue
			}
			if s, ok := w.sight(p, i); ok && !s.Exact {
				return &s
			}
		}
	}
	return nil
}

// sight compares a policy with a wanted one, once for each version of it.
func (w *PolicyWatch) sight(p Policy, want int) (PolicySighting, bool) {
	if p.Document == nil {
		return PolicySighting{}, false
	}
	key, version := p.ARN+" "+strconv.Itoa(want), p.ID+p.VersionID
	if known, ok := w.judged[key]; ok && known.version == version {
		return known.sighting, true
	}
	d := policy.Compare(w.wants[want].Document, p.Document)
	s := PolicySighting{Policy: p, Want: want, Exact: d.Equal, Difference: d}
	w.judged[key] = judgement{version: version, sighting: s}
	return s, true
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
