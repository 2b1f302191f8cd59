package draw_test

import (
	"strings"
	"testing"

	"rolecall/steps/screen"
	"rolecall/ui/draw"
)

// BenchmarkFrame draws the fullest screen there is.
func BenchmarkFrame(b *testing.B) {
	var role scene
	for _, s := range scenes() {
		if s.name == "role" {
			role = s
		}
	}
	theme := draw.NewTheme(draw.Look{Links: true})
	f := frame(role, 80, 24)
	b.ReportAllocs()
	for b.Loop() {
		theme.Draw(f)
	}
}

// BenchmarkSheet lays out a document of 10,000 lines, and cuts a frame from it.
func BenchmarkSheet(b *testing.B) {
	code := screen.Code{Name: "long.json", Body: strings.Repeat("          \"elasticloadbalancing:DescribeTags\",\n", 10_000)}
	theme := draw.NewTheme(draw.Look{})
	b.Run("lay out", func(b *testing.B) {
		for b.Loop() {
			theme.Sheet(code, 80, false)
		}
	})
	sheet := theme.Sheet(code, 80, false)
	b.Run("frame", func(b *testing.B) {
		for b.Loop() {
			sheet.Draw(draw.Frame{Width: 80, Height: 24}, draw.Reading{Top: 5000})
		}
	})
}
