package rehearsal

import "net/http"

// organizationsActions is the table of Organizations.
func organizationsActions() map[string]action {
	return map[string]action{"DescribeOrganization": describeOrganization}
}

func describeOrganization(s *Server, _ request) (any, *apiError) {
	management := s.options.Organization
	if management == "" {
		return nil, &apiError{http.StatusBadRequest, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."}
	}
	const id = "o-exampleorgid"
	arn := "arn:" + s.options.Partition + ":organizations::" + management + ":"
	return map[string]any{"Organization": map[string]any{
		"Id": id, "Arn": arn + "organization/" + id, "FeatureSet": "ALL", "MasterAccountId": management,
		"MasterAccountArn": arn + "account/" + id + "/" + management, "MasterAccountEmail": "management@example.com",
	}}, nil
}
