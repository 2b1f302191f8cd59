package steps

import (
	"rolecall/steps/describe/check"
	"rolecall/steps/spot"
	"rolecall/steps/vendorapi"
)

// APIs are the vendors' APIs that the program has clients of. Another one is a
// package beside spot and a line here.
func APIs() vendorapi.Registry {
	return vendorapi.Registry{
		spot.API(),
	}
}

// Library reads the descriptions of vendors: they name steps and APIs of this
// program.
func Library() check.Library { return LibraryWith(APIs()) }

// LibraryWith reads descriptions that may name other APIs than the program's.
func LibraryWith(apis vendorapi.Registry) check.Library {
	l := check.Library{APIs: apis.Names(), Contracts: contracts()}
	for _, kind := range kinds() {
		l.Steps = append(
			l.Steps,
			check.StepKind{
				ID:        string(kind.id),
				PerRole:   kind.perRole,
				Marks:     kind.marks,
				UserMarks: kind.user,
				Opens:     kind.opens,
				Fills:     kind.fills,
			},
		)
	}
	return l
}
