package policy

import (
	"compress/flate"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"rolecall/assets"
)

// AccessLevel is how AWS classes an action. An action that AWS puts in two
// levels counts in the higher one.
type AccessLevel int

// The levels, lowest first.
const (
	List AccessLevel = iota
	Read
	Write
	Tagging
	PermissionsManagement
)

// String returns the level as AWS writes it, such as "Permissions management".
func (l AccessLevel) String() string {
	return [...]string{"List", "Read", "Write", "Tagging", "Permissions management"}[l]
}

// AccessLevels lists the levels in the order in which rolecall prints them.
func AccessLevels() []AccessLevel {
	return []AccessLevel{List, Read, Write, PermissionsManagement, Tagging}
}

// Catalogue is every action of AWS that the embedded data knows. A service is
// decoded when it is first asked for. It is safe for concurrent use.
type Catalogue struct {
	version, date string
	services      []*Service // sorted by prefix
}

// Service is one service of the catalogue.
type Service struct {
	Prefix string // "ec2"
	Name   string // "Amazon EC2"
	Count  int    // of its actions

	blocks    [3]string  // deflated: names, details, descriptions
	inflaters *sync.Pool // shared: one weighs 40 KB

	namesOnce        sync.Once
	actions          []Action
	folded           []string // names in lower case, sorted
	detailsOnce      sync.Once
	keys             []ConditionKey
	types            []ResourceType
	details          []actionDetails
	descriptionsOnce sync.Once
	descriptions     []string
}

// Action is one action of the catalogue.
type Action struct {
	Name  string // "ec2:RunInstances", spelled as AWS does
	Level AccessLevel

	service *Service
	index   int
}

// ConditionKey is a key that conditions can test.
type ConditionKey struct {
	Name string // "ec2:ResourceTag/${TagKey}"
	Type string // String, ArrayOfString, ARN, Bool, Numeric, Date, IPAddress, …
}

// ResourceType is one kind of resource of a service.
type ResourceType struct {
	Name string   // "instance"
	ARN  string   // "arn:${Partition}:ec2:${Region}:${Account}:instance/${InstanceId}"
	Keys []string // condition keys that tell its resources apart
}

// ActionResource is a kind of resource that an action can be limited to.
type ActionResource struct {
	Type     ResourceType
	Required bool     // the action always needs one of them
	Keys     []string // condition keys that apply when the action meets this type
}

type actionDetails struct {
	keys      []string
	resources []ActionResource
}

// catalogue is read once: it is the same for everybody and costs a scan of its
// index, about 25 KB of text.
var catalogue = sync.OnceValue(func() *Catalogue {
	c, err := readCatalogue(assets.Catalogue())
	if err != nil {
		// The data is part of the program and covered by its tests.
		panic("embedded catalogue: " + err.Error()) //nolint:forbidigo // a broken program has no next step
	}
	return c
})

// AWS returns the embedded catalogue.
func AWS() *Catalogue { return catalogue() }

// Release is the version of the embedded catalogue, such as "0.21.202609261", and
// its day, such as "2026-09-26". It reads no further than that.
func Release() (version, date string) {
	head, _, _ := strings.Cut(assets.Catalogue(), "\n")
	version, date, _ = strings.Cut(head, "\t")
	return version, date
}

func readCatalogue(data string) (*Catalogue, error) {
	head, data, _ := strings.Cut(data, "\n")
	count, data, _ := strings.Cut(data, "\n")
	c := &Catalogue{}
	c.version, c.date, _ = strings.Cut(head, "\t")
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, fmt.Errorf("read the number of services: %w", err)
	}
	sizes := make([][3]int, n)
	inflaters := &sync.Pool{New: func() any { return flate.NewReader(strings.NewReader("")) }}
	services := make([]Service, n)
	for i := range services {
		line, rest, _ := strings.Cut(data, "\n")
		data = rest
		fields := strings.Split(line, "\t")
		if len(fields) != 6 {
			return nil, fmt.Errorf("read service %d: %d fields", i, len(fields))
		}
		s := &services[i]
		s.Prefix, s.Name, s.inflaters = fields[0], fields[1], inflaters
		numbers := [4]*int{&s.Count, &sizes[i][0], &sizes[i][1], &sizes[i][2]}
		for j, number := range numbers {
			if *number, err = strconv.Atoi(fields[2+j]); err != nil {
				return nil, fmt.Errorf("read service %s: %w", s.Prefix, err)
			}
		}
		c.services = append(c.services, s)
	}
	for i, s := range c.services {
		for j, size := range sizes[i] {
			if size > len(data) {
				return nil, fmt.Errorf("read service %s: the data ends early", s.Prefix)
			}
			s.blocks[j], data = data[:size], data[size:]
		}
	}
	return c, nil
}

