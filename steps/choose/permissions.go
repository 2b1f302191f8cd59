package choose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rolecall/steps/describe"
	"rolecall/steps/record"
	"rolecall/steps/screen"
	"rolecall/steps/step"
)

// Permissions asks what the vendor should be able to do: its default, or
// products and integrations one by one, with the policy's size beside them.
type Permissions struct {
	step.Described
	stage     permissionStage
	ticked    []string // bundles while choosing
	parameter string   // the one being asked for
	field     string
	sizes     []roleSize
	notes     map[string]string // by bundle: what it adds
	bucket    bucketLook
	without   []string          // purposes of the roles whose missing external ID was asked about, the last one now
	risks     map[string]string // by bundle: how many findings it brings along by itself
	problem   *screen.Problem
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
	limit int
	open  []string // parameters without a value yet
	step.Reviewed
}

// texts say what the policy grants, and which parameters are not known yet.
func (r *roleSize) texts() []screen.Block {
	blocks := []screen.Block{r.Text("")}
	if len(r.open) > 0 {
		blocks = append(
			blocks,
			screen.Text{
				Tone: screen.Dim,
				Body: screen.Plural(len(r.open), "Parameter") + " not known yet, judged by an example: " + strings.Join(r.open, ", ") + ".",
			},
		)
	}
	return blocks
}

const (
	optionStandard = "default"
	optionChoose   = "choose"
	treeBundles    = "bundles"
)

func (c *Permissions) basis(a record.Answers) []string {
	return a.DocumentsBasis()
}

// Status is Done once the selection was looked at.
func (c *Permissions) Status(a record.Answers) step.Status {
	if a.IsAnswered(record.StepPermissions, c.basis(a)...) {
		return step.Done
	}
	return step.Todo
}

// Asks names the parameters of the needed policies that have no value yet.
func (c *Permissions) Asks(s *step.Session) []step.Need {
	var needs []step.Need
	for _, name := range s.Request().Parameterised() {
		if p, _ := s.Vendor.Parameter(name); s.Parameters[name] == "" {
			needs = append(needs, step.Need{Flag: p.Flag, Why: cmp.Or(p.About, p.Label)})
		}
	}
	return needs
}

// Enter begins with the choice between the default and single products.
func (c *Permissions) Enter(s *step.Session) []screen.Effect {
	c.stage, c.field, c.problem, c.bucket = pickKind, "", nil, bucketLook{}
	c.ticked = slices.Clone(s.Bundles)
	if c.ticked == nil {
		c.ticked = s.Vendor.DefaultBundles()
	}
	c.measure(s)
	return nil
}

// Deeper reports whether single products or parameters are being asked for.
func (c *Permissions) Deeper() bool { return c.stage != pickKind }

// Up goes back to the choice between the default and single products; what was
// ticked stays ticked.
func (c *Permissions) Up(*step.Session) []screen.Effect {
	c.stage, c.field = pickKind, ""
	return nil
}

// Update takes the kind of selection, then ticks, then parameters.
func (c *Permissions) Update(s *step.Session, msg screen.Msg) (step.Move, []screen.Effect) {
	switch msg := msg.(type) {
	case screen.Chose:
		return c.chose(s, msg.ID)
	case screen.Ticked:
		c.tick(s, msg.ID, msg.On)
	case screen.Changed:
		c.field = ""
	case bucketSeen:
		c.bucket.saw(msg)
	case screen.Entered:
		if c.stage == askOwnExternal {
			return c.ownExternal(s, msg.Text)
		}
		return c.entered(s, step.Pasted(msg.Text))
	}
	return step.Stay, nil
}

func (c *Permissions) chose(s *step.Session, id string) (step.Move, []screen.Effect) {
	if p, _ := c.parameterAsked(s); c.stage == askParameter && len(p.Choices) > 0 {
		return c.entered(s, id)
	}
	switch id {
	case optionStandard:
		s.Bundles = nil
		return c.next(s)
	case optionChoose:
		if s.Vendor.Partitions[s.Partition].Customise {
			c.stage = tickBundles
			c.reviewBundles(s)
		}
	case "use":
		if len(c.ticked) == 0 {
			return step.Stay, nil
		}
		s.Bundles = slices.Clone(c.ticked)
		return c.next(s)
	case "use-bucket":
		return c.withoutExternal(s)
	case "look-again":
		return step.Stay, []screen.Effect{c.bucket.look(s)}
	case "other-bucket":
		c.stage = askParameter
	case optionWithout:
		return c.ownExternal(s, "")
	case optionOwnExternal:
		c.stage = askOwnExternal
	}
	return step.Stay, nil
}

