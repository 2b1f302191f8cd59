package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"rolecall/steps/access"
	"rolecall/steps/screen"
)

// extAccounts is the file beside a receipt that says for each account of an
// organisation what was done about it.
const (
	extAccounts     = ".accounts.jsonl"
	largestAccounts = 64 << 20
)

// MethodOrganisation is the method of a receipt whose session connects the
// accounts of an organisation.
const MethodOrganisation = "organization"

// Member is what was done about one account of an organisation. What is empty
// was not done.
type Member struct {
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	Unit    string `json:"unit,omitempty"` // ID of the organisational unit
	Path    string `json:"path,omitempty"` // of the unit: "/prod/eu"

	// Asked is the name under which a vendor account was asked for.
	Asked         string `json:"asked,omitempty"`
	VendorAccount string `json:"vendor_account,omitempty"`
	ExternalID    string `json:"external_id,omitempty"`

	// Operation is the token of the newest operation on the account's stack, and
	// Tries how many there were.
	Operation string `json:"operation,omitempty"`
	Tries     int    `json:"tries,omitempty"`
	// Made tells that the stack was seen whole after that operation.
	Made bool `json:"made,omitempty"`
	// Ours tells that the stack was asked for by this session: it may be removed.
	Ours bool `json:"ours,omitempty"`
	// Offered is the role's ARN as it was sent to the vendor; Connected, that the
	// vendor took it, or that the person hands it over.
	Offered   string    `json:"offered,omitempty"`
	Connected bool      `json:"connected,omitempty"`
	Removed   bool      `json:"removed,omitempty"` // the stack is gone
	At        time.Time `json:"at"`
	By        string    `json:"by,omitempty"`
}

// Organised is what was chosen for all accounts of an organisation, so that later
// commands mean the same without flags.
type Organised struct {
	access.Selection
	access.Settings

	TrustedAccount string            `json:"trusted_account,omitempty"`
	ExternalID     string            `json:"external_id,omitempty"` // of all accounts; empty: each has its own
	RoleNames      map[string]string `json:"role_names,omitempty"`  // by purpose
	PolicyNames    map[string]string `json:"policy_names,omitempty"`
}

// memberLine is one line of the ledger. The checksum binds it to the line before.
type memberLine struct {
	Member

	Sum string `json:"sum"`
}

// Members is the ledger of an organisation's accounts: a file of JSON lines, the
// newest of an account counts. A line is on the disk before Put returns, so that
// a program that is killed between two of them loses nothing and does nothing
// twice. Only its last line may be torn.
type Members struct {
	path, session string

	mu    sync.Mutex
	all   map[string]Member
	order []string
	whole int
	sum   string
}

// openMembers reads the ledger of a session; an empty one where there is none.
func (s *Store) openMembers(session string) (*Members, error) {
	m := &Members{path: s.receiptPath(session, extAccounts), session: session, all: map[string]Member{}, sum: session}
	text, err := readLimited(m.path, largestAccounts)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = m.parse(text)
	}
	if err != nil {
		return nil, unreadable("The ledger of the accounts of session "+session, m.path, err, "Put it back from a backup.")
	}
	return m, nil
}

func (m *Members) parse(text []byte) error {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		strict := json.NewDecoder(bytes.NewReader(line))
		strict.DisallowUnknownFields()
		var one memberLine
		err := strict.Decode(&one)
		torn := line[len(line)-1] != '\n'
		if torn && (err != nil || errors.Is(err, io.ErrUnexpectedEOF)) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if one.Sum != one.sum(m.sum) {
			return fmt.Errorf("line %d: its checksum does not fit to it and to the line before", number)
		}
		m.take(one)
		m.whole += len(line)
	}
	return nil
}

func (m *Members) take(one memberLine) {
	if _, known := m.all[one.Account]; !known {
		m.order = append(m.order, one.Account)
	}
	m.all[one.Account], m.sum = one.Member, one.Sum
}

