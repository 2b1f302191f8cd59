package steps

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rolecall/policy"
	"rolecall/steps/describe"
)

// choosePermissions asks what the vendor should be able to do: its default, or
// products and integrations one by one, with the policy's size beside them.
type choosePermissions struct {
	described
	stage     permissionStage
	ticked    []string // bundles while choosing
	parameter string   // the one being asked for
	field     string
	sizes     []roleSize
	notes     map[string]string // by bundle: what it adds
	bucket    bucketLook
	without   []string          // purposes of the roles whose missing external ID was asked about, the last one now
	risks     map[string]string // by bundle: how many findings it brings along by itself
	problem   *Problem
}

type permissionStage int

const (
	pickKind permissionStage = iota
	tickBundles
	askParameter
	lookAtBucket
	askWithout     // whether a role stays without an external ID
	askOwnExternal // which one it gets
)

// roleSize is how much of its limit one role's policy takes.
type roleSize struct {
	title string
	used  int
	reviewed
}

const (
	optionStandard = "default"
	optionChoose   = "choose"
	treeBundles    = "bundles"
)

func (c *choosePermissions) basis(a Answers) []string {
	return a.documentsBasis()
}

// Status is Done once the selection was looked at.
func (c *choosePermissions) Status(a Answers) Status {
	if a.settled(stepPermissions, c.basis(a)...) {
		return Done
	}
	return Todo
}

// Asks names the parameters of the needed policies that have no value yet.
func (c *choosePermissions) Asks(s *Session) []Need {
	var needs []Need
	for _, role := range s.NeededRoles() {
		for name, p := range role.Parameters {
			if s.Parameters[name] == "" {
				needs = append(needs, Need{Flag: p.Flag, Why: p.About})
			}
		}
	}
	return needs
}

// Enter begins with the choice between the default and single products.
func (c *choosePermissions) Enter(s *Session) []Effect {
	c.stage, c.field, c.problem, c.bucket = pickKind, "", nil, bucketLook{}
	c.ticked = slices.Clone(s.Bundles)
	if c.ticked == nil {
		c.ticked = s.Vendor.DefaultBundles()
	}
	c.measure(s)
	return nil
}

// Deeper reports whether single products or parameters are being asked for.
func (c *choosePermissions) Deeper() bool { return c.stage != pickKind }

// Up goes back to the choice between the default and single products; what was
// ticked stays ticked.
func (c *choosePermissions) Up(*Session) []Effect {
	c.stage, c.field = pickKind, ""
	return nil
}

// Update takes the kind of selection, then ticks, then parameters.
func (c *choosePermissions) Update(s *Session, msg Msg) (Move, []Effect) {
	switch msg := msg.(type) {
	case Chose:
		return c.chose(s, msg.ID)
	case Ticked:
		c.tick(s, msg.ID, msg.On)
	case Changed:
		c.field = ""
	case bucketSeen:
		c.bucket.saw(msg)
	case Entered:
		if c.stage == askOwnExternal {
			return c.ownExternal(s, strings.TrimSpace(msg.Text))
		}
		return c.entered(s, strings.TrimSpace(msg.Text))
	}
	return Stay, nil
}

func (c *choosePermissions) chose(s *Session, id string) (Move, []Effect) {
	switch id {
	case optionStandard:
		s.Bundles = nil
		return c.next(s)
	case optionChoose:
		if s.Vendor.Partitions[s.Partition].Customise {
			c.stage = tickBundles
			c.weigh(s)
		}
	case "use":
		if len(c.ticked) == 0 {
			return Stay, nil
		}
		s.Bundles = slices.Clone(c.ticked)
		return c.next(s)
	case "use-bucket":
		return c.withoutExternal(s)
	case "look-again":
		return Stay, []Effect{c.bucket.look(s)}
	case "other-bucket":
		c.stage = askParameter
	case optionWithout:
		return c.ownExternal(s, "")
	case optionOwnExternal:
		c.stage = askOwnExternal
	}
	return Stay, nil
}

// tick switches a bundle. A product takes its integrations along, and an
// integration its product.
func (c *choosePermissions) tick(s *Session, id string, on bool) {
	product, _, isIntegration := strings.Cut(id, "/")
	changed := []string{id}
	if !isIntegration {
		changed, _ = s.Vendor.Bundles([]string{id})
	} else if on {
		changed = append(changed, product)
	}
	c.ticked = slices.DeleteFunc(s.Vendor.AllBundles(), func(bundle string) bool {
		if slices.Contains(changed, bundle) {
			return !on
		}
		return !slices.Contains(c.ticked, bundle)
	})
	c.measure(s)
}

