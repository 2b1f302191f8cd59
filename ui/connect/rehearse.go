package connect

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"rolecall/steps/step"
	"rolecall/ui/cli"
	"rolecall/ui/flags"
	"rolecall/ui/front"
	"rolecall/ui/rehearse"
)

// RehearseCommand is rolecall rehearse.
func RehearseCommand(a *cli.App) *cobra.Command {
	given := &flags.Flags{}
	cmd := &cobra.Command{
		Use:   "rehearse",
		Short: "The same against an AWS and a vendor inside the program",
		Long: "rehearse is the whole wizard against an AWS and a vendor that run inside the program. It reads no AWS or vendor " +
			"environment and reaches nothing outside this machine. With the defaults, enter alone leads to the end. " +
			"Its sessions are saved like others and marked; what was made in it is gone when it ends, so resuming one " +
			"begins with the same answers in a new, empty account. --scenario rehearses a typical mistake or fault, or several that go together; " +
			"in the wizard " +
			"! chooses one from a list, and m mends it. Unattended, nobody mends it: then --wait is 15 s unless it is given.",
		Example: "  rolecall rehearse\n  rolecall rehearse --yes --json\n  rolecall rehearse --scenario help\n" +
			"  rolecall rehearse --scenario wrong-external-id --yes --json\n" +
			"  rolecall rehearse --scenario scp,sts-region --yes --json",
		Args: a.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRehearse(a, cmd, given) },
	}
	given.Bind(cmd, flags.Connecting|flags.Rehearsing)
	_ = cmd.RegisterFlagCompletionFunc("scenario", completeScenarios) // the flag was just made
	return cmd
}

// scenarioWait is how long an unattended rehearsal of a mistake waits for somebody
// to mend it, who does not come.
const scenarioWait = 15 * time.Second

// helpScenario stands for the list in the place of a scenario's name.
const helpScenario = "help"

func completeScenarios(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	words := []cobra.Completion{cobra.CompletionWithDesc(helpScenario, "the list")}
	for _, c := range rehearse.Scenarios() {
		words = append(words, cobra.CompletionWithDesc(c.Name, c.Of("the vendor").Title))
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// ScenarioJSON is one scenario of the list with --json.
type ScenarioJSON struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Mended string `json:"mended"`
}

// listScenarios prints what can be rehearsed.
func listScenarios(a *cli.App) {
	list := []ScenarioJSON{}
	width := 0
	for _, c := range rehearse.Scenarios() {
		c = c.Of("the vendor")
		list = append(list, ScenarioJSON{c.Name, c.Title, c.Detail, c.Mending})
		width = max(width, len(c.Name))
	}
	if a.JSON {
		a.WriteJSON(map[string][]ScenarioJSON{"scenarios": list})
		return
	}
	for _, c := range list {
		a.Print("%-*s  %s", width, c.Name, c.Title)
		a.Print("%*s  %s", width, "", c.Detail)
	}
}

func runRehearse(a *cli.App, cmd *cobra.Command, given *flags.Flags) error {
	scenarios := given.Texts("scenario")
	if slices.Contains(scenarios, helpScenario) {
		listScenarios(a)
		return nil
	}
	if _, err := rehearse.FindAll(scenarios); err != nil {
		return err
	}
	by, err := front.For(a, given.Yes())
	if err != nil {
		return err
	}
	prepared, err := flags.Prepare(a, given)
	if err != nil {
		return err
	}
	if a.Account == "" {
		a.Account = rehearse.Account
		prepared.Answers.AccountID, prepared.Answers.AccountPinned = a.Account, true
	}
	s := prepared.Session(a)
	if err := keepSecret(a, given.SecretFile(), s); err != nil {
		return err
	}
	s.SendTo = given.SendTo()
	unattended := by == front.Unattended
	rehearse.Answers(s, unattended)
	rehearsal := rehearse.Start(a, s, unattended)
	defer rehearsal.Close()
	wait := given.Wait()
	if len(scenarios) > 0 {
		if err := beginScenarios(a, rehearsal, scenarios, s); err != nil {
			return err
		}
		if !given.Given("wait") {
			wait = scenarioWait
		}
	}
	return begin(cmd.Context(), a, s, by, wait, "rolecall rehearse")
}

// beginScenarios makes the mistakes that a flag names, unless one would show
// nothing in what the other flags say.
func beginScenarios(a *cli.App, r *rehearse.Rehearsal, names []string, s *step.Session) error {
	for _, option := range r.List() {
		if slices.Contains(names, option.ID) && option.Disabled != "" && len(s.Offers) < 2 {
			return cli.Usage("The scenario "+option.ID+" would show nothing: "+option.Disabled+".", "a scenario that fits the other flags",
				"See what each is: rolecall rehearse --scenario help.")
		}
	}
	said, err := r.Begin(names...)
	if err != nil {
		return err
	}
	a.Say("Scenario: %s. %s", r.Now(), said)
	return nil
}
