package report

import (
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// Every text and every attribute below passes the library's escaping; only the
// style sheet, which is the program's own, is written as it stands.

func (p *page) node() g.Node { return Document("Policy review: "+p.Name, p.body()) }

// Document is a whole page that loads nothing and runs nothing.
func Document(title string, nodes ...g.Node) g.Node {
	return h.Doctype(h.HTML(h.Lang("en"),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.Meta(g.Attr("http-equiv", "Content-Security-Policy"), h.Content("default-src 'none'; style-src 'unsafe-inline'")),
			h.TitleEl(g.Text(title)),
			h.StyleEl(g.Raw(pageCSS)),
		),
		h.Body(nodes...),
	))
}

// body is one review.
func (p *page) body() g.Node {
	return g.Group{
		h.H1(g.Text("Policy review: " + p.Name)),
		h.P(h.Class(p.verdictClass()), g.Text(p.Verdict)),
		soft(g.Text(p.Statements+" statements, "+p.Entries+" entries, "+p.Granted+" actions granted. Actions of "+p.Date+"."),
			g.If(p.Digest != "", g.Group{h.Br(), h.Code(g.Text(p.Digest))})),
		h.Div(h.Class("charts"), p.Severities.node(), p.Levels.node(), p.Meter.meter(), p.Services.node()),
		h.H2(g.Text("Findings")),
		g.Map(p.Findings, pageFinding.node),
		g.If(len(p.Findings) == 0, h.P(g.Text("Nothing to say against it."))),
	}
}

func (p *page) verdictClass() string {
	if p.Refused {
		return "verdict refused-verdict"
	}
	return "verdict"
}

func (f pageFinding) node() g.Node {
	return h.Details(g.If(f.Severity == "refused" || f.Severity == "high", g.Attr("open")),
		h.Summary(
			h.Span(h.Class("tag "+f.Severity), g.Text(f.Severity)),
			g.Text(" "+strconv.Itoa(f.Number)+". "+f.Title+" "),
			h.Span(h.Class("where soft"), g.Text(f.Where)),
		),
		h.Div(
			h.P(g.Text(f.Why)),
			g.If(f.Cost != "", h.P(g.Text(f.Cost))),
			g.If(len(f.Actions) > 0, soft(f.actions())),
			h.P(h.Strong(g.Text("Fix.")), g.Text(" "+f.Words)),
			g.If(f.Paste != "", h.Pre(h.Code(g.Text(f.Paste)))),
			soft(g.Text(f.Class+" · "+f.Category)),
		),
	)
}

func (f pageFinding) actions() g.Node {
	var nodes g.Group
	for i, a := range f.Actions {
		if i > 0 {
			nodes = append(nodes, g.Text(", "))
		}
		nodes = append(nodes, h.Code(g.Text(a)))
	}
	if f.More > 0 {
		nodes = append(nodes, g.Text(" + "+strconv.Itoa(f.More)))
	}
	return nodes
}

func soft(nodes ...g.Node) g.Node { return h.P(h.Class("soft"), g.Group(nodes)) }

func (c chart) node() g.Node {
	if len(c.Bars) == 0 {
		return g.Group{}
	}
	return h.Figure(h.FigCaption(g.Text(c.Title)), drawing(c.Height, c.Title, g.Map(c.Bars, bar.node)))
}

func (b bar) node() g.Node {
	return g.Group{
		box(b.Class, chartX, b.Y, 18, b.Width, g.El("title", g.Text(b.Label+": "+b.Value))),
		caption(0, b.TextY, b.Label),
		caption(450, b.TextY, b.Value),
	}
}

// meter draws a bar on its full length.
func (b bar) meter() g.Node {
	return h.Figure(h.FigCaption(g.Text("Size")),
		drawing(40, b.Value, box("track", 0, 4, 16, chartWidth), box("", 0, 4, 16, b.Width), caption(0, 36, b.Value)))
}

func drawing(height int, title string, nodes ...g.Node) g.Node {
	return h.SVG(g.Attr("viewBox", "0 0 500 "+strconv.Itoa(height)), h.Role("img"), h.Aria("label", title), g.Group(nodes))
}

func box(class string, x, y, height int, width float64, nodes ...g.Node) g.Node {
	return g.El("rect", g.If(class != "", h.Class(class)), number("x", x), number("y", y),
		g.Attr("width", strconv.FormatFloat(width, 'f', 1, 64)), number("height", height), number("rx", 3), g.Group(nodes))
}

func caption(x, y int, text string) g.Node {
	return g.El("text", number("x", x), number("y", y), g.Text(text))
}

func number(name string, value int) g.Node { return g.Attr(name, strconv.Itoa(value)) }
