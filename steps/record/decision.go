package record

import (
	"slices"
	"time"
)

// Decisions is where decisions on one delegation request are written down: in a
// receipt of their own with its journal, which rolecall sessions show prints.
type Decisions struct {
	*Journal
	ID     string // of the receipt
	ledger *Ledger
	head   Receipt
	now    func() time.Time
}

// OpenDecisions opens the receipt in which the decisions on a delegation request
// are, or a new one. head says whose account it is and where; by is who runs it.
// One process at a time has it, until release. A receipt that cannot be read stops nothing: it
// can be of no request that is decided on here for the first time.
func (s *Store) OpenDecisions(head Receipt, request, command, by string, now func() time.Time) (d *Decisions, release func(), err error) {
	listed, err := s.ListReceipts()
	if err != nil {
		return nil, nil, err
	}
	for _, one := range listed {
		if r := one.Receipt; one.Err == nil && r.AccountID == head.AccountID && r.Endpoint == head.Endpoint && r.decidesOn(request) {
			head.Session = one.Session
			break
		}
	}
	for try := 0; head.Session == "" && try < sessionsAtOnce; try++ {
		if id := sessionID(now(), try); !s.known(id) {
			head.Session = id
		}
	}
	d = &Decisions{ID: head.Session, ledger: s.Ledger(head.Session), head: head, now: now}
	// The receipt comes before the journal: one without the other was damaged.
	if err := d.ledger.start(head); err != nil {
		return nil, nil, err
	}
	d.Journal, release, err = s.OpenReceiptJournal(d.ID, command, by, now)
	return d, release, err
}

func (r Receipt) decidesOn(request string) bool {
	return slices.ContainsFunc(r.Items, func(i Item) bool { return i.Kind.Decides() && i.Name == request })
}

// Put writes down what became of a decision.
func (d *Decisions) Put(item Item, state ItemState) error {
	item.State, item.At = state, d.now().UTC()
	return d.ledger.Put(d.head, item)
}

// start writes a receipt without anything in it, where there is none yet.
func (l *Ledger) start(head Receipt) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old, unlock, err := l.begin(head)
	if err != nil {
		return err
	}
	defer unlock()
	if old.Session != "" {
		return nil
	}
	head.Items = []Item{}
	return l.store.writeReceipt(head)
}