func (o Member) sum(before string) string {
	text, err := json.Marshal(o)
	if err != nil {
		return ""
	}
	return hexSum(append([]byte(before+"\n"), text...))[:32]
}

// Get is what is known of an account; its number alone where nothing is.
func (m *Members) Get(account string) Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	if one, ok := m.all[account]; ok {
		return one
	}
	return Member{Account: account}
}

// All are the accounts in the order in which they came.
func (m *Members) All() []Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Member, 0, len(m.order))
	for _, id := range m.order {
		all = append(all, m.all[id])
	}
	return all
}

// Put writes down what is known of an account now, and waits until the disk has
// it.
func (m *Members) Put(one Member) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	one.At, one.Name, one.By = one.At.UTC().Truncate(time.Second), screen.CleanLine(one.Name), screen.CleanLine(one.By)
	line := memberLine{Member: one, Sum: one.sum(m.sum)}
	text, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("write the ledger of accounts: %w", err)
	}
	text = append(text, '\n')
	if err := appendLine(m.path, m.whole, text); err != nil {
		return &screen.Fault{Err: err, Problem: screen.Problem{What: "The ledger of the accounts cannot be written: " +
			screen.CleanLine(err.Error()) + ". Nothing was sent.",
			Expected: "a folder that you can write to, with room", Next: "Make room or correct the rights, then try again."}}
	}
	m.take(line)
	m.whole = endOf(m.path).size
	return nil
}

// OpenOrganisation is a session on an organisation that this process alone may
// write, until Release.
type OpenOrganisation struct {
	ID      string
	Journal *Journal
	Members *Members
	Ledger  *Ledger // of the StackSet
	Release func()
}

// OpenOrganisation opens what is kept of a session on an organisation; without an
// ID in the head, a new one begins, with a receipt that says that nothing was
// made. Another rolecall that has it open is named.
func (s *Store) OpenOrganisation(head Receipt, set Item, command, by string, now func() time.Time) (*OpenOrganisation, error) {
	id := head.Session
	if err := s.makeFolders(); err != nil {
		return nil, err
	}
	for try := 0; id == "" && try < sessionsAtOnce; try++ {
		if free := sessionID(now(), try); !s.known(free) {
			id = free
		}
	}
	if head.Session == "" {
		set.State, set.At = ItemNotMade, now().UTC()
		if err := s.Ledger(id).Put(head, set); err != nil {
			return nil, err
		}
	}
	journal, release, err := s.OpenReceiptJournal(id, command, by, now)
	if err != nil {
		return nil, err
	}
	members, err := s.openMembers(id)
	if err != nil {
		release()
		return nil, err
	}
	return &OpenOrganisation{ID: id, Journal: journal, Members: members, Ledger: s.Ledger(id), Release: release}, nil
}

// Members reads the ledger of a session that may be open elsewhere.
func (s *Store) Members(session string) ([]Member, error) {
	m, err := s.openMembers(session)
	if err != nil {
		return nil, err
	}
	return m.All(), nil
}

// Organisation is the newest receipt of a session on an organisation that wanted
// picks; false when there is none. One that names a StackSet comes before one that
// came to nothing, such as of somebody who began beside another.
func (s *Store) Organisation(wanted func(Receipt) bool) (Receipt, bool, error) {
	all, err := s.Receipts()
	if err != nil {
		return Receipt{}, false, err
	}
	var nothing *Receipt
	for i, r := range all {
		switch {
		case r.Method != MethodOrganisation || !wanted(r):
		case slices.ContainsFunc(r.Items, func(item Item) bool { return item.Kind == ItemStackSet && item.State != ItemNotMade }):
			return r, true, nil
		case nothing == nil:
			nothing = &all[i]
		}
	}
	if nothing == nil {
		return Receipt{}, false, nil
	}
	return *nothing, true, nil
}
