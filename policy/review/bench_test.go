package review

import (
	"os"
	"path/filepath"
	"testing"
)

// sharedFile reads material that lies beside the repository for its authors.
func sharedFile(tb testing.TB, name ...string) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "..", "shared", "domain"}, name...)...))
	if err != nil {
		tb.Skip("the shared domain material is not beside this repository")
	}
	return text
}

func BenchmarkReviewSpot(b *testing.B) {
	text := sharedFile(b, "spot-default-policy.json")
	Review(text, Options{})
	b.ResetTimer()
	for b.Loop() {
		Review(text, Options{})
	}
}
