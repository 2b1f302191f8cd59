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
	text := testFile(b, "spot.json")
	Review(text, Options{})
	b.ResetTimer()
	for b.Loop() {
		Review(text, Options{})
	}
}

func BenchmarkReviewSprinters(b *testing.B) {
	text := testFile(b, "sprinters.json")
	for b.Loop() {
		Review(text, Options{})
	}
}

// The longest of AWS's managed policies in the corpus: 53,732 characters.
func BenchmarkReviewLargeManagedPolicy(b *testing.B) {
	text := sharedFile(b, "policy-corpus", "aws-managed", "SageMakerStudioProjectProvisioningRolePolicy.json")
	for b.Loop() {
		Review(text, Options{Limit: 1 << 20})
	}
}

// A thousand policies: the corpus's, again and again.
func BenchmarkReviewThousandPolicies(b *testing.B) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "domain", "policy-corpus", "*", "*.json"))
	if err != nil || len(files) == 0 {
		b.Skip("the shared domain material is not beside this repository")
	}
	var texts [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		texts = append(texts, text)
	}
	for b.Loop() {
		for i := range 1000 {
			Review(texts[i%len(texts)], Options{})
		}
	}
}
