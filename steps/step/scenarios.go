package step

import "rolecall/steps/screen"

// Scenarios are the mistakes that a rehearsal can make, and those that it makes
// now.
type Scenarios interface {
	// List are those there are.
	List() []screen.Option
	// Now is the title of the one that is made, or of all; empty: none.
	Now() string
	// Begin makes one, or several that go together, in the place of those before,
	// and says in a sentence for each what is wrong.
	Begin(names ...string) (said string, err error)
	// Mend puts it right, and says so in a sentence; empty where none was made.
	Mend() (said string)
}
