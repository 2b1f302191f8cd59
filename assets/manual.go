package assets

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed manual/*.md
var manual embed.FS

// ManualTopics names the pages of the manual, sorted.
func ManualTopics() []string {
	entries, err := fs.ReadDir(manual, "manual")
	if err != nil {
		return nil // cannot be: the folder is embedded
	}
	var topics []string
	for _, entry := range entries {
		topics = append(topics, strings.TrimSuffix(entry.Name(), ".md"))
	}
	return topics
}

// ManualPage is the page on a topic, as Markdown: a title behind "# ", headings
// behind "## ", paragraphs, lists, tables and fenced commands. The error is
// fs.ErrNotExist or fs.ErrInvalid.
func ManualPage(topic string) (string, error) {
	text, err := manual.ReadFile("manual/" + topic + ".md")
	return string(text), err
}
