package report

import (
	_ "embed"
	"io"
	"slices"
	"strings"

	"rolecall/policy/review"
	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

//go:embed page.css
var pageCSS string

// page is what the HTML page shows.
type page struct {
	Name, Verdict, Size, Date, Digest string
	Refused                           bool
	Granted, Entries, Statements      string
	Severities, Levels, Services      chart
	Meter                             bar
	Findings                          []pageFinding
}

type pageFinding struct {
	Number                         int
	Severity, Class, Category      string
	Title, Where, Why, Cost, Words string
	Paste                          string
	Actions                        []string
	More                           int
}

// chart is a list of horizontal bars in an SVG.
type chart struct {
	Title  string
	Height int
	Bars   []bar
}

type bar struct {
	Label, Value, Class string
	Y, TextY            int
	Width               float64
}

const (
	barHeight  = 24
	chartWidth = 270.0
	chartX     = 165 // where bars begin, behind their labels
	mostBars   = 12
	mostShown  = 24
)

// HTML writes the review as one page that loads nothing: its charts are SVG
// inside of it, and it has no script.
func HTML(w io.Writer, r *review.Report, o Options) error {
	p := pageOf(r, o)
	return p.node().Render(w)
}

func pageOf(r *review.Report, o Options) page {
	p := page{
		Name:       draw.Clean(o.Name),
		Verdict:    "AWS will accept it.",
		Refused:    r.Verdict == "refused",
		Size:       sizeOf(r),
		Date:       r.Data.Date,
		Digest:     r.Policy.Digest,
		Granted:    screen.Thousands(r.Actions.Granted),
		Entries:    screen.Thousands(r.Actions.Entries),
		Statements: screen.Thousands(r.Policy.Statements),
	}
	if p.Refused {
		p.Verdict = "AWS will refuse it."
	}
	p.Severities = severityChart(r)
	p.Levels = chartOf("Actions by access level", accessLevels(), r.Actions.ByAccess)
	p.Services = servicesChart(r)
	used := min(1, float64(r.Policy.Characters)/float64(max(1, r.Policy.Limit)))
	p.Meter = bar{Width: used * chartWidth, Value: sizeOf(r)}
	for i := range r.Findings {
		p.Findings = append(p.Findings, findingOf(&r.Findings[i], i+1))
	}
	return p
}

func findingOf(f *review.Finding, number int) pageFinding {
	words, paste, _ := strings.Cut(f.Fix, "\n")
	out := pageFinding{Number: number, Severity: string(f.Severity), Class: string(f.Class), Category: f.Category,
		Title: draw.Clean(f.Title), Where: Where(f), Why: draw.Clean(f.Why), Cost: draw.Clean(f.Cost), Words: draw.Clean(words)}
	var lines []string
	for line := range strings.SplitSeq(paste, "\n") {
		lines = append(lines, cleanIndented(line))
	}
	out.Paste = strings.Join(lines, "\n")
	for i, a := range f.Actions {
		if i == mostShown {
			out.More = len(f.Actions) - mostShown
			break
		}
		out.Actions = append(out.Actions, draw.Clean(a))
	}
	return out
}

func severityChart(r *review.Report) chart {
	counts := map[string]int{}
	var names []string
	for _, s := range review.Severities() {
		if n := r.Count(s); n > 0 {
			counts[string(s)] = n
			names = append(names, string(s))
		}
	}
	return chartOf("Findings by severity", names, counts)
}

func servicesChart(r *review.Report) chart {
	var names []string
	for name := range r.Actions.ByService {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := r.Actions.ByService[b] - r.Actions.ByService[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return chartOf("Actions by service", names[:min(len(names), mostBars)], r.Actions.ByService)
}

func chartOf(title string, names []string, counts map[string]int) chart {
	c := chart{Title: title}
	most := 1
	for _, name := range names {
		most = max(most, counts[name])
	}
	for _, name := range names {
		n := counts[name]
		if n == 0 {
			continue
		}
		y := len(c.Bars) * barHeight
		class := strings.ToLower(strings.Fields(name)[0])
		c.Bars = append(c.Bars, bar{Label: draw.Clean(name), Value: screen.Thousands(n), Class: class, Y: y, TextY: y + 15,
			Width: max(2, float64(n)/float64(most)*chartWidth)})
	}
	c.Height = len(c.Bars) * barHeight
	return c
}
