package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// Digest returns "sha256:" and the SHA-256 of the canonical form in hex: keys
// sorted, single values as one-element lists, Sids dropped, actions
// case-folded, lists and statements sorted, no white space and no HTML
// escapes. Two spellings of one document have one digest.
func (d *Document) Digest() string {
	sum := sha256.Sum256(d.Canonical())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Canonical returns the text that Digest hashes.
func (d *Document) Canonical() []byte {
	statements := make([]json.RawMessage, 0, len(d.Statements))
	for i := range d.Statements {
		statements = append(statements, canonicalJSON(d.Statements[i].canonical()))
	}
	slices.SortFunc(statements, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	form := map[string]any{"Statement": statements}
	if d.Version != "" {
		form["Version"] = d.Version
	}
	if d.ID != "" {
		form["Id"] = d.ID
	}
	return canonicalJSON(form)
}

func (s *Statement) canonical() map[string]any {
	form := map[string]any{"Effect": string(s.Effect)}
	for name, values := range map[string][]string{"Action": s.Action, "NotAction": s.NotAction} {
		if len(values) > 0 {
			form[name] = sorted(lowered(values))
		}
	}
	for name, values := range map[string][]string{"Resource": s.Resource, "NotResource": s.NotResource} {
		if len(values) > 0 {
			form[name] = sorted(values)
		}
	}
	for name, p := range map[string]Principals{"Principal": s.Principal, "NotPrincipal": s.NotPrincipal} {
		if p != nil {
			form[name] = p.canonical()
		}
	}
	if len(s.Condition) > 0 {
		operators := map[string]map[string][]string{}
		for _, c := range s.Condition {
			if operators[c.Operator] == nil {
				operators[c.Operator] = map[string][]string{}
			}
			operators[c.Operator][c.Key] = sorted(c.Values)
		}
		form["Condition"] = operators
	}
	return form
}

func (p Principals) canonical() any {
	if len(p["*"]) > 0 {
		return []string{"*"}
	}
	form := make(map[string][]string, len(p))
	for kind, values := range p {
		form[kind] = sorted(values)
	}
	return form
}

// canonicalJSON cannot fail: the forms hold strings, lists and maps only.
func canonicalJSON(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func sorted(values []string) []string {
	out := slices.Clone(values)
	slices.Sort(out)
	if out == nil {
		out = []string{}
	}
	return out
}

func lowered(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.ToLower(v)
	}
	return out
}
