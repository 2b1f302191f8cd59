package connect

import (
	"slices"

	"rolecall/steps/record"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/flags"
)

// narrowTo leaves the offers that --method and --access name, of a session that
// has not chosen yet. One that is left is chosen.
func narrowTo(s *step.Session, method, access string) error {
	if method == "" && access == "" {
		return nil
	}
	if _, chosen := s.Rests[record.StepVendor]; chosen && (method != "" && method != s.Method || access != "" && access != s.AccessOrRole()) {
		return cli.Usage("Session "+s.ID+" is of --method "+s.Method+" --access "+s.AccessOrRole()+".", "what was chosen in the session",
			"Leave out --method and --access, or begin a new session: rolecall connect.")
	}
	left := slices.DeleteFunc(slices.Clone(s.Offers), func(o step.Offer) bool {
		return method != "" && o.Method != method || access != "" && o.Access != access
	})
	if len(left) == 0 {
		return cli.Usage("There is no such way to connect.", "one of: "+flags.OfferList(s.Offers), "Correct --method or --access.")
	}
	s.Offers = left
	if len(left) > 1 {
		return nil
	}
	v, err := s.LoadVendor(left[0].Vendor)
	if err != nil {
		return err
	}
	s.Vendor, s.Answers.Vendor, s.Method, s.Access = v, left[0].Vendor, left[0].Method, left[0].Access
	s.Prepare()
	return nil
}
