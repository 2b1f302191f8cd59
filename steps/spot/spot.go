// Package spot is the client of Spot's API: its accounts, their external IDs
// and the role handed over.
package spot

// Account is an account at Spot.
type Account struct {
	ID             string // act-…
	Name           string
	OrganizationID string
}