// next asks for the parameters that the selection needs, then moves on.
func (c *choosePermissions) next(s *Session) (Move, []Effect) {
	s.Prepare()
	c.without = nil
	for _, role := range s.NeededRoles() {
		for name, p := range role.Parameters {
			if p.Check(s.Parameters[name]) != nil {
				c.stage, c.parameter, c.field = askParameter, name, ""
				return Stay, nil
			}
		}
	}
	if _, name := s.bucketAsked(); name != "" {
		c.stage = lookAtBucket
		return Stay, []Effect{c.bucket.look(s)}
	}
	return c.withoutExternal(s)
}

func (c *choosePermissions) entered(s *Session, text string) (Move, []Effect) {
	p, ok := c.parameterAsked(s)
	if !ok {
		return Stay, nil
	}
	if err := p.Check(text); err != nil {
		c.field = inputProblem(err)
		return Stay, nil
	}
	values := map[string]string{c.parameter: text}
	for k, v := range s.Parameters {
		if k != c.parameter {
			values[k] = v
		}
	}
	s.Parameters = values
	return c.next(s)
}

func (c *choosePermissions) parameterAsked(s *Session) (describe.Parameter, bool) {
	for _, role := range s.NeededRoles() {
		if p, ok := role.Parameters[c.parameter]; ok {
			return p, true
		}
	}
	return describe.Parameter{}, false
}

// measure composes the policies of what is ticked, and of each bundle left out
// or put in, so that the screen can say what a tick costs.
func (c *choosePermissions) measure(s *Session) {
	c.sizes, c.notes = nil, map[string]string{}
	ticked := 0
	for _, role := range s.Vendor.RolesFor(c.ticked, s.access()) {
		composed := s.Vendor.Compose(role, c.ticked, s.Partition)
		if composed == nil {
			continue // AWS managed policies alone
		}
		doc := s.restricted(composed).Document
		size := roleSize{title: role.Title, used: doc.Characters(), reviewed: s.review(role.Purpose, doc)}
		c.sizes = append(c.sizes, size)
		ticked += size.used
	}
	for _, bundle := range s.Vendor.AllBundles() {
		if slices.Contains(c.ticked, bundle) {
			without := slices.DeleteFunc(slices.Clone(c.ticked), func(b string) bool { return b == bundle || strings.HasPrefix(b, bundle+"/") })
			c.notes[bundle] = "+" + thousands(ticked-c.characters(s, without))
		} else {
			c.notes[bundle] = "+" + thousands(c.characters(s, append(slices.Clone(c.ticked), bundle))-ticked)
		}
	}
}

