package flags

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/draw"
)

// row is one flag, with all that commands know of it.
type row struct {
	name, short string
	kind        kind
	normally    time.Duration // of a length, where it is not given
	of          Use
	group       string // heading in --help
	usage       string

	owner owner // methods or access that it belongs to; the zero value: all
	// single says that it means something to one vendor and one access alone.
	single bool
	// bound says that an approved plan says it; open, that the plan may leave it to
	// whoever connects.
	bound, open bool
	// recalled are the uses that take it from the session which connected the role,
	// where it is not given.
	recalled Use
	// unseen says that neither verify nor update looks at it.
	unseen bool

	shape func(string) error                  // the grammar of its value
	moot  func(*describe.Vendor, string) bool // whether it says nothing of this vendor in this partition
	fits  func(*Flags, *Prepared) error       // whether it goes with the vendor, and with the answers before it
	field field                               // the answer that it gives; nil: it is about the run
}

// kind is how a flag is written.
type kind int

const (
	word     kind = iota // one text
	listed               // texts with commas between them
	repeated             // one text each time
	length               // a duration
	toggle               // on, where it stands there
)

// owner is whose flag it is, where a method or an access has it for itself.
type owner struct {
	fits func(step.Offer) bool
	with string // in words
}

// add makes the flag.
func (r row) add(set *pflag.FlagSet) {
	switch r.kind {
	case word:
		set.StringP(r.name, r.short, "", r.usage)
	case listed:
		set.StringSliceP(r.name, r.short, nil, r.usage)
	case repeated:
		set.StringArrayP(r.name, r.short, nil, r.usage)
	case length:
		set.DurationP(r.name, r.short, r.normally, r.usage)
	case toggle:
		set.BoolP(r.name, r.short, false, r.usage)
	}
	_ = set.SetAnnotation(r.name, Group, []string{r.group}) // the flag exists: it was added just now
}

// Group is the annotation of a flag that holds its heading in --help.
const Group = "rolecall group"

// field is the answer that a flag gives. The purpose is that of the role or
// user that names and external ID are of.
type field interface {
	// put makes what the flag says an answer.
	put(f *Flags, name string, p *Prepared, purpose string) error
	// said is the answer as the flag would say it; empty where there is none.
	said(a *record.Answers, v *describe.Vendor, purpose string) string
	// copy takes the answer from others.
	copy(to, from *record.Answers, purpose string)
}

// text is one text among the answers. says tells what stands in its place, and
// clears is an answer that it takes the place of; both may be nil.
type text struct {
	at     func(*record.Answers) *string
	clears func(*record.Answers) *string
	says   func(*record.Answers, *describe.Vendor) string
}

func (t text) put(f *Flags, name string, p *Prepared, _ string) error {
	if t.clears != nil {
		*t.clears(&p.Answers) = ""
	}
	*t.at(&p.Answers) = f.Text(name)
	return nil
}

func (t text) said(a *record.Answers, v *describe.Vendor, _ string) string {
	if t.says != nil {
		return t.says(a, v)
	}
	return *t.at(a)
}

func (t text) copy(to, from *record.Answers, _ string) { *t.at(to) = *t.at(from) }

// vendorName is the vendor, by the name that finds it from everywhere.
type vendorName struct{ text }

func (t vendorName) put(f *Flags, name string, p *Prepared, _ string) error {
	*t.at(&p.Answers) = describe.Canonical(f.Text(name))
	return nil
}

// texts is a set of texts among the answers.
type texts struct {
	at func(*record.Answers) *[]string
}

func (t texts) put(f *Flags, name string, p *Prepared, _ string) error {
	*t.at(&p.Answers) = f.list(name)
	return nil
}

func (t texts) said(a *record.Answers, _ *describe.Vendor, _ string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(*t.at(a)))), ",")
}

func (t texts) copy(to, from *record.Answers, _ string) { *t.at(to) = slices.Clone(*t.at(from)) }

// bundles are the products and integrations, expanded.
type bundles struct{}

func (bundles) put(f *Flags, name string, p *Prepared, _ string) error {
	if len(f.list(name)) == 0 {
		p.Answers.Bundles = nil
		return nil
	}
	all, err := p.Vendor.Bundles(f.list(name))
	if err != nil {
		return cli.FlagRefused("--"+name, err)
	}
	p.Answers.Bundles = all
	return nil
}

func (bundles) said(a *record.Answers, v *describe.Vendor, _ string) string {
	chosen := a.Bundles
	if chosen == nil {
		chosen = v.DefaultBundles()
	}
	var words []string
	for _, product := range v.Products {
		all, err := v.Bundles([]string{product.ID})
		if err != nil || !slices.Contains(chosen, product.ID) {
			continue
		}
		of := slices.DeleteFunc(all, func(b string) bool { return !slices.Contains(chosen, b) })
		switch {
		case len(of) == 1+len(product.Integrations):
			words = append(words, product.ID)
		case len(of) == 1:
			words = append(words, product.ID+" alone")
		default:
			words = append(words, of[1:]...)
		}
	}
	return strings.Join(words, ",")
}

