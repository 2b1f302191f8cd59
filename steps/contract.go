package steps

import (
	"rolecall/steps/describe"
	"rolecall/steps/record"
)

// contracts say for each method and access which steps make it whole, and in
// which order: what stands behind builds on what stands before.
func contracts() []describe.Contract {
	asks := []describe.Place{
		{Step: string(record.StepVendor)}, {Step: string(record.StepPartition), When: describe.WithPartitions},
		{Step: string(record.StepLogin)}, {Step: string(record.StepPermissions)},
	}
	contract := func(method, access string, makes ...describe.Place) describe.Contract {
		places := append(append([]describe.Place{}, asks...), makes...)
		return describe.Contract{Method: method, Access: access, Places: append(places, describe.Place{Step: string(record.StepConnect)})}
	}
	policy := describe.Place{Step: string(record.StepPolicy), When: describe.WithOwnPolicy}
	role, user := describe.Place{Step: string(record.StepRole)}, describe.Place{Step: string(record.StepUser)}
	create, stack := describe.Place{Step: string(record.StepCreate)}, describe.Place{Step: string(record.StepStack)}
	key := describe.Place{Step: string(record.StepCredentials)}
	return []describe.Contract{
		contract(describe.Manual, describe.AccessRole, policy, role),
		contract(describe.Automatic, describe.AccessRole, stack),
		contract(describe.Direct, describe.AccessRole, create),
		contract(describe.Manual, describe.AccessUser, policy, user, key),
		contract(describe.Direct, describe.AccessUser, create, key),
	}
}
