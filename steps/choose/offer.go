package choose

import (
	"strings"

	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// mostOffers is how many vendors and methods one list shows: more do not fit a
// screen of 24 lines.
const mostOffers = 12

// offerBlocks ask for vendor and method: in one list, or for the vendor first
// where there are many.
func (c *Vendor) offerBlocks(s *step.Session) []screen.Block {
	if c.of == "" && len(s.Offers) > mostOffers {
		return []screen.Block{screen.Text{Body: "What do you want to connect?"}, c.vendors(s)}
	}
	asks := "What do you want to connect, and who does the AWS part?"
	if c.of != "" {
		asks = "Who does the AWS part?"
	}
	return []screen.Block{screen.Text{Body: asks}, c.offers(s)}
}

// vendors lists each vendor once, with how many ways there are to connect it.
func (c *Vendor) vendors(s *step.Session) screen.Block {
	choices := screen.Choices{ID: "vendor", Flag: "--vendor"}
	ways := map[string]int{}
	for _, o := range s.Offers {
		ways[o.Vendor]++
	}
	for _, o := range s.Offers {
		if ways[o.Vendor] == 0 {
			continue // it stands there
		}
		title, _, _ := strings.Cut(o.Label, " · ")
		choices.Options = append(choices.Options, screen.Option{ID: o.Vendor, Label: title, Detail: screen.Counted(ways[o.Vendor], "way")})
		if choices.Picked == "" || o.Vendor == s.Answers.Vendor {
			choices.Picked = o.Vendor
		}
		ways[o.Vendor] = 0
	}
	return choices
}

func (c *Vendor) offers(s *step.Session) screen.Block {
	picked := ""
	choices := screen.Choices{ID: "offer", Flag: c.offerFlag(s)}
	for _, o := range s.Offers {
		if c.of != "" && o.Vendor != c.of {
			continue
		}
		choices.Options = append(choices.Options, screen.Option{ID: o.ID(), Label: o.Label, Detail: o.Detail})
		if picked == "" || o.Vendor == s.Answers.Vendor && o.Method == s.Method && o.Access == s.Access {
			picked = o.ID()
		}
	}
	choices.Picked = picked
	return choices
}

// offerFlag names the flag that decides where nothing but the access differs.
func (c *Vendor) offerFlag(s *step.Session) string {
	if len(s.Offers) < 2 {
		return ""
	}
	if s.Answers.Vendor == "" {
		return "--vendor"
	}
	for _, o := range s.Offers[1:] {
		if o.Access != s.Offers[0].Access {
			return "--access"
		}
	}
	return ""
}
