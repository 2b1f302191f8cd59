package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The random documents of these tests speak of few accounts, names, IDs and
// values, so that their statements meet.
const (
	randomVendor   = "922761411349"
	randomOwn      = "123456789012"
	randomStranger = "444455556666"
	randomID       = "ours:1a"
)

var randomNow = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// dice makes random documents.
type dice struct{ *rand.Rand }

func (d dice) one(of ...string) string { return of[d.IntN(len(of))] }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

// some is one or more of the values, each once.
func (d dice) some(of ...string) any {
	if d.chance(60) {
		return d.one(of...)
	}
	n := 1 + d.IntN(3)
	var out []string
	for range n {
		if v := d.one(of...); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func arnOf(account, rest string) string { return "arn:aws:iam::" + account + ":" + rest }

func (d dice) principal() map[string]any {
	account := d.one(randomVendor, randomVendor, randomVendor, randomOwn, randomStranger)
	out := map[string]any{
		"AWS": d.some(
			account,
			arnOf(account, "root"),
			arnOf(account, "root"),
			arnOf(randomVendor, "root"),
			arnOf(account, "role/app"),
			arnOf(account, "role/path/app"),
			arnOf(account, "user/bob"),
			"arn:aws:sts::"+account+":assumed-role/app/s1",
			"*",
			"AROAEXAMPLEEXAMPLE123",
		),
	}
	if d.chance(4) {
		out["Service"] = d.one("ec2.amazonaws.com", "lambda.amazonaws.com")
	}
	if d.chance(4) {
		out["Federated"] = "arn:aws:iam::" + randomOwn + ":saml-provider/idp"
	}
	return out
}

func (d dice) condition(into map[string]any) {
	set := d.one("", "", "", "", "ForAnyValue:", "ForAllValues:")
	suffix := d.one("", "", "", "IfExists")
	add := func(operator, key string, values any) {
		keys, _ := into[operator].(map[string]any)
		if keys == nil {
			keys = map[string]any{}
		}
		keys[key] = values
		into[operator] = keys
	}
	text := d.one("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike")
	order := d.one("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
	switch d.IntN(20) {
	case 0, 1, 2, 3, 4, 5:
		add(
			set+text+suffix,
			d.one("sts:ExternalId", "sts:externalid"),
			d.some(randomID, randomID, randomID, strings.ToUpper(randomID), "other1", "ours*", "*", "??*",
				"ours:??", "*a", "${aws:PrincipalAccount}", "${aws:username}", "ours${*}", "x${aws:PrincipalTag/team, 'ops'}", "ou${?}s"),
		)
	case 6:
		add("Null", d.one("sts:ExternalId", "aws:PrincipalOrgID", "aws:TagKeys"), d.some("true", "false"))
	case 7:
		add(
			set+d.one("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")+suffix,
			"aws:PrincipalArn",
			d.some(arnOf(randomVendor, "*"), arnOf("*", "role/*"),
				arnOf(randomVendor, "role/app"), arnOf(randomOwn, "user/bob"), "arn:*:iam::*:user/?ob", arnOf("${aws:PrincipalAccount}", "*")),
		)
	case 8:
		add(
			set+text+suffix,
			"aws:PrincipalArn",
			d.some(arnOf(randomVendor, "*"), arnOf("*", "role/*"), arnOf(randomVendor, "role/app"), "*app", arnOf(randomVendor, "user/*")),
		)
	case 9:
		add(
			set+text+suffix,
			"aws:PrincipalAccount",
			d.some(randomVendor, randomVendor, randomOwn, "9*", "????????????", "${aws:ResourceAccount}"),
		)
	case 10:
		add(set+text+suffix, "aws:PrincipalOrgID", d.some("o-a", "o-b", "o-*", "${aws:PrincipalTag/team}"))
	case 11:
		add(set+"Bool"+suffix, d.one("aws:SecureTransport", "aws:MultiFactorAuthPresent", "aws:PrincipalIsAWSService"), d.one("true", "false"))
	case 12, 13:
		add(set+"Date"+order+suffix, d.one("aws:CurrentTime", "aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime"),
			d.one("2020-01-01T00:00:00Z", "2026-11-25T12:00:00Z", "2027-03-01", "2099-01-01T00:00:00Z", "1893456000"))
	case 14:
		add(
			set+d.one("IpAddress", "NotIpAddress")+suffix,
			"aws:SourceIp",
			d.some("203.0.113.0/24", "10.0.0.0/8", "203.0.113.7", "0.0.0.0/1", "128.0.0.0/1"),
		)
	case 15:
		add(set+"Numeric"+order+suffix, "aws:MultiFactorAuthAge", d.one("300", "10", "4000.5"))
	case 16:
		add(set+text+suffix, "aws:TagKeys", d.some("a", "b", "*", "A"))
	case 17:
		add(set+text+suffix, "aws:PrincipalTag/team", d.some("ops", "dev*", "*", "", "${sts:ExternalId}", "${aws:PrincipalOrgID}"))
	case 18:
		add(
			set+text+suffix,
			d.one("aws:PrincipalType", "aws:username", "aws:SourceAccount"),
			d.some("AssumedRole", "User", "bob", "b*", randomOwn),
		)
	case 19:
		add(set+"BinaryEquals"+suffix, "aws:PrincipalTag/team", "b3Bz")
	}
}

func (d dice) statement() map[string]any {
	s := map[string]any{"Effect": d.one("Allow", "Allow", "Deny")}
	switch {
	case d.chance(6):
		s["NotAction"] = d.some("sts:TagSession", "sts:AssumeRole", "sts:*")
	default:
		s["Action"] = d.some(
			"sts:AssumeRole",
			"sts:AssumeRole",
			"sts:AssumeRole",
			"sts:Assume*",
			"sts:TagSession",
			"STS:assumerole",
			"sts:AssumeRoleWithSAML",
		)
	}
	switch {
	case d.chance(6):
		s["NotPrincipal"] = d.principal()
	case d.chance(12):
		s["Principal"] = "*"
	default:
		s["Principal"] = d.principal()
	}
	if d.chance(75) {
		conditions := map[string]any{}
		for range 1 + d.IntN(2) {
			d.condition(conditions)
		}
		s["Condition"] = conditions
	}
	return s
}

// document is a random trust policy; half of them hold a right grant.
func (d dice) document() string {
	var statements []any
	for range d.IntN(3) {
		statements = append(statements, d.statement())
	}
	if d.chance(60) || len(statements) == 0 {
		grant := map[string]any{
			"Effect":    "Allow",
			"Action":    "sts:AssumeRole",
			"Principal": map[string]any{"AWS": d.one(randomVendor, arnOf(randomVendor, "root"))},
		}
		conditions := map[string]any{"StringEquals": map[string]any{"sts:ExternalId": randomID}}
		if d.chance(25) {
			d.condition(conditions)
		}
		grant["Condition"] = conditions
		statements = append(statements, grant)
	}
	if d.chance(25) {
		statements = append(statements, map[string]any{"Effect": "Deny", "Action": "sts:*", "Principal": d.some2(), "Condition": map[string]any{
			d.one("StringNotEquals", "StringNotEqualsIfExists", "ForAllValues:StringNotEquals", "StringNotLike"): map[string]any{
				"sts:ExternalId": randomID,
			},
		}})
		if d.chance(50) {
			statements = append(
				statements,
				map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"AWS": randomVendor}},
			)
		}
	}
	d.Shuffle(len(statements), func(i, j int) { statements[i], statements[j] = statements[j], statements[i] })
	text, err := json.Marshal(map[string]any{"Version": d.one(Version2012, Version2012, Version2012, "2008-10-17"), "Statement": statements})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (d dice) some2() any {
	if d.chance(50) {
		return "*"
	}
	return map[string]any{"AWS": d.one("*", randomVendor)}
}

// caller of the universe, with how principal lists may name it.
type universal struct {
	Caller
	action string
}

func universe() []universal {
	var out []universal
	for _, account := range []string{randomVendor, randomOwn, randomStranger, "555566667777"} {
		for _, rest := range []string{"role/app", "role/path/app", "role/zz", "user/bob", "user/zed", "root"} {
			out = append(out, universal{Caller{ARN: arnOf(account, rest)}, AssumeRole})
		}
		for _, role := range []string{"role/app", "role/path/app"} {
			out = append(out, universal{Caller{ARN: arnOf(account, role), Session: "arn:aws:sts::" + account + ":assumed-role/app/s1"}, AssumeRole})
		}
	}
	return append(
		out,
		universal{Caller{Service: "ec2.amazonaws.com"}, AssumeRole},
		universal{Caller{Service: "lambda.amazonaws.com"}, AssumeRole},
		universal{Caller{Provider: "arn:aws:iam::" + randomOwn + ":saml-provider/idp"}, AssumeRoleWithSAML},
	)
}

// call begins a concrete request of the oracle.
func (u universal) call() call {
	q := call{action: u.action, keys: map[string][]string{"aws:securetransport": {"true"}, "aws:principalisawsservice": {"false"}}}
	account := strings.Split(u.ARN+":::::", ":")[4]
	switch {
	case u.Service != "":
		q.who = []string{"Service " + u.Service}
		q.keys["aws:principalisawsservice"] = []string{"true"}
		q.parts = q.who
		return q
	case u.Provider != "":
		q.who = []string{"Federated " + u.Provider}
		q.parts = q.who
		return q
	}
	whole := "AWS " + account + "|AWS arn:aws:iam::" + account + ":root"
	q.who = append(strings.Split(whole, "|"), "AWS "+u.ARN)
	q.parts = []string{whole}
	q.keys["aws:resourceaccount"] = []string{randomOwn}
	q.keys["aws:principalaccount"] = []string{account}
	q.keys["aws:principalarn"] = []string{u.ARN}
	rest := strings.SplitN(u.ARN, ":", 6)[5]
	switch {
	case rest == "root":
		q.keys["aws:principaltype"] = []string{"Account"}
	case strings.HasPrefix(rest, "user/"):
		q.parts = append(q.parts, "AWS "+u.ARN)
		q.keys["aws:principaltype"] = []string{"User"}
		q.keys["aws:username"] = []string{rest[strings.LastIndex(rest, "/")+1:]}
	default:
		q.parts = append(q.parts, "AWS "+u.ARN, "AWS "+u.Session)
		q.keys["aws:principaltype"] = []string{"AssumedRole"}
		if u.Session != "" {
			q.who = append(q.who, "AWS "+u.Session)
		}
	}
	return q
}

// ids are the external IDs of the universe, "" for none.
func ids() []string {
	return []string{"", randomID, strings.ToUpper(randomID), "ours:1b", "ours:1ab", "other1", "zz", randomVendor, "bob", "xops"}
}

// others are the values of further keys; nil stands for absence.
func others() map[string][][]string {
	return map[string][][]string{
		"aws:principalorgid":         {nil, {"o-a"}, {"o-b"}, {"p"}},
		"aws:sourceip":               {nil, {"203.0.113.7"}, {"203.0.113.8"}, {"10.1.1.1"}, {"200.1.1.1"}},
		"aws:multifactorauthpresent": {nil, {"true"}, {"false"}},
		"aws:multifactorauthage":     {nil, {"9"}, {"10"}, {"300"}, {"301"}, {"4001"}},
		"aws:tagkeys":                {nil, {"a"}, {"b"}, {"c"}, {"a", "b"}, {"a", "c"}, {"A", "b"}},
		"aws:principaltag/team":      {nil, {"ops"}, {"devel"}, {"b3Bz"}, {"o-a"}, {"zz"}},
		"aws:tokenissuetime":         {nil, {"2019-01-01T00:00:00Z"}, {"2026-12-01T00:00:00Z"}},
	}
}

// times are moments from now on.
func times() []time.Time {
	return []time.Time{randomNow, randomNow.AddDate(0, 1, 0), randomNow.AddDate(1, 0, 0), randomNow.AddDate(5, 0, 0)}
}

// world is the universe as far as a document can see it.
type world struct {
	keys  []string
	times []time.Time
	other map[string][][]string
}

func worldOf(text string) world {
	w := world{other: others(), times: times()}
	lower := strings.ToLower(text)
	if !strings.Contains(lower, "aws:currenttime") && !strings.Contains(lower, "aws:epochtime") {
		w.times = w.times[:1]
	}
	for key := range w.other {
		if strings.Contains(lower, key) {
			w.keys = append(w.keys, key)
		}
	}
	slices.Sort(w.keys)
	return w
}

// each visits every combination of the further keys.
func (w world) each(q call, visit func(call) bool) bool {
	return w.fill(q, 0, visit)
}

func (w world) fill(q call, i int, visit func(call) bool) bool {
	if i == len(w.keys) {
		return visit(q)
	}
	for _, values := range w.other[w.keys[i]] {
		if values == nil {
			delete(q.keys, w.keys[i])
		} else {
			q.keys[w.keys[i]] = values
		}
		if !w.fill(q, i+1, visit) {
			return false
		}
	}
	return true
}

func (q call) at(now time.Time) call {
	q.keys["aws:currenttime"] = []string{now.Format(time.RFC3339)}
	q.keys["aws:epochtime"] = []string{fmt.Sprint(now.Unix())}
	return q
}

func (q call) id(id string) call {
	if id == "" {
		delete(q.keys, "sts:externalid")
	} else {
		q.keys["sts:externalid"] = []string{id}
	}
	return q
}

// request is the same for the first evaluator: everything is given.
func (q call) request(c Caller) Request {
	r := Request{Action: q.action, Caller: c}
	for key, values := range q.keys {
		r = r.With(key, values...)
	}
	return r
}

// again puts a request of the first evaluator to the oracle. Keys that it left
// open do not matter.
func again(o *oracle, r *Request) bool {
	q := universal{r.Caller, r.Action}.call()
	for key, s := range r.settings() {
		delete(q.keys, key)
		if !s.open && len(s.values) > 0 {
			q.keys[key] = s.values
		}
	}
	return o.allows(q)
}

// inParallel runs a test over seeds on all processors.
func inParallel(n int, run func(seed uint64)) {
	var wait sync.WaitGroup
	const workers = 4
	for w := range workers {
		wait.Go(func() {
			for seed := w; seed < n; seed += workers {
				run(uint64(seed))
			}
		})
	}
	wait.Wait()
}

const (
	randomDocuments = 10_000
	maxCombinations = 40 // of further keys that the oracle tries
)

// documents is how many documents are tried; a fifth unless
// ROLECALL_TESTS is "all".
func documents() int {
	if os.Getenv("ROLECALL_TESTS") == "all" {
		return randomDocuments
	}
	return randomDocuments / 5
}

// TestEvaluatorAgainstOracle puts random requests about random documents to
// both evaluators: concrete ones, and such with open keys, whose answer has to
// hold for every value that the oracle tries.
func TestEvaluatorAgainstOracle(t *testing.T) {
	t.Parallel()
	callers := universe()
	var lock sync.Mutex
	counts := map[string]int{}
	inParallel(documents(), func(seed uint64) {
		d := dice{rand.New(rand.NewPCG(seed, 1))}
		text := d.document()
		doc, _ := Check([]byte(text), Trust)
		o, w := newOracle(text), worldOf(text)
		mine := map[string]int{}
		for n := range 8 {
			u := callers[d.IntN(len(callers))]
			q := u.call().at(times()[d.IntN(4)]).id(d.one(ids()...))
			for _, key := range w.keys {
				if values := w.other[key][d.IntN(len(w.other[key]))]; values != nil {
					q.keys[key] = values
				}
			}
			want := o.allows(q)
			got := doc.Ask(q.request(u.Caller))
			mine["concrete "+got.Outcome.String()]++
			if got.Outcome == Depends || (got.Outcome == Allowed) != want {
				t.Errorf("seed %d: %v, the oracle says %v: %v\n%s", seed, got.Outcome, want, q, text)
				return
			}
			if n < 4 {
				mine["open "+openKeys(t, seed, doc, o, w, u, q, text)]++
			}
		}
		lock.Lock()
		defer lock.Unlock()
		for k, n := range mine {
			counts[k] += n
		}
	})
	t.Logf("%d documents, answers: %v", documents(), counts)
}

// openKeys asks with the external ID and all further keys open.
func openKeys(t *testing.T, seed uint64, doc *Document, o *oracle, w world, u universal, q call, text string) string {
	r := q.request(u.Caller).Unknown(ExternalIDKey).Unknown(w.keys...)
	got := doc.Ask(r)
	for want, example := range map[bool]*Request{true: got.Allowed, false: got.Denied} {
		if example != nil && again(o, example) != want {
			t.Errorf("seed %d: %s is not %v\n%s", seed, example, want, text)
		}
	}
	if got.Outcome == Depends {
		return "depends"
	}
	if combinations(w) > maxCombinations {
		return got.Outcome.String()
	}
	rules := o.concerning(q)
	for _, id := range ids() {
		w.each(q.id(id), func(q call) bool {
			if o.decide(rules, q) != (got.Outcome == Allowed) {
				t.Errorf("seed %d: always %v, and the oracle finds %v\n%s", seed, got.Outcome, q, text)
				return false
			}
			return true
		})
	}
	return got.Outcome.String()
}

func combinations(w world) int {
	n := 1
	for _, key := range w.keys {
		n *= len(w.other[key])
	}
	return n
}

// TestVerdictAgainstOracle asks of random documents whether they are what the
// vendor needs, and tries everybody of the universe with everything to see.
func TestVerdictAgainstOracle(t *testing.T) {
	t.Parallel()
	q := Inquiry{Partition: "aws", Account: randomOwn, Vendor: []string{randomVendor}, ExternalID: randomID, Now: randomNow}
	var lock sync.Mutex
	counts := map[string]int{}
	inParallel(documents(), func(seed uint64) {
		d := dice{rand.New(rand.NewPCG(seed, 2))}
		text := d.document()
		doc, _ := Check([]byte(text), Trust)
		o, w := newOracle(text), worldOf(text)
		if combinations(w) > maxCombinations {
			return
		}
		v := doc.Inquire(q)
		outcome, enters, door := compareVerdict(o, &v, w)
		lock.Lock()
		defer lock.Unlock()
		counts[outcome]++
		if strings.HasPrefix(outcome, "WRONG") {
			t.Errorf("seed %d: %s: %+v\nthe oracle: enters %v, door %v\n%s", seed, outcome, v, enters, door, text)
		}
		if outcome == "right refused" && counts[outcome] < 4 {
			t.Logf("seed %d: right, and refused: %+v\n%s", seed, v, text)
		}
	})
	t.Logf("%v", counts)
	if right := counts["right passed"] + counts["right refused"]; counts["right refused"]*100 > right {
		t.Errorf("%d of %d right documents are refused", counts["right refused"], right)
	}
}

// compareVerdict names how a verdict and the oracle's findings agree. What the
// verdict proves by a request that the oracle confirms is not looked for again.
func compareVerdict(o *oracle, v *Verdict, w world) (outcome string, enters bool, door *call) {
	out, open := false, false
	for _, a := range slices.Concat(v.Strangers, v.Own, admissions(v.Without), admissions(v.Loose)) {
		if a.Request != nil && !again(o, a.Request) {
			return "WRONG: the admitted request is denied: " + a.Request.String(), false, nil
		}
	}
	for _, a := range slices.Concat(v.Strangers, admissions(v.Without), admissions(v.Loose)) {
		open = open || a.Request != nil
	}
	for _, e := range v.Vendor {
		if e.Out != nil && e.Outcome != Allowed {
			if again(o, e.Out) {
				return "WRONG: the refused request is allowed: " + e.Out.String(), false, nil
			}
			out = true
		}
	}
	if !out {
		enters = o.enters(w)
	}
	if !open {
		door = o.door(w)
	}
	closed := !open && door == nil
	switch right := v.Right(); {
	case right && !closed:
		outcome = "WRONG: an open door is passed"
	case !enters && v.Enters():
		outcome = "WRONG: the vendor is kept out, and said to enter"
	case right:
		outcome = "right passed"
	case door != nil && !v.Door() && len(v.OtherIDs) == 0:
		outcome = "WRONG: a door is not told"
	case enters && closed:
		outcome = "right refused"
	default:
		outcome = "wrong refused"
	}
	return outcome, enters, door
}

func admissions(a *Admission) []Admission {
	if a == nil {
		return nil
	}
	return []Admission{*a}
}

// enters reports whether all users and roles of the vendor get in now.
func (o *oracle) enters(w world) bool {
	for _, u := range universe() {
		if !strings.Contains(u.ARN, randomVendor) || strings.HasSuffix(u.ARN, "root") {
			continue
		}
		q := u.call().at(randomNow).id(randomID)
		rules := o.concerning(q)
		if !w.each(q, func(q call) bool { return o.decide(rules, q) }) {
			return false
		}
	}
	return true
}

// door finds somebody who gets in and should not.
func (o *oracle) door(w world) *call {
	var found *call
	for _, u := range universe() {
		vendor, own := strings.Contains(u.ARN, randomVendor), strings.Contains(u.ARN, randomOwn)
		if own {
			continue
		}
		q := u.call()
		rules := o.concerning(q)
		if !slices.ContainsFunc(rules, func(r *rule) bool { return r.effect == "Allow" }) {
			continue
		}
		for _, id := range ids() {
			if vendor && id == randomID {
				continue
			}
			for _, at := range w.times {
				closed := w.each(q.at(at).id(id), func(q call) bool {
					if o.decide(rules, q) {
						found = &q
						return false
					}
					return true
				})
				if !closed {
					return found
				}
			}
		}
	}
	return nil
}
