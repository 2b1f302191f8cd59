package review

import (
	"slices"
	"strings"
	"testing"

	"rolecall/policy"
)

// Reading an ARN's service is enough to leave most actions out, but for the
// services whose resources carry other names.
func TestBorrowersAreTheCatalogues(t *testing.T) {
	var want []string
	for service := range data().byService {
		s, ok := policy.AWS().Service(service)
		if !ok {
			t.Fatalf("the tables name the service %s, which the catalogue does not have", service)
		}
		if slices.ContainsFunc(s.ResourceTypes(), func(r policy.ResourceType) bool {
			parts := strings.SplitN(r.ARN, ":", 6)
			return len(parts) > 2 && parts[2] != service
		}) {
			want = append(want, service)
		}
	}
	slices.Sort(want)
	if got := strings.Fields(borrowers); !slices.Equal(got, want) {
		t.Errorf("borrowers are\n%s", strings.Join(want, " "))
	}
}

func TestReach(t *testing.T) {
	m := newModel(policy.NewDocument(), &Options{})
	for _, c := range []struct {
		action, resource string
		want             reach
	}{
		{"iam:putrolepolicy", "*", reach{applies: true}},
		{"iam:putrolepolicy", "arn:aws:iam::*:role/*", reach{applies: true}},
		{"iam:putrolepolicy", "arn:aws:iam::111122223333:role/*", reach{applies: true}},
		{"iam:putrolepolicy", "arn:aws:iam::*:*", reach{applies: true}},
		{"iam:putrolepolicy", "arn:aws:iam::*:role/app-*", reach{applies: true, drop: 1}},
		{"iam:putrolepolicy", "arn:aws:iam::111122223333:role/app", reach{applies: true, drop: 2}},
		{"iam:putrolepolicy", "arn:aws:iam::*:user/*", reach{}},
		{"iam:putrolepolicy", "arn:aws:s3:::*", reach{}},
		{"iam:createaccesskey", "arn:aws:iam::*:user/${aws:username}", reach{applies: true, self: true}},
		{"iam:createpolicyversion", "arn:aws:iam::aws:policy/*", reach{}},
		{"s3:getobject", "arn:aws:s3:::*", reach{applies: true}},
		{"s3:getobject", "arn:aws:s3:::*/*", reach{applies: true}},
		{"s3:getobject", "arn:aws:s3:::bucket/*", reach{applies: true, drop: 2}},
		{"s3:getobject", "arn:aws:s3:::bucket*", reach{applies: true, drop: 1}},
		{"s3:getobject", "arn:aws:s3:::bucket", reach{}},
		{"s3:listbucket", "arn:aws:s3:::bucket/*", reach{}},
		{"ec2:terminateinstances", "arn:aws:ec2:*:*:instance/*", reach{applies: true}},
		{"ec2:terminateinstances", "arn:aws:ec2:eu-west-1:111122223333:instance/*", reach{applies: true, drop: 1}},
		{"ec2:terminateinstances", "arn:aws:ec2:*:*:volume/*", reach{}},
		{"ec2:describeinstances", "arn:aws:ec2:*:*:instance/*", reach{}},
		{"dynamodb:scan", "arn:aws:dynamodb:*:111122223333:table/books", reach{applies: true, drop: 2}},
	} {
		if got := m.reach(c.action, c.resource); got != c.want {
			t.Errorf("%s on %s: %+v, want %+v", c.action, c.resource, got, c.want)
		}
	}
}

func TestOverlaps(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"a*", "*b", true}, {"a*", "b*", false}, {"stack/?*/?*", "*dne*", true}, {"?*/?*", "bucket", false},
		{"role/?*", "role/*", true}, {"?*", "", false}, {"*", "", true}, {"a?c", "a*d", false}, {"x*y*z", "xyz", true},
	} {
		if got := policy.Overlaps(c.a, c.b); got != c.want {
			t.Errorf("overlaps(%q, %q) = %v", c.a, c.b, got)
		}
		if got := policy.Overlaps(c.b, c.a); got != c.want {
			t.Errorf("overlaps(%q, %q) = %v", c.b, c.a, got)
		}
	}
}
