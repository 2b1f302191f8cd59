package step

import "rolecall/steps/screen"

// Scenarios are the mistakes that a rehearsal can make, and the one that it
// makes now.
type Scenarios interface {
	// List are those there are.
	List() []screen.Option
	// Now is the title of the one that is made; empty: none.
	Now() string
	// Begin makes one, and says in a sentence what is wrong.
	Begin(name string) (said string, err error)
	// Mend puts it right, and says so in a sentence; empty where none was made.
	Mend() (said string)
}