// Version is that of the npm package, such as "0.21.202609261".
func (c *Catalogue) Version() string { return c.version }

// Date is the day of the data, such as "2026-09-26". AWS adds actions every
// week; one that is newer is unknown here without being wrong.
func (c *Catalogue) Date() string { return c.date }

// Services lists all services by prefix.
func (c *Catalogue) Services() []*Service { return c.services }

// Service finds a service by its prefix, in any case.
func (c *Catalogue) Service(prefix string) (*Service, bool) {
	i, ok := slices.BinarySearchFunc(c.services, strings.ToLower(prefix), func(s *Service, p string) int {
		return strings.Compare(s.Prefix, p)
	})
	if !ok {
		return nil, false
	}
	return c.services[i], true
}

// Action finds an action by name, such as "ec2:RunInstances", in any case.
func (c *Catalogue) Action(name string) (Action, bool) {
	prefix, _, _ := strings.Cut(name, ":")
	s, ok := c.Service(prefix)
	if !ok {
		return Action{}, false
	}
	s.load()
	i, ok := slices.BinarySearch(s.folded, strings.ToLower(name))
	if !ok {
		return Action{}, false
	}
	return s.actions[i], true
}

// Expand lists the actions that a pattern such as "ec2:Describe*" matches, by
// name. It is empty for a pattern that matches nothing known.
func (c *Catalogue) Expand(pattern string) []Action {
	pattern = foldAction(pattern)
	if pattern == "*" {
		pattern = "*:*"
	}
	prefix, rest, ok := strings.Cut(pattern, ":")
	if !ok {
		return nil
	}
	if !strings.ContainsAny(prefix, "*?") {
		s, ok := c.Service(prefix)
		if !ok {
			return nil
		}
		return s.expand(pattern, rest)
	}
	var out []Action
	if pattern == "*:*" {
		out = make([]Action, 0, 24_000)
	}
	for _, s := range c.services {
		if Matches(prefix, s.Prefix) {
			out = append(out, s.expand(s.Prefix+":"+rest, rest)...)
		}
	}
	return out
}

// expand takes the whole pattern, folded, and its part after the colon.
func (s *Service) expand(pattern, rest string) []Action {
	s.load()
	if rest == "*" {
		return slices.Clip(s.actions)
	}
	if !strings.ContainsAny(rest, "*?") {
		if i, ok := slices.BinarySearch(s.folded, pattern); ok {
			return s.actions[i : i+1 : i+1]
		}
		return nil
	}
	// Names are sorted, so those that share the literal start stand together.
	literal := pattern[:strings.IndexAny(pattern, "*?")]
	first, _ := slices.BinarySearch(s.folded, literal)
	var out []Action
	for i := first; i < len(s.folded) && strings.HasPrefix(s.folded[i], literal); i++ {
		if Matches(pattern, s.folded[i]) {
			out = append(out, s.actions[i])
		}
	}
	return out
}

// Actions lists all actions of the service by name.
func (s *Service) Actions() []Action {
	s.load()
	return slices.Clip(s.actions)
}

// ConditionKeys lists the condition keys of the service, without global ones.
func (s *Service) ConditionKeys() []ConditionKey {
	s.loadDetails()
	return slices.Clip(s.keys)
}

// ResourceTypes lists the kinds of resource of the service.
func (s *Service) ResourceTypes() []ResourceType {
	s.loadDetails()
	return slices.Clip(s.types)
}

// Service returns the service that the action belongs to.
func (a Action) Service() *Service { return a.service }