// weigh reviews what each bundle asks for by itself, so that the tree can say
// where the risks come from.
func (c *choosePermissions) weigh(s *Session) {
	c.risks = map[string]string{}
	for _, bundle := range s.Vendor.AllBundles() {
		p, ok := s.Vendor.Bundle(bundle)
		product, _ := s.Vendor.Bundle(strings.SplitN(bundle, "/", 2)[0])
		if !ok || len(p.Statements) == 0 {
			continue
		}
		doc := s.role(product.Role).Document.Select(p.Statements...)
		if n := s.review(product.Role, doc).serious; n > 0 {
			c.risks[bundle] = fmt.Sprintf("%d %s · ", n, plural(n, "risk"))
		}
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// characters is the size of all policies that a selection needs.
func (c *choosePermissions) characters(s *Session, bundles []string) int {
	total := 0
	if len(bundles) == 0 {
		return 0
	}
	for _, role := range s.Vendor.RolesFor(bundles, s.access()) {
		if doc := s.Vendor.Compose(role, bundles, s.Partition); doc != nil {
			total += s.restricted(doc).Document.Characters()
		}
	}
	return total
}

// thousands groups a number's digits: 6,144.
func thousands(n int) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// Screen shows the stage, and the size against the limit.
func (c *choosePermissions) Screen(s *Session) Screen {
	screen := c.screen(s)
	switch c.stage {
	case pickKind:
		screen.Blocks = append(screen.Blocks, Text{Body: "What should " + s.Vendor.Title + " be able to do in this account?"}, c.kinds(s))
	case tickBundles:
		screen.Blocks = append(screen.Blocks, Text{Tone: Dim, Body: "Behind each: the characters that it adds to the policy."}, Tree{ID: treeBundles, Nodes: c.nodes(s)})
		screen.Actions = []Action{{ID: "use", Label: "use these", Default: true, Disabled: c.nothingTicked()}}
	case askParameter:
		p, _ := c.parameterAsked(s)
		screen.Blocks = append(screen.Blocks, Text{Body: p.About},
			Input{ID: "parameter", Label: p.Label, Value: s.Parameters[c.parameter], Hint: p.Example, Problem: c.field, Flag: p.Flag})
	case lookAtBucket:
		return c.bucket.show(s, screen)
	case askWithout, askOwnExternal:
		screen.Blocks = c.externalBlocks(s)
		return screen
	}
	for _, size := range c.sizes {
		screen.Blocks = append(screen.Blocks, Meter{Label: "Size of the policy for " + size.title, Used: size.used, Limit: policy.MaxManaged, Unit: "characters"},
			size.text(""))
	}
	for _, role := range s.Vendor.RolesFor(c.ticked, s.access()) {
		screen.Blocks = append(screen.Blocks, awsPolicyBlocks(s, role)...)
	}
	screen.Blocks = appendProblem(screen.Blocks, c.problem)
	return screen
}

func (c *choosePermissions) nothingTicked() string {
	if len(c.ticked) == 0 {
		return "tick at least one product"
	}
	return ""
}

func (c *choosePermissions) kinds(s *Session) Block {
	where := s.Vendor.Partitions[s.Partition]
	picked, blocked := optionStandard, ""
	if !where.Customise {
		blocked = where.Why
	} else if s.Bundles != nil {
		picked = optionChoose
	}
	if len(s.Vendor.Products) == 0 {
		blocked = s.Vendor.Whose() + " policy has no parts to choose"
	}
	return Choices{ID: "kind", Picked: picked, Options: []Option{
		{ID: optionStandard, Label: "Default", Detail: c.defaultDetail(s)},
		{ID: optionChoose, Label: "Choose products and integrations", Disabled: blocked},
	}}
}

func (c *choosePermissions) defaultDetail(s *Session) string {
	var titles []string
	for _, p := range s.Vendor.Products {
		if p.Default {
			titles = append(titles, p.Title)
		}
	}
	if len(titles) == 0 {
		return ""
	}
	return strings.Join(titles, " and ") + ", every integration"
}

func (c *choosePermissions) nodes(s *Session) []Node {
	var nodes []Node
	for _, p := range s.Vendor.Products {
		node := c.node(s, p, p.ID)
		for _, in := range p.Integrations {
			node.Children = append(node.Children, c.node(s, in, p.ID+"/"+in.ID))
		}
		node.Tick = c.tickOf(p)
		nodes = append(nodes, node)
	}
	return nodes
}

func (c *choosePermissions) tickOf(p describe.Product) Tick {
	if !slices.Contains(c.ticked, p.ID) {
		return Off
	}
	for _, in := range p.Integrations {
		if !slices.Contains(c.ticked, p.ID+"/"+in.ID) {
			return Partly
		}
	}
	return On
}

func (c *choosePermissions) node(s *Session, p describe.Product, id string) Node {
	node := Node{ID: id, Label: p.Title, Detail: p.About, Note: c.risks[id] + c.notes[id]}
	if slices.Contains(c.ticked, id) {
		node.Tick = On
	}
	purpose := p.Role
	if product, ok := s.Vendor.Bundle(strings.SplitN(id, "/", 2)[0]); ok {
		purpose = product.Role
	}
	role := s.role(purpose)
	for _, sid := range p.Statements {
		why := role.Why[sid]
		node.Details = append(node.Details, sid+": "+why.For, "without it: "+why.Without)
		for _, st := range role.Document.Statements {
			if st.Sid == sid {
				node.Details = append(node.Details, actionLines(st.Action, why.Actions)...)
			}
		}
	}
	return node
}

// actionLines lists actions as written, each with its own reason where the
// description has one.
func actionLines(actions []string, reasons map[string]string) []string {
	lines := make([]string, 0, len(actions))
	for _, action := range actions {
		line := "  " + action
		if reason := reasons[action]; reason != "" {
			line += "  " + reason
		}
		lines = append(lines, line)
	}
	return lines
}
