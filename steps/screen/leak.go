package screen

import (
	"regexp"
	"strings"
	"sync"
)

// SecretPasted is said where a secret key was put where none belongs.
const SecretPasted = "That holds a secret access key, and was not taken. Keep it to yourself. This is no place for it."

var (
	// secretWord is how the AWS CLI, its files and the console's CSV name one.
	secretWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)secret[ _]?access[ _]?key`) })
	// secretAlone is one by itself: AWS's have 40 characters of base64.
	secretAlone = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9/+]{40}$`) })
)

// HoldsSecret tells whether a text holds a secret access key, or looks like one: then
// it is neither shown nor kept.
func HoldsSecret(text string) bool {
	bare := strings.TrimSpace(text)
	mixed := strings.ContainsAny(bare, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && strings.ContainsAny(bare, "abcdefghijklmnopqrstuvwxyz") &&
		strings.ContainsAny(bare, "0123456789/+")
	return secretWord().MatchString(text) || mixed && secretAlone().MatchString(bare)
}