// Description says in a line what the action is for, after the words "may":
// "launch one or more instances".
func (a Action) Description() string {
	a.service.descriptionsOnce.Do(func() {
		a.service.descriptions = strings.Split(a.service.inflate(2), "\n")
	})
	if a.index >= len(a.service.descriptions) {
		return ""
	}
	return a.service.descriptions[a.index]
}

// Resources lists the kinds of resource that the action can be limited to.
// Without any, it can only be granted on "*".
func (a Action) Resources() []ActionResource {
	a.service.loadDetails()
	return a.service.details[a.index].resources
}

// ConditionKeys lists the service's keys that a condition on this action can
// test, whatever the resource. Those that depend on it are in Resources.
func (a Action) ConditionKeys() []string {
	a.service.loadDetails()
	return a.service.details[a.index].keys
}

// AllConditionKeys lists the keys of the action and of its resources.
func (a Action) AllConditionKeys() []string {
	keys := slices.Clone(a.ConditionKeys())
	for _, r := range a.Resources() {
		keys = append(keys, r.Keys...)
		keys = append(keys, r.Type.Keys...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (s *Service) inflate(block int) string {
	r := s.inflaters.Get().(io.Reader)
	defer s.inflaters.Put(r)
	source := strings.NewReader(s.blocks[block])
	var b strings.Builder
	err := r.(flate.Resetter).Reset(source, nil)
	if err == nil {
		_, err = io.Copy(&b, r)
	}
	if err != nil {
		// As with the index, a broken block cannot leave the tests.
		panic("embedded catalogue: " + s.Prefix + ": " + err.Error()) //nolint:forbidigo // a broken program has no next step
	}
	return b.String()
}

func (s *Service) load() {
	s.namesOnce.Do(func() {
		text := s.inflate(0)
		folded := strings.ToLower(text)
		s.actions = make([]Action, 0, s.Count)
		s.folded = make([]string, 0, s.Count)
		for at := 0; at < len(text); {
			end := at + strings.IndexByte(text[at:], '\n')
			a := Action{Name: text[at+1 : end], Level: levelOf(text[at]), service: s, index: len(s.actions)}
			s.actions = append(s.actions, a)
			s.folded = append(s.folded, folded[at+1:end])
			at = end + 1
		}
	})
}

func levelOf(letter byte) AccessLevel {
	return AccessLevel(max(0, strings.IndexByte("LRWTP", letter)))
}

func (s *Service) loadDetails() {
	s.detailsOnce.Do(func() {
		lines := strings.Split(s.inflate(1), "\n")
		next := func() string {
			line := lines[0]
			lines = lines[1:]
			return line
		}
		for line := next(); line != ""; line = next() {
			name, kind, _ := strings.Cut(line, "\t")
			s.keys = append(s.keys, ConditionKey{Name: name, Type: kind})
		}
		for line := next(); line != ""; line = next() {
			fields := strings.Split(line, "\t")
			s.types = append(s.types, ResourceType{Name: fields[0], ARN: fields[1], Keys: s.refs(fields[2])})
		}
		s.details = make([]actionDetails, s.Count)
		for i := range s.details {
			s.details[i] = s.readDetails(next())
		}
	})
}

func (s *Service) readDetails(line string) actionDetails {
	keys, rest, more := strings.Cut(line, "\t")
	d := actionDetails{keys: s.refs(keys)}
	for more {
		var field string
		field, rest, more = strings.Cut(rest, "\t")
		number, refs, _ := strings.Cut(field, " ")
		number, required := strings.CutSuffix(number, "!")
		at, err := strconv.Atoi(number)
		if err != nil || at >= len(s.types) {
			continue // cannot be: the generator writes valid references
		}
		d.resources = append(d.resources, ActionResource{Type: s.types[at], Required: required, Keys: s.refs(refs)})
	}
	return d
}

// refs turns places in the list of keys into names.
func (s *Service) refs(text string) []string {
	if text == "" {
		return nil
	}
	keys := make([]string, 0, strings.Count(text, ",")+1)
	for ref := range strings.SplitSeq(text, ",") {
		if at, err := strconv.Atoi(ref); err == nil && at < len(s.keys) {
			keys = append(keys, s.keys[at].Name)
		}
	}
	return keys
}
