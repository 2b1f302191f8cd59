package review

import (
	"strings"
	"sync"

	"rolecall/assets"
)

// path is a set of actions that together give more than a policy says.
type path struct {
	id         string
	actions    [][]string // alternatives of each, in lower case
	spelled    [][]string
	pass       bool     // one of them is iam:PassRole
	principals []string // services that accept the role, without .amazonaws.com
	label      string   // the service that runs the code, with pass
	title      string   // what the holder could do, without pass
	low        bool     // needs luck, or a retired service
}

// risk is why one action stands in the tables.
type risk struct {
	class string // data, secret, share, blind, boundary, slr, instance-profile
	level Severity
}

// pair is an action that needs iam:PassRole beside it.
type pair struct {
	service, label string
	principals     []string
	runs           bool // the service runs what the caller chooses
}

// known is all that the tables say about one action.
type known struct {
	name   string // spelled as in the tables
	folded string
	risks  []risk
	pair   *pair
	path   bool // part of a path
}

type tables struct {
	paths     []*path
	actions   map[string]*known   // by folded name
	byService map[string][]*known // by service
	all       []*known
	pairs     []*known          // with iam:PassRole, they run what the caller chooses
	keys      map[string]string // type of each global condition key, by folded name
	spelled   map[string]string // the same, to how AWS spells it
}

// data is read once, when the first policy is reviewed.
var data = sync.OnceValue(readTables)

func readTables() *tables {
	t := &tables{actions: map[string]*known{}, byService: map[string][]*known{}, keys: map[string]string{}, spelled: map[string]string{}}
	eachLine(assets.ReviewPaths, t.readPath)
	eachLine(assets.ReviewPassRole, t.readPair)
	eachLine(assets.ReviewActions, t.readRisk)
	eachLine(assets.ReviewKeys, func(fields []string) {
		folded := strings.ToLower(fields[0])
		t.keys[folded], t.spelled[folded] = fields[1], fields[0]
	})
	return t
}

// key is the type of a global condition key, "" where there is none such.
func (t *tables) key(key string) string {
	if kind := t.keys[key]; kind != "" {
		return kind
	}
	family, name, _ := strings.Cut(key, "/")
	if name == "" {
		return ""
	}
	return t.keys[family+"/"]
}

// eachLine gives the fields of every line that is no comment.
func eachLine(text string, take func(fields []string)) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' {
			take(strings.Split(line, "|"))
		}
	}
}

func (t *tables) know(action string) *known {
	folded := strings.ToLower(action)
	if k := t.actions[folded]; k != nil {
		return k
	}
	k := &known{name: action, folded: folded}
	t.actions[folded] = k
	service, _, _ := strings.Cut(folded, ":")
	t.byService[service] = append(t.byService[service], k)
	t.all = append(t.all, k)
	return k
}

func (t *tables) readPath(fields []string) {
	p := &path{id: fields[0], principals: strings.Fields(fields[2]), title: fields[3], low: len(fields) > 4}
	for group := range strings.FieldsSeq(fields[1]) {
		var folded, spelled []string
		for action := range strings.SplitSeq(group, "/") {
			k := t.know(action)
			k.path = true
			folded, spelled = append(folded, k.folded), append(spelled, action)
			p.pass = p.pass || k.folded == passRole
		}
		p.actions, p.spelled = append(p.actions, folded), append(p.spelled, spelled)
	}
	if p.pass {
		p.label, p.title = p.title, ""
	}
	t.paths = append(t.paths, p)
}

func (t *tables) readPair(fields []string) {
	shared := &pair{service: fields[1], label: fields[2], principals: strings.Fields(fields[3]), runs: fields[0] == "+"}
	for name := range strings.FieldsSeq(fields[4]) {
		k := t.know(fields[1] + ":" + name)
		k.pair = shared
		if shared.runs {
			t.pairs = append(t.pairs, k)
		}
	}
}

func (t *tables) readRisk(fields []string) {
	r := risk{class: fields[0], level: Severity(fields[1])}
	for name := range strings.FieldsSeq(fields[3]) {
		k := t.know(fields[2] + ":" + name)
		k.risks = append(k.risks, r)
	}
}
