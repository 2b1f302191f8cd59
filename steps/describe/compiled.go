package describe

import (
	"encoding/json"
	"fmt"

	"rolecall/policy"
)

//go:generate go test ../ -run TestCompiledDescriptions -update

// Compile writes a description that was read and checked in the form that
// costs little to load: JSON by the names of the fields. Only the program's own
// descriptions are loaded from it; reading their YAML would take longer than
// all the rest of a start.
func Compile(v *Vendor) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("compile the description of %s: %w", v.Name, err)
	}
	return append(text, '\n'), nil
}

// Decompile reads what Compile wrote. Nothing is checked again: a test holds
// every compiled description to its YAML.
func Decompile(text []byte) (*Vendor, error) {
	v := &Vendor{}
	if err := json.Unmarshal(text, v); err != nil {
		return nil, fmt.Errorf("load a compiled description: %w. Make it anew: go generate ./steps/describe", err)
	}
	for i := range v.Roles {
		role := &v.Roles[i]
		role.Document = &policy.Document{}
		if role.Policy == "" {
			continue
		}
		doc, err := policy.Parse([]byte(role.Policy), policy.Identity)
		if err != nil {
			return nil, fmt.Errorf("load the policy of %s: %w", v.Name, err)
		}
		role.Document = doc
	}
	return v, nil
}
