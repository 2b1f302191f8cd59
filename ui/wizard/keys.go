package wizard

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"rolecall/steps/screen"

	tea "charm.land/bubbletea/v2"

	"rolecall/ui/draw"
)

// binding is one key that works now: footer, help and keyboard are computed
// from the same list.
type binding struct {
	draw.Key
	strokes []string // as tea.KeyPressMsg.String writes them
	press   func() tea.Cmd

	confirms bool // it decides something: a slip of the hand must not
	writes   bool // what it decides changes something outside, or is the account
}

// press finds what a key does here. A key that is off says why.
func (w *Wizard) press(msg tea.KeyPressMsg) tea.Cmd {
	stroke := msg.String()
	w.pressed = w.session.Now()
	if w.tooSmall() {
		return w.pressUnseen(stroke)
	}
	if msg.Text != "" && w.plainStep() && w.pressed.Sub(w.lost) < quietTime {
		return nil // it was meant for the field that an answer just took away
	}
	if line := w.finding(); line != nil {
		return line.key(msg, w)
	}
	if w.check != nil && w.check.types(msg) {
		return w.checkLater()
	}
	for _, b := range w.bindings {
		for _, s := range b.strokes {
			if s != stroke {
				continue
			}
			if w.slips(&b, msg) {
				return nil
			}
			w.status, w.refused = draw.Status{}, false // what was said was about what is over now
			if b.Disabled != "" {
				w.refuse(whyOff(b.Label, b.Disabled))
				return nil
			}
			return b.press()
		}
	}
	if w.plainStep() && w.focused() != nil {
		return w.typed(msg)
	}
	return nil
}

// pressUnseen takes a key where the step has no room: only those that leave it.
func (w *Wizard) pressUnseen(stroke string) tea.Cmd {
	for _, b := range w.everyKeys() {
		if slices.Contains(b.strokes, stroke) {
			return b.press()
		}
	}
	return nil
}

// refuse says why a key was not taken, as long as what it was for stands there.
func (w *Wizard) refuse(why string) {
	w.say(screen.Warning, why)
	w.refused = true
}

func whyOff(label, why string) string {
	label = strings.ToUpper(label[:min(1, len(label))]) + label[min(1, len(label)):]
	return label + " is off: " + why
}

// plainStep reports that nothing lies over the step.
func (w *Wizard) plainStep() bool {
	return w.viewer == nil && w.asking == nil && w.check == nil && w.help == nil && w.shown == nil && w.under == nil
}

// bind computes the keys that work now.
func (w *Wizard) bind() []binding {
	var keys []binding
	switch {
	case w.check != nil:
		keys = w.checkKeys()
	case w.viewer != nil:
		keys = w.viewerKeys()
	case w.asking != nil:
		keys = w.confirmKeys()
	case w.shown != nil:
		keys = w.shownKeys()
	case w.help != nil:
		keys = w.helpKeys()
	case w.under != nil:
		keys = w.scenarioKeys()
	default:
		keys = w.plainKeys()
	}
	return append(keys, w.everyKeys()...)
}

// plainKeys are those of the step, with nothing over it.
func (w *Wizard) plainKeys() []binding {
	if w.focused() != nil {
		return w.fieldKeys()
	}
	return w.stepKeys()
}

// everyKeys work on every screen.
func (w *Wizard) everyKeys() []binding {
	return []binding{
		bound("ctrl+c", "leave", "leave; the session is saved and rolecall resume goes on", w.leaveByKey, "ctrl+c"),
		hidden("ctrl+z", "put rolecall in the background (fg brings it back)", func() tea.Cmd { return tea.Suspend }, "ctrl+z"),
	}
}

func bound(name, label, help string, press func() tea.Cmd, strokes ...string) binding {
	return binding{Key: draw.Key{Name: name, Label: label, Help: help}, strokes: strokes, press: press}
}

// obvious is a key whose label can be left out where there is little room.
func obvious(b binding) binding {
	b.Obvious = true
	return b
}

// also is a press that the help of another key tells.
func also(press func() tea.Cmd, strokes ...string) binding {
	return hidden("", "", press, strokes...)
}

func hidden(name, help string, press func() tea.Cmd, strokes ...string) binding {
	b := bound(name, help, help, press, strokes...)
	b.Hidden = true
	return b
}

// silent is a press without a command.
func silent(do func()) func() tea.Cmd {
	return func() tea.Cmd { do(); return nil }
}

func (w *Wizard) leaveByKey() tea.Cmd { return w.leave(quitting) }

