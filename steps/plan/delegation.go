package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"rolecall/steps/screen"
)

// What the documents of a delegation request are for.
const (
	DelegatedAccess  = "delegation" // what the requestor may do while its access lasts
	DelegatedRoles   = "boundary"   // what the roles that it may create can do at most
	MethodDelegation = "delegation" // of a plan that is of a request
)

// Delegation is a request for temporary access as it was reviewed, beside its
// documents.
type Delegation struct {
	ID              string      `json:"id"`
	Requestor       string      `json:"requestor"` // account number
	RequestorName   string      `json:"requestor_name,omitempty"`
	Description     string      `json:"description,omitempty"`
	DurationSeconds int         `json:"duration_s"`
	OnlySendByOwner bool        `json:"only_send_by_owner,omitempty"`
	Template        string      `json:"template,omitempty"` // ARN
	Parameters      []Parameter `json:"parameters,omitempty"`
	Boundaries      []string    `json:"boundaries,omitempty"` // ARNs
}

// Parameter is a value that the template of a delegation request was filled in
// with.
type Parameter struct {
	Name   string   `json:"name"`
	Type   string   `json:"type,omitempty"`
	Values []string `json:"values"`
}

// spell writes a request for people to compare; empty for none.
func (d *Delegation) spell() string {
	if d == nil {
		return ""
	}
	text, err := json.Marshal(d)
	if err != nil {
		return d.ID // a request is plain values
	}
	return string(text)
}

// incoherentDelegation says what of a request's plan does not go together; empty
// when all does.
func (p *Plan) incoherentDelegation() string {
	if len(p.Roles) > 0 || p.Method != MethodDelegation || p.Delegation.ID == "" {
		return "it is of a delegation request, and makes roles or names none"
	}
	seen := map[string]bool{}
	for i, d := range p.Documents {
		known := i == 0 && d.Purpose == DelegatedAccess && d.Name == p.Delegation.ID ||
			i > 0 && d.Purpose == DelegatedRoles && slices.Contains(p.Delegation.Boundaries, d.Name)
		if d.Kind != Permissions || !known || seen[d.Name] {
			return fmt.Sprintf("the document %q is none of its delegation request, or stands twice", screen.CleanLine(d.Name))
		}
		seen[d.Name] = true
	}
	return ""
}

// Digest is the digest of all that a plan binds: its documents, and its names
// and settings.
func (p *Plan) Digest() string {
	var b strings.Builder
	b.WriteString(p.settings() + "\n")
	for _, d := range p.Documents {
		fmt.Fprintf(&b, "%q %q %q %s\n", d.Purpose, d.Kind, d.Name, d.Digest)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return "sha256:" + hex.EncodeToString(sum[:])
}