// tick switches a bundle. A product takes its integrations along, and an
// integration its product.
func (c *Permissions) tick(s *step.Session, id string, on bool) {
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
func (c *Permissions) next(s *step.Session) (step.Move, []screen.Effect) {
	s.Prepare()
	c.without = nil
	for _, name := range s.Request().Parameterised() {
		if p, _ := s.Vendor.Parameter(name); p.Check(s.Parameters[name]) != nil {
			c.stage, c.parameter, c.field = askParameter, name, ""
			return step.Stay, nil
		}
	}
	if _, name := bucketAsked(s); name != "" {
		c.stage = lookAtBucket
		return step.Stay, []screen.Effect{c.bucket.look(s)}
	}
	return c.withoutExternal(s)
}

// measure composes the policies of what is ticked, and of each bundle left out
// or put in, so that the screen can say what a tick costs.
func (c *Permissions) measure(s *step.Session) {
	c.sizes, c.notes = nil, map[string]string{}
	ticked := 0
	request := s.Request()
	request.Bundles = c.ticked
	for _, role := range request.Needed() {
		doc := request.Open(role.Purpose)
		if doc == nil {
			continue // AWS managed policies alone
		}
		sampled, open := request.Sampled(role.Purpose)
		size := roleSize{
			title:    role.Title,
			used:     doc.Characters(),
			limit:    role.Limit(),
			open:     open,
			Reviewed: s.Review(role.Purpose, sampled.Open(role.Purpose)),
		}
		c.sizes = append(c.sizes, size)
		ticked += size.used
	}
	for _, bundle := range s.Vendor.AllBundles() {
		if slices.Contains(c.ticked, bundle) {
			without := slices.DeleteFunc(slices.Clone(c.ticked), func(b string) bool { return b == bundle || strings.HasPrefix(b, bundle+"/") })
			c.notes[bundle] = "+" + screen.Thousands(ticked-c.characters(s, without))
		} else {
			c.notes[bundle] = "+" + screen.Thousands(c.characters(s, append(slices.Clone(c.ticked), bundle))-ticked)
		}
	}
}

// reviewBundles reviews what each bundle asks for by itself, so that the tree can say
// where the risks come from.
func (c *Permissions) reviewBundles(s *step.Session) {
	c.risks = map[string]string{}
	for _, bundle := range s.Vendor.AllBundles() {
		purpose, doc := s.Request().Bundle(bundle)
		if doc == nil {
			continue
		}
		if n := s.Review(purpose, doc).Serious; n > 0 {
			c.risks[bundle] = fmt.Sprintf("%d %s · ", n, screen.Plural(n, "risk"))
		}
	}
}

// characters is the size of all policies that a selection needs.
func (c *Permissions) characters(s *step.Session, bundles []string) int {
	total := 0
	if len(bundles) == 0 {
		return 0
	}
	request := s.Request()
	request.Bundles = bundles
	for _, role := range request.Needed() {
		if doc := request.Open(role.Purpose); doc != nil {
			total += doc.Characters()
		}
	}
	return total
}

// Screen shows the stage, and the size against the limit.
func (c *Permissions) Screen(s *step.Session) screen.Screen {
	view := c.NewScreen(s)
	switch c.stage {
	case pickKind:
		view.Blocks = append(view.Blocks, screen.Text{Body: "What should " + s.Vendor.Title + " be able to do in this account?"}, c.kinds(s))
		view.Blocks = append(view.Blocks, c.Guide(s)...)
	case tickBundles:
		view.Blocks = append(
			view.Blocks,
			screen.Text{Tone: screen.Dim, Body: "Behind each: the characters that it adds to the policy."},
			screen.Tree{ID: treeBundles, Nodes: c.nodes(s)},
		)
		view.Actions = []screen.Action{{ID: "use", Label: "use these", Default: true, Disabled: c.nothingTicked()}}
	case askParameter:
		view.Blocks = append(view.Blocks, c.parameterBlocks(s)...)
	case lookAtBucket:
		return c.bucket.show(s, view)
	case askWithout, askOwnExternal:
		view.Blocks = c.externalBlocks(s)
		return view
	}
	for _, size := range c.sizes {
		view.Blocks = append(
			view.Blocks,
			screen.Meter{Label: "Size of the policy for " + size.title, Used: size.used, Limit: size.limit, Unit: "characters"},
		)
		view.Blocks = append(view.Blocks, size.texts()...)
	}
	request := s.Request()
	request.Bundles = c.ticked
	for _, role := range request.Needed() {
		view.Blocks = append(view.Blocks, managedBlocks(s, role)...)
	}
	view.Blocks = screen.ProblemFirst(view.Blocks, c.problem)
	return view
}

func (c *Permissions) nothingTicked() string {
	if len(c.ticked) == 0 {
		return "tick at least one product"
	}
	return ""
}

func (c *Permissions) kinds(s *step.Session) screen.Block {
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
	return screen.Choices{ID: "kind", Picked: picked, Options: []screen.Option{
		{ID: optionStandard, Label: "Default", Detail: c.defaultDetail(s)},
		{ID: optionChoose, Label: "Choose products and integrations", Disabled: blocked},
	}}
}

func (c *Permissions) defaultDetail(s *step.Session) string {
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

func (c *Permissions) nodes(s *step.Session) []screen.Node {
	var nodes []screen.Node
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

func (c *Permissions) tickOf(p describe.Product) screen.Tick {
	if !slices.Contains(c.ticked, p.ID) {
		return screen.Off
	}
	for _, in := range p.Integrations {
		if !slices.Contains(c.ticked, p.ID+"/"+in.ID) {
			return screen.Partly
		}
	}
	return screen.On
}

func (c *Permissions) node(s *step.Session, p describe.Product, id string) screen.Node {
	node := screen.Node{ID: id, Label: p.Title, Detail: p.About, Note: c.risks[id] + c.notes[id]}
	if slices.Contains(c.ticked, id) {
		node.Tick = screen.On
	}
	purpose := p.Role
	if product, ok := s.Vendor.Bundle(strings.SplitN(id, "/", 2)[0]); ok {
		purpose = product.Role
	}
	role := s.Request().Role(purpose)
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
