package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	g "maragu.dev/gomponents"

	"rolecall/steps/record"
	"rolecall/steps/screen"
)

// point is one measurement of a curve.
type point struct {
	n    int
	took time.Duration
}

// draw measures the curves and writes each as an SVG.
func (b *bench) draw(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, c := range []struct {
		file, title, unit string
		at                []int
		measure           func(int) (time.Duration, error)
	}{
		{"curve-policy.svg", "policy review, by the size of the policy", "bytes", []int{1 << 10, 4 << 10, 16 << 10, 64 << 10}, b.reviewOf},
		{"curve-sessions.svg", "sessions, by how many there are", "sessions", []int{1, 10, 100, 1000, 10_000}, b.sessionsOf},
		{"curve-roles.svg", "verify --all, by the account's roles", "roles", []int{10, 100, 1000, 5000}, b.rolesOf},
	} {
		var points []point
		for _, n := range c.at {
			took, err := c.measure(n)
			if err != nil {
				return fmt.Errorf("%s at %d: %w", c.title, n, err)
			}
			points = append(points, point{n, took})
		}
		file, err := os.Create(filepath.Join(folder, c.file))
		if err != nil {
			return err
		}
		if err := curve(file, c.title, c.unit, points); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) reviewOf(size int) (time.Duration, error) {
	var statements []string
	for i := 0; len(strings.Join(statements, ","))+100 < size; i++ {
		statements = append(
			statements,
			fmt.Sprintf(`{"Sid":"S%d","Effect":"Allow","Action":["s3:Get*","ec2:Describe*"],"Resource":"arn:aws:s3:::bucket-%d/*"}`, i, i),
		)
	}
	name := filepath.Join(b.folder, "sized.json")
	if err := os.WriteFile(name, []byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`), 0o600); err != nil {
		return 0, err
	}
	took, err := b.time("policy", "review", name)
	return took.wall, err
}

// sessionsOf times the list of that many sessions.
func (b *bench) sessionsOf(n int) (time.Duration, error) {
	state := filepath.Join(b.folder, fmt.Sprintf("state-%d", n))
	store := record.OpenStore(filepath.Join(state, "rolecall"))
	for i := range n { // an ID has little room beside its day
		made := time.Now().Add(-time.Duration(i) * time.Hour)
		open, _, err := store.Create(record.Answers{Vendor: "spot", Method: "manual", Access: "role", Partition: "aws"}, made)
		if err != nil {
			return 0, err
		}
		if err := open.Release(); err != nil {
			return 0, err
		}
	}
	took, err := b.median(func() *exec.Cmd { return b.in(b.environment("XDG_STATE_HOME="+state), "sessions") })
	return took.wall, err
}

func (b *bench) rolesOf(n int) (time.Duration, error) {
	environment, done, err := b.account(n)
	if err != nil {
		return 0, err
	}
	defer done()
	took, err := b.median(func() *exec.Cmd { return b.in(environment, "verify", "--all", "--json") })
	return took.wall, err
}

const (
	pictureWidth, pictureHeight = 640, 320
	margin                      = 60
)

// curve draws points on two logarithmic axes.
func curve(w io.Writer, title, unit string, points []point) error {
	last := points[len(points)-1]
	x := func(n int) float64 {
		return margin + (pictureWidth-2*margin)*math.Log(float64(n)/float64(points[0].n))/math.Log(float64(last.n)/float64(points[0].n))
	}
	low, high := bounds(points)
	y := func(d time.Duration) float64 {
		return pictureHeight - margin - (pictureHeight-2*margin)*math.Log(float64(d)/low)/math.Log(high/low)
	}
	var line strings.Builder
	nodes := g.Group{text(margin, 30, "middle", title+" (both axes logarithmic)", true)}
	for _, p := range points {
		fmt.Fprintf(&line, "%.1f,%.1f ", x(p.n), y(p.took))
		nodes = append(nodes,
			g.El("circle", number("cx", x(p.n)), number("cy", y(p.took)), g.Attr("r", "4"), g.Attr("fill", "#3b6fb6")),
			text(x(p.n), y(p.took)-10, "middle", millis(p.took), false),
			text(x(p.n), pictureHeight-margin+22, "middle", screen.Thousands(p.n)+" "+unit, false))
	}
	nodes = append(
		nodes,
		g.El(
			"polyline",
			g.Attr("points", strings.TrimSpace(line.String())),
			g.Attr("fill", "none"),
			g.Attr("stroke", "#3b6fb6"),
			g.Attr("stroke-width", "2"),
		),
	)
	return g.El("svg", g.Attr("xmlns", "http://www.w3.org/2000/svg"), g.Attr("viewBox", fmt.Sprintf("0 0 %d %d", pictureWidth, pictureHeight)),
		g.Attr("role", "img"), g.Attr("aria-label", title), nodes).Render(w)
}

// bounds are a little below the fastest and above the slowest.
func bounds(points []point) (low, high float64) {
	low, high = math.Inf(1), 0
	for _, p := range points {
		low, high = min(low, float64(p.took)), max(high, float64(p.took))
	}
	return low / 1.2, high * 1.2
}

func text(x, y float64, anchor, words string, title bool) g.Node {
	weight := "400"
	if title {
		anchor, weight = "start", "600"
	}
	return g.El("text", number("x", x), number("y", y), g.Attr("text-anchor", anchor), g.Attr("font-family", "sans-serif"),
		g.Attr("font-size", "12"), g.Attr("font-weight", weight), g.Attr("fill", "#57606a"), g.Text(words))
}

func number(name string, value float64) g.Node { return g.Attr(name, fmt.Sprintf("%.1f", value)) }
