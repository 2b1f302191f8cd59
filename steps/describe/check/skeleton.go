package check

import (
	"strings"
	"unicode"
)

// skeleton is a title as it looks at a glance: case, white space and marks are
// gone, and letters of other scripts that look like Latin ones are those.
// Source: Unicode Technical Standard 39, confusables.txt, of the letters that
// the titles of the built-in vendors have.
func skeleton(title string) string {
	return strings.Map(func(c rune) rune {
		c = unicode.ToLower(c)
		if latin, ok := lookalikes()[c]; ok {
			return latin
		}
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return -1
		}
		return c
	}, title)
}

// lookalikes are small letters and digits that look like Latin letters.
func lookalikes() map[rune]rune {
	return map[rune]rune{
		'а': 'a',
		'е': 'e',
		'о': 'o',
		'р': 'p',
		'с': 'c',
		'у': 'y',
		'х': 'x',
		'ѕ': 's',
		'і': 'i',
		'ј': 'j',
		'ԁ': 'd',
		'һ': 'h',
		'т': 't',
		'м': 'm',
		'к': 'k',
		'н': 'n',
		'α': 'a',
		'ε': 'e',
		'ο': 'o',
		'ρ': 'p',
		'τ': 't',
		'υ': 'u',
		'ι': 'i',
		'ν': 'v',
		'κ': 'k',
		'η': 'n',
		'0': 'o',
		'1': 'l',
		'3': 'e',
		'5': 's',
		'ı': 'i',
		'ɑ': 'a',
		'ｓ': 's',
		'ｐ': 'p',
		'ｏ': 'o',
		'ｔ': 't',
	}
}
