package upkeep

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/assets"
	"rolecall/ui/cli"
)

// allTopics is what the list of the manual's pages is asked for by.
const allTopics = "topics"

// HelpCommand prints the help of the command that is named, or the page of the
// manual; of a name that is neither it says which was meant.
func HelpCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:               "help [COMMAND | TOPIC]",
		Short:             "Help about any command, and the manual",
		Long:              "help prints how a command is used, or a page of the manual. rolecall help topics lists the pages.",
		ValidArgsFunction: helpNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == allTopics {
				return topics(a)
			}
			if len(args) == 1 {
				if page, err := assets.ManualPage(args[0]); err == nil {
					return topic(a, args[0], page)
				}
			}
			return commandHelp(a, cmd.Root(), args)
		},
	}
}

// helpNames completes what help takes: commands, and topics where a first word
// is wanted.
func helpNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if found, _, err := cmd.Root().Find(args); err == nil {
		for _, below := range found.Commands() {
			if below.IsAvailableCommand() {
				names = append(names, below.Name()+"\t"+below.Short)
			}
		}
	}
	if len(args) == 0 {
		names = append(names, allTopics+"\tThe pages of the manual")
		for _, name := range assets.ManualTopics() {
			names = append(names, name+"\t"+titleOf(name))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// commandHelp prints the help of a command.
func commandHelp(a *cli.App, root *cobra.Command, args []string) error {
	found, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if found == root && len(rest) > 0 {
		return unknownTopic(a, root, rest)
	}
	if err := a.NoArgs(found, rest); err != nil {
		return err
	}
	Help(a, found)
	return nil
}

// unknownTopic refuses a word that is neither a command nor a topic, with the
// one that is written most like it.
func unknownTopic(a *cli.App, root *cobra.Command, words []string) error {
	var names []string
	for _, below := range root.Commands() {
		names = append(names, below.Name())
	}
	near := cli.Nearest(words[0], append(names, assets.ManualTopics()...))
	if _, err := assets.ManualPage(near); err != nil {
		return a.NoArgs(root, words) // a command, or nothing, is near
	}
	return cli.Usage(fmt.Sprintf("There is no help on %q.", words[0]), "a command, or a page of the manual",
		"Did you mean rolecall help "+near+"? List the pages: rolecall help topics.")
}

// page of the manual, as --json prints it.
type page struct {
	Topic string `json:"topic"`
	Title string `json:"title"`
	Text  string `json:"text,omitempty"` // as Markdown
}

// topics lists the pages of the manual.
func topics(a *cli.App) error {
	if a.JSON {
		list := struct {
			Topics []page `json:"topics"`
		}{}
		for _, name := range assets.ManualTopics() {
			list.Topics = append(list.Topics, page{Topic: name, Title: titleOf(name)})
		}
		a.WriteJSON(list)
		return nil
	}
	paper := a.Out().Page()
	topicTable(paper)
	paper.Line("")
	paper.Line("Read one: rolecall help TOPIC. Help about a command: rolecall help COMMAND.")
	return nil
}

func topicTable(paper cli.Paper) {
	var rows [][]string
	for _, name := range assets.ManualTopics() {
		rows = append(rows, []string{"  " + name, titleOf(name)})
	}
	paper.Table(false, rows)
}

// titleOf is the title of a page that there is, without the topic that it begins
// with.
func titleOf(topic string) string {
	text, err := assets.ManualPage(topic)
	if err != nil {
		return "" // cannot be: the page is embedded
	}
	first, _, _ := strings.Cut(text, "\n")
	title := strings.TrimPrefix(first, "# ")
	if _, about, found := strings.Cut(title, ": "); found {
		return about
	}
	return title
}

// topic shows one page, in the pager where it is long.
func topic(a *cli.App, name, text string) error {
	if a.JSON {
		a.WriteJSON(page{Topic: name, Title: titleOf(name), Text: text})
		return nil
	}
	var b strings.Builder
	manual(a.Out().Page().On(&b), text)
	return a.Paged(b.String(), "")
}