// stepKeys are those of a step while no field has the focus.
func (w *Wizard) stepKeys() []binding {
	keys := w.enterKeys()
	keys = append(keys, w.arrowKeys()...)
	keys = append(keys, w.nodeKeys()...)
	keys = append(keys, w.followKeys()...)
	keys = append(keys, w.filterKey()...)
	keys = append(keys, w.actionKeys()...)
	keys = append(keys, w.verdictKeys()...)
	keys = append(keys, w.copyKeys()...)
	keys = append(keys, w.outsideKeys()...)
	keys = append(keys, w.moveKeys()...)
	keys = append(keys, w.rehearsalKeys()...)
	if w.walk.CanGoBack() {
		keys = append(keys, bound("b", "back", "go back; what you answered is kept (also esc)", w.backByKey, "b", "esc"))
	}
	return append(
		keys,
		obvious(bound("?", "help", "what this step is for, and its keys", silent(func() { w.help, w.top, w.follow = &help{}, 0, false }), "?")),
	)
}

func (w *Wizard) arrowKeys() []binding {
	if len(w.items) < 2 && !w.tall {
		return nil
	}
	return []binding{obvious(bound(draw.Arrows, "move", "move the mark (also j and k)", silent(func() { w.step(1) }), "down", "j")),
		also(silent(func() { w.step(-1) }), "up", "k")}
}

func (w *Wizard) moveKeys() []binding {
	var keys []binding
	if len(w.items) > 1 {
		tab := bound("tab", "next field", "move the focus to the next part (shift+tab back)", silent(func() { w.tab(1) }), "tab")
		_, tab.Hidden = w.find(draw.Field)
		tab.Hidden = !tab.Hidden
		keys = append(keys, tab, also(silent(func() { w.tab(-1) }), "shift+tab"))
	}
	return append(keys, w.pageKeys()...)
}

// pageKeys scroll what does not fit, also while a field has the focus or a question
// is asked: they are no letters.
func (w *Wizard) pageKeys() []binding {
	if !w.tall {
		return nil
	}
	page := max(w.drawn.Rows-3, 1)
	return []binding{obvious(bound("pgdn", "more", "scroll down (pgup: up)", silent(func() { w.scroll(page) }), "pgdown")),
		also(silent(func() { w.scroll(-page) }), "pgup")}
}

func (w *Wizard) backByKey() tea.Cmd { return w.leave(goingBack) }

// enterKeys are enter and, where it confirms something that writes, y.
func (w *Wizard) enterKeys() []binding {
	enter := w.enterKey()
	if !enter.writes {
		return []binding{enter}
	}
	yes := hidden("y", enter.Help+" (at once)", enter.press, "y")
	yes.confirms, yes.writes = true, true
	return []binding{enter, yes}
}

// enterKey is what enter does: pick the marked option, else press the default
// action, else go to where something is asked.
func (w *Wizard) enterKey() binding {
	if item, ok := w.item(); ok && item.Kind == draw.Option {
		key := bound(
			"enter",
			"choose",
			"choose what is marked",
			func() tea.Cmd { return w.choose(screen.Chose{Block: item.Block, ID: item.ID}) },
			"enter",
		)
		key.Disabled, key.confirms = item.Disabled, true
		return w.seen(key)
	}
	for _, a := range w.screen.Actions {
		if a.Default {
			return w.actionKey("enter", a)
		}
	}
	for i, item := range w.items {
		if item.Kind == draw.Field || item.Kind == draw.Option && item.Picked {
			return bound("enter", "answer", "go to what is asked", silent(func() { w.mark(i) }), "enter")
		}
	}
	key := bound("enter", "next", "go on", nil, "enter")
	key.Disabled = "rolecall goes on by itself"
	return key
}

func (w *Wizard) actionKeys() []binding {
	var keys []binding
	for _, a := range w.screen.Actions {
		if a.Key == "" {
			continue
		}
		keys = append(keys, w.actionKey(a.Key, a))
	}
	return keys
}

// actionKey is the key of an action. One that asks before it writes is held to
// the rules of its question.
func (w *Wizard) actionKey(name string, a screen.Action) binding {
	key := bound(name, a.Label, a.Label, func() tea.Cmd { return w.do(a) }, strings.ToLower(name))
	key.Disabled, key.confirms = a.Disabled, true
	if a.Writes {
		return w.writing(key, a.Confirm != nil && a.Confirm.Question != "" && !a.Confirm.Given)
	}
	return key
}

// do carries out an action, after its question. Where the screen itself is the
// question, the key was the answer.
func (w *Wizard) do(a screen.Action) tea.Cmd {
	if a.Confirm != nil && a.Confirm.Question != "" && !a.Confirm.Given {
		w.asking = &a
		return nil
	}
	return w.choose(screen.Chose{ID: a.ID})
}

// choose tells the step what the person decided.
func (w *Wizard) choose(msg screen.Msg) tea.Cmd {
	w.follow = true
	_, w.chose = msg.(screen.Chose)
	w.status = draw.Status{}
	return w.tell(msg)
}

