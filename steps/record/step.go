package record

// The steps that others go to. A step that nothing goes to by name needs no line
// here.
const (
	StepVendor      StepID = "vendor"
	StepPartition   StepID = "partition"
	StepLogin       StepID = "login"
	StepPermissions StepID = "permissions"
	StepPolicy      StepID = "policy"
	StepProvider    StepID = "provider"
	StepRole        StepID = "role"
	StepCreate      StepID = "create"
	StepStack       StepID = "stack"
	StepUser        StepID = "user"
	StepCredentials StepID = "credentials"
	StepAdmit       StepID = "admit"
	StepConnect     StepID = "connect"
)
