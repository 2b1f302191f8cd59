package rehearsal

import (
	"fmt"
	"net/url"
	"strings"
)

// Do does an action without HTTP, as somebody else in the account would: no
// signature, no fault, no entry in Calls; limits, checks and propagation are
// the same. The action is named as policies name it ("iam:CreateRole").
func (s *Server) Do(name string, params map[string]string) error {
	service, short, _ := strings.Cut(name, ":")
	run, ok := actions(service)[short]
	if !ok {
		return fmt.Errorf("rehearse %s: no such action", name)
	}
	form := url.Values{}
	for k, v := range params {
		form.Set(k, v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.goWrong()
	if _, err := run(s, request{service: service, action: short, form: form}); err != nil {
		return err
	}
	return nil
}