func (w *Wizard) confirmKeys() []binding {
	yes := func() tea.Cmd {
		a := w.asking
		w.asking = nil
		return w.choose(screen.Chose{ID: a.ID})
	}
	no := silent(func() { w.asking = nil })
	agree := bound("y", "yes", "yes (also enter)", yes, "y", "Y", "enter")
	agree.confirms, agree.writes = true, true
	return append([]binding{agree, bound("n", "no", "no (also esc)", no, "n", "N", "esc")}, w.pageKeys()...)
}

// nodeKeys tick and fold what is marked in a tree.
func (w *Wizard) nodeKeys() []binding {
	item, ok := w.item()
	if !ok || item.Kind != draw.Node {
		return nil
	}
	tick := bound("space", "tick", "tick or untick what is marked", func() tea.Cmd {
		w.moved = true
		return w.choose(screen.Ticked{ID: item.ID, On: !item.On})
	}, "space")
	tick.Disabled = item.Disabled
	keys := []binding{tick}
	if item.Folds {
		keys = append(keys, bound("→", "details", "fold out children and details", silent(func() { w.fold(item, true) }), "right", "l"))
	}
	return append(keys, hidden("←", "fold in, or go up to what holds it", silent(func() { w.fold(item, false) }), "left", "h"))
}

// followKeys tick instructions: the one that is marked, else the next one.
func (w *Wizard) followKeys() []binding {
	item, ok := w.item()
	if ok && item.Kind == draw.Node {
		return nil
	}
	if !ok || item.Kind != draw.ToDo {
		i := slices.IndexFunc(w.items, func(i draw.Item) bool { return i.Kind == draw.ToDo && !i.On })
		if i < 0 {
			return nil
		}
		item = w.items[i]
	}
	help := "say that this instruction is done: the marked one, or the next"
	if item.On {
		help = "say that this instruction is not done"
	}
	return []binding{bound("space", "tick", help, func() tea.Cmd {
		return w.choose(screen.Followed{ID: item.ID, Done: !item.On})
	}, "space")}
}

// verdictKeys show what is right too, one by one.
func (w *Wizard) verdictKeys() []binding {
	if !draw.FoldsChecks(w.screen) {
		return nil
	}
	word, fold := "all checks", w.folds[draw.CheckFold]
	if fold.Details {
		word = "fewer checks"
	}
	fold.Details = !fold.Details
	return []binding{
		bound(draw.CheckKey, word, "show or hide what is right", silent(func() { w.folds[draw.CheckFold] = fold }), draw.CheckKey),
	}
}

// fold opens children first, then details; and the other way round. Where there
// is nothing to fold in, the mark goes to the node above.
func (w *Wizard) fold(item draw.Item, out bool) {
	f := w.folds[item.Key]
	switch {
	case out && f.Closed:
		f.Closed = false
	case out:
		f.Details = true
	case f.Details:
		f.Details = false
	case item.Children && !f.Closed:
		f.Closed = true
	default:
		for i, above := range w.items {
			if above.Key == item.Parent {
				w.mark(i)
			}
		}
		return
	}
	w.folds[item.Key] = f
	w.moved, w.follow = true, true
}

// copyKeys are c and the numbers.
func (w *Wizard) copyKeys() []binding {
	item, ok := w.toCopy()
	if !ok {
		return nil
	}
	keys := []binding{bound("c", "copy", "copy what is marked, byte for byte", func() tea.Cmd { return w.copyItem(item) }, "c")}
	last := 0
	for _, item := range w.items {
		if item.Number == 0 {
			continue
		}
		last = max(last, item.Number)
		n := strconv.Itoa(item.Number)
		keys = append(keys, hidden(n, "copy "+item.Label, func() tea.Cmd { return w.copyItem(item) }, n))
	}
	if last > 1 {
		keys[0].Name = "c 1-" + strconv.Itoa(last)
	}
	keys = append(keys, w.plainKey(item))
	return append(keys, w.checkKey()...)
}

func (w *Wizard) copyItem(item draw.Item) tea.Cmd {
	return w.copy(item.Key, screen.Copy{Label: item.Label, Text: item.Text})
}

// outsideKeys open, save and view.
func (w *Wizard) outsideKeys() []binding {
	var keys []binding
	if page, ok := w.find(draw.Page); ok {
		keys = append(keys, bound("o", "open", "open "+cmp.Or(page.Label, "the page")+" in the browser", func() tea.Cmd {
			return w.open(screen.Link{Label: page.Label, URL: page.Text})
		}, "o"))
	}
	if item, ok := w.toSave(); ok {
		keys = append(keys, bound("s", "save", "save "+item.Label+" to a new file here", func() tea.Cmd {
			return w.saveFile(item.Key, screen.Save{Label: item.Label, Name: fileName(item), Text: item.Text})
		}, "s"))
	}
	if doc, ok := w.toView(); ok {
		keys = append(keys, bound("v", "view", "view "+doc.Label+" whole", silent(func() { w.view(doc.Code) }), "v"))
	}
	return keys
}

