package steps

import (
	"strings"

	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// about says in two sentences what a step is for and why it is there, for its
// help. {vendor} stands for the vendor's title.
func about(id record.StepID) string {
	name, _, _ := strings.Cut(string(id), ":")
	switch record.StepID(name) {
	case record.StepVendor:
		return "Say what to connect, and who does the AWS part: you in the AWS console, CloudFormation, or rolecall. " +
			"The steps that follow depend on it, and you can come back and choose again."
	case record.StepPartition:
		return "Say in which part of AWS the account is: AWS itself, GovCloud or China. " +
			"These are separate worlds with consoles and ARNs of their own, so everything that follows is written for one of them."
	case record.StepLogin:
		return "Here you see which AWS account your credentials on this machine lead to. " +
			"It has to be the one that {vendor} is to work in, since all that follows happens there."
	case record.StepPermissions:
		return "Choose what {vendor} may do in this account. " +
			"The choice becomes the IAM policy of the next steps, whose length AWS limits, and its risks are named here before you grant them."
	case record.StepPolicy:
		return "An IAM policy lists the actions that {vendor} may take. " +
			"You create it in the AWS console from the document here; rolecall looks until there is one that grants the same, whatever its name."
	case record.StepProvider:
		return "An OIDC provider makes AWS take the tokens of an issuer; an account has one for each issuer, which all its roles share. " +
			"You create it in the AWS console if it is missing, and rolecall looks until it is there."
	case record.StepRole:
		return "{vendor} assumes a role to work in the account; its trust policy says who may do so, and with which external ID. " +
			"You create it in the AWS console; rolecall looks until it is there and proves that it is right."
	case record.StepCreate:
		return "Here rolecall creates what is listed here, call by call, and proves that it is right. " +
			"Nothing is made before you agree, and what was made can be taken away again by rolecall disconnect."
	case record.StepStack:
		return "CloudFormation creates everything from one template, as one stack. " +
			"So it stays together, and deleting the stack takes it away again."
	case record.StepUser:
		return "{vendor} signs in as an IAM user, which may do what its policy lists. " +
			"You create it in the AWS console; rolecall looks until it is there and proves that it is right."
	case record.StepCredentials:
		return "An access key lets {vendor} sign in as the user. " +
			"AWS shows its secret once, so it is handed over right away and rolecall never writes it down unasked."
	case record.StepAdmit:
		return "The role exists, and nobody of {vendor} gets in yet. " +
			"{vendor} gets its ARN and shows whom to trust; then the trust policy is completed."
	case record.StepConnect:
		return "{vendor} learns which role or key it got, and tries it. " +
			"Only then is the account connected; until then nothing runs in it."
	}
	return ""
}

// aboutStep is about the step at hand, in the words of the session's vendor.
func aboutStep(s *step.Session, id record.StepID) string {
	title := "the vendor"
	if s.Vendor != nil {
		title = s.Vendor.Title
	}
	text := strings.ReplaceAll(about(id), "{vendor}", title)
	return screen.UpperFirst(text)
}
