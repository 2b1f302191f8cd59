package record

// The steps that descriptions can name. A new step is its file and a line here.
const (
	StepVendor      StepID = "vendor"
	StepPartition   StepID = "partition"
	StepLogin       StepID = "login"
	StepPermissions StepID = "permissions"
	StepPolicy      StepID = "policy"
	StepRole        StepID = "role"
	StepCreate      StepID = "create"
	StepStack       StepID = "stack"
	StepUser        StepID = "user"
	StepCredentials StepID = "credentials"
	StepConnect     StepID = "connect"
)