func (bundles) copy(to, from *record.Answers, _ string) { to.Bundles = slices.Clone(from.Bundles) }

// span is a duration among the answers.
type span struct {
	at func(*record.Answers) *time.Duration
}

func (s span) put(f *Flags, name string, p *Prepared, _ string) error {
	*s.at(&p.Answers) = f.length(name)
	return nil
}

func (s span) said(a *record.Answers, _ *describe.Vendor, _ string) string {
	if *s.at(a) == 0 {
		return ""
	}
	text := s.at(a).String()
	for _, zero := range [][2]string{{"m0s", "m"}, {"h0m", "h"}} {
		if rest, ok := strings.CutSuffix(text, zero[0]); ok {
			text = rest + zero[1]
		}
	}
	return text
}

func (s span) copy(to, from *record.Answers, _ string) { *s.at(to) = *s.at(from) }

// switched is an answer that is yes or no.
type switched struct {
	at func(*record.Answers) *bool
}

func (s switched) put(f *Flags, name string, p *Prepared, _ string) error {
	*s.at(&p.Answers) = f.on(name)
	return nil
}

func (s switched) said(a *record.Answers, _ *describe.Vendor, _ string) string {
	return strconv.FormatBool(*s.at(a))
}

func (s switched) copy(to, from *record.Answers, _ string) { *s.at(to) = *s.at(from) }

// tags are KEY=VALUE, each key once.
type tags struct{}

func (tags) put(f *Flags, name string, p *Prepared, _ string) error {
	p.Answers.Tags = nil
	given := f.list(name)
	if len(given) > mostTags {
		return cli.Usage(fmt.Sprintf("--tag is given %d times.", len(given)), fmt.Sprintf("at most %d tags", mostTags), "Leave some out.")
	}
	all := map[string]string{}
	for _, tag := range given {
		key, value, ok := strings.Cut(tag, "=")
		if !ok || key == "" || len(key) > longestTagKey || len(value) > longestTagValue || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return cli.Usage(fmt.Sprintf("--tag: %q is not a tag.", draw.Clean(tag)),
				"KEY=VALUE, such as team=platform; the key not beginning with aws:", "Correct --tag.")
		}
		for other := range all {
			if strings.EqualFold(other, key) { // IAM takes them for one
				return cli.Usage(fmt.Sprintf("--tag: the key %q stands there twice.", draw.Clean(key)), "each key once", "Leave one out.")
			}
		}
		all[key] = value
	}
	if len(all) > 0 {
		p.Answers.Tags = all
	}
	return nil
}

func (tags) said(a *record.Answers, _ *describe.Vendor, _ string) string {
	var all []string
	for _, tag := range a.TagList() {
		all = append(all, tag.Key+"="+tag.Value)
	}
	return strings.Join(all, ", ")
}

func (tags) copy(to, from *record.Answers, _ string) { to.Tags = maps.Clone(from.Tags) }

// ofPart is a text of one role or user; given remembers that only that name
// counts, and not what a flag makes untrue; both may be nil.
type ofPart struct {
	at         func(*record.Part) *string
	given, not func(*record.Part) *bool
}

func (o ofPart) put(f *Flags, name string, p *Prepared, purpose string) error {
	o.set(&p.Answers, f.Text(name), purpose)
	return nil
}

func (o ofPart) set(a *record.Answers, value, purpose string) {
	if purpose == "" {
		return // nothing that is selected needs a role
	}
	a.SetPart(purpose, func(part *record.Part) {
		*o.at(part) = value
		if o.given != nil {
			*o.given(part) = value != ""
		}
		if o.not != nil {
			*o.not(part) = false
		}
	})
}

func (o ofPart) said(a *record.Answers, _ *describe.Vendor, purpose string) string {
	part := a.Part(purpose)
	return *o.at(&part)
}

func (o ofPart) copy(to, from *record.Answers, purpose string) {
	part := from.Part(purpose)
	o.set(to, *o.at(&part), purpose)
}

// parameter is the value of a policy's placeholder, by its name.
type parameter string

func (n parameter) put(f *Flags, name string, p *Prepared, _ string) error {
	n.set(&p.Answers, f.Text(name))
	return nil
}

func (n parameter) set(a *record.Answers, value string) {
	a.Parameters = maps.Clone(a.Parameters)
	if a.Parameters == nil {
		a.Parameters = map[string]string{}
	}
	a.Parameters[string(n)] = value
}

func (n parameter) said(a *record.Answers, _ *describe.Vendor, _ string) string {
	return a.Parameters[string(n)]
}

func (n parameter) copy(to, from *record.Answers, _ string) {
	if value, ok := from.Parameters[string(n)]; ok {
		n.set(to, value)
	}
}

// none is said of an answer that is not there.
func none(said string) string { return cmp.Or(said, "none") }
