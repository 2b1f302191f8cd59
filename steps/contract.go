package steps

import (
	"rolecall/steps/describe"
	"rolecall/steps/describe/check"
	"rolecall/steps/record"
)

// contracts say for each method and access which steps make it whole, and in
// which order: what stands behind builds on what stands before.
func contracts() []check.Contract {
	asks := []check.Place{
		{Step: string(record.StepVendor)}, {Step: string(record.StepPartition), When: check.WithPartitions},
		{Step: string(record.StepLogin)}, {Step: string(record.StepPermissions)},
	}
	contract := func(method, access string, makes ...check.Place) check.Contract {
		places := append(append([]check.Place{}, asks...), makes...)
		if access == describe.AccessRole {
			places = append(places, check.Place{Step: string(record.StepAdmit), When: check.WithLaterTrust})
		}
		return check.Contract{Method: method, Access: access, Places: append(places, check.Place{Step: string(record.StepConnect)})}
	}
	policy := check.Place{Step: string(record.StepPolicy), When: check.WithOwnPolicy}
	provider := check.Place{Step: string(record.StepProvider), When: check.WithWebIdentity}
	role, user := check.Place{Step: string(record.StepRole)}, check.Place{Step: string(record.StepUser)}
	create, stack := check.Place{Step: string(record.StepCreate)}, check.Place{Step: string(record.StepStack)}
	key := check.Place{Step: string(record.StepCredentials)}
	return []check.Contract{
		contract(describe.Manual, describe.AccessRole, policy, provider, role),
		contract(describe.Automatic, describe.AccessRole, stack),
		contract(describe.Direct, describe.AccessRole, create),
		contract(describe.Manual, describe.AccessUser, policy, user, key),
		contract(describe.Direct, describe.AccessUser, create, key),
	}
}