// toView is the document that v shows: the one that the person marked, else one
// that says what is wrong, else the first.
func (w *Wizard) toView() (draw.Item, bool) {
	if !w.moved {
		for _, item := range w.items {
			if item.Code.Aside {
				return item, true
			}
		}
	}
	return w.find(draw.Document)
}

func (w *Wizard) toSave() (draw.Item, bool) {
	if item, ok := w.item(); ok && copyable(item) {
		return item, true
	}
	if item, ok := w.find(draw.Document); ok {
		return item, true
	}
	return w.find(draw.Value)
}

// fileName is the document's own, or one made from the label of a value.
func fileName(item draw.Item) string {
	if item.Kind == draw.Document && item.Code.Name != "" {
		return item.Code.Name
	}
	return draw.FileName(item.Label)
}

// fieldKeys are those of a step while a field has the focus: letters are text.
func (w *Wizard) fieldKeys() []binding {
	item, _ := w.item()
	if item.Filter {
		return w.filterKeys(item)
	}
	enter := func() tea.Cmd {
		f := w.fields[item.ID]
		f.typed, f.asked = false, false
		return w.choose(screen.Entered{ID: item.ID, Text: f.edit.Value()})
	}
	take := bound("enter", "go on", "take what is typed", enter, "enter")
	take.confirms = true
	keys := []binding{w.seen(take)}
	if len(w.items) > 1 {
		keys = append(
			keys,
			bound("tab", "move on", "move the focus to the next part (shift+tab and the arrows too)", silent(func() { w.tab(1) }), "tab"),
			also(silent(func() { w.tab(-1) }), "shift+tab"),
			also(silent(func() { w.step(-1) }), "up"),
			also(silent(func() { w.step(1) }), "down"),
		)
	}
	keys = append(append(keys, w.pageKeys()...), w.rehearsalKeys()...)
	switch {
	case len(w.news) > 0:
		keys = append(keys, bound("esc", "show it", "leave the field, and show what came", silent(func() {
			f := w.focused()
			f.typed, f.asked = false, false
		}), "esc"))
	case w.walk.CanGoBack():
		keys = append(keys, bound("esc", "back", "go back", w.backByKey, "esc"))
	}
	return keys
}

// filterKeys are those while a filter has the focus. Whoever leaves it is in the
// list that it narrows.
func (w *Wizard) filterKeys(item draw.Item) []binding {
	into := silent(func() {
		w.fields[item.ID].typed, w.fields[item.ID].asked = false, false
		if w.at()+1 < len(w.items) {
			w.mark(w.at() + 1)
			return
		}
		w.marked, w.moved = "", false
	})
	clearing := func() tea.Cmd {
		w.fields[item.ID].edit.SetValue("")
		_ = into()
		return w.tell(screen.Changed{ID: item.ID})
	}
	return []binding{
		bound("enter", "to the list", "go to the list (also tab and down)", into, "enter"), also(into, "tab", "down"),
		also(silent(func() { w.step(-1) }), "up", "shift+tab"),
		bound("esc", "show all", "show all of the list again", clearing, "esc"),
	}
}

// filterKey goes to the filter of a list.
func (w *Wizard) filterKey() []binding {
	i := slices.IndexFunc(w.items, func(item draw.Item) bool { return item.Filter })
	if i < 0 {
		return nil
	}
	return []binding{bound("/", "filter", "type what the list is narrowed to", silent(func() { w.mark(i) }), "/")}
}

func (w *Wizard) closeKeys(end func()) []binding {
	closing := func() tea.Cmd { end(); w.top, w.follow = 0, true; return nil }
	page := max(w.drawn.Rows-3, 1)
	keys := []binding{bound("esc", "close", "close this (also enter, b, ?)", closing, "esc", "enter", "b", "?", "q")}
	scroll := bound(draw.Arrows, "scroll", "scroll (also j and k, pgdn and pgup)", silent(func() { w.scroll(1) }), "down", "j")
	scroll.Hidden = !w.tall
	return append(keys, scroll, also(silent(func() { w.scroll(-1) }), "up", "k"),
		also(silent(func() { w.scroll(page) }), "pgdown", "space"), also(silent(func() { w.scroll(-page) }), "pgup"))
}

func (w *Wizard) shownKeys() []binding {
	link := *w.shown
	copying := bound("c", "copy", "copy the address", func() tea.Cmd {
		return w.copy("", screen.Copy{Label: cmp.Or(link.Label, "The address"), Text: link.URL})
	}, "c")
	keys := append([]binding{copying}, w.checkKey()...)
	return append(keys, w.closeKeys(func() { w.shown = nil })...)
}
