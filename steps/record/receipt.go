package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"rolecall/aws"
	"rolecall/steps/screen"
)

// ItemKind says what an Item is.
type ItemKind string

// The kinds of things that rolecall makes.
const (
	ItemPolicy     ItemKind = "policy"
	ItemRole       ItemKind = "role"
	ItemAttachment ItemKind = "attachment"    // of a managed policy to a role
	ItemInline     ItemKind = "inline policy" // of a role
	ItemStack      ItemKind = "stack"
	// ItemProvider is an OIDC provider, by its host: it has no ID in AWS, so that the
	// moment of its creation stands for one.
	ItemProvider ItemKind = "OIDC provider"
	ItemStackSet ItemKind = "stack set" // of an organisation; its stacks are in the ledger of accounts

	ItemUser           ItemKind = "user"
	ItemUserAttachment ItemKind = "user attachment" // of a managed policy to a user
	ItemKey            ItemKind = "access key"      // of a user, by its ID: never its secret

	// Decisions on a delegation request, which make nothing: the request's ID is
	// their name.
	ItemDelegationAccepted ItemKind = "delegation acceptance"
	ItemDelegationReleased ItemKind = "delegation token"
	ItemDelegationRejected ItemKind = "delegation rejection"
)

// Decides tells the kinds that are decisions: nothing was made that could be
// taken away.
func (k ItemKind) Decides() bool {
	return k == ItemDelegationAccepted || k == ItemDelegationReleased || k == ItemDelegationRejected
}

// ItemState says what rolecall did with an Item.
type ItemState string

// The states of an Item.
const (
	ItemSent    ItemState = "sent"     // the request went out; no answer was seen yet
	ItemUnknown ItemState = "unknown"  // the answer got lost, and a look did not tell what was done
	ItemNotMade ItemState = "not made" // AWS refused the request
	ItemMade    ItemState = "made"     // by rolecall: disconnect removes it
	ItemAdopted ItemState = "adopted"  // it was there and right
	ItemUpdated ItemState = "updated"  // it was there; rolecall changed it
	ItemRemoved ItemState = "removed"  // by rolecall, later
)

// Item is one thing in an AWS account, with what proves later that it is still
// the same: its immutable ID and the digest of its document.
type Item struct {
	Kind    ItemKind  `json:"kind"`
	State   ItemState `json:"state"`
	Purpose string    `json:"purpose,omitempty"` // what the vendor uses it for: "SpotinstRoleArn"
	Name    string    `json:"name"`
	ARN     string    `json:"arn,omitempty"`     // of an attachment: the policy's
	ID      string    `json:"id,omitempty"`      // RoleId, PolicyId or StackId
	Digest  string    `json:"digest,omitempty"`  // of the policy, of a role's trust policy
	Role    string    `json:"role,omitempty"`    // attachment, inline policy: the role's name
	RoleID  string    `json:"role_id,omitempty"` // and its RoleId
	User    string    `json:"user,omitempty"`    // user attachment, access key: the user's name
	UserID  string    `json:"user_id,omitempty"` // and its UserId
	// Closed says that a role's trust policy lets nobody of the vendor in yet.
	Closed bool `json:"closed,omitempty"`
	// Pending is the digest that an update was sent for and never seen answered.
	Pending string `json:"pending,omitempty"`
	// Token marks the request that made a stack: its events carry it. ChangeSet is
	// the name of the change set that an empty stack came with, or of the one that was
	// last made for it. Earlier is what an update took the place of.
	Token     string   `json:"token,omitempty"`
	ChangeSet string   `json:"change_set,omitempty"`
	Earlier   *Earlier `json:"earlier,omitempty"`
	// Beside are the access keys that the user had before one was made.
	Beside []string `json:"beside,omitempty"`
	// Settings are what was asked for beside the document.
	Settings *Settings `json:"settings,omitempty"`
	// Sent is when the request that makes it went out, and RequestID AWS's number of
	// it. Looked says that its answer got lost, and a look told that it was made.
	Sent      time.Time `json:"sent,omitzero"`
	RequestID string    `json:"request_id,omitempty"`
	Looked    bool      `json:"looked,omitempty"`
	// Leaving is when a request to delete it went out that was not seen answered.
	Leaving time.Time `json:"leaving,omitzero"`
	// HandedOver is when the vendor had a role that takes the place of a user.
	HandedOver time.Time `json:"handed_over,omitzero"`
	// DeleteFrom is the day from which a key that was replaced may be deleted with its
	// user, and Deactivated when it was seen to be useless. The day is on record
	// before the request that deactivates the key.
	DeleteFrom  time.Time `json:"delete_from,omitzero"`
	Deactivated time.Time `json:"deactivated,omitzero"`

	At time.Time `json:"at"`           // of the state
	By string    `json:"by,omitempty"` // the ARN of who was signed in
}

// Earlier is the template that a stack had before its last update, which AWS
// itself does not keep.
type Earlier struct {
	Digest     string            `json:"digest"`   // as aws.TemplateDigest has it
	Template   []byte            `json:"template"` // exact to the byte: texts of a receipt lose line ends
	Parameters map[string]string `json:"parameters,omitempty"`
}

// same tells whether two entries are about one thing.
func (i Item) same(other Item) bool {
	return i.Kind == other.Kind && strings.EqualFold(i.Name, other.Name) && strings.EqualFold(i.Role, other.Role) &&
		strings.EqualFold(i.User, other.User)
}

// Identical tells whether two entries are about the very same thing: one that
// was deleted and made anew under its name has another ID.
func (i Item) Identical(other Item) bool {
	return i.ID == other.ID && i.RoleID == other.RoleID && i.UserID == other.UserID
}

// Writes tells whether a document is what rolecall wrote into the thing: the last
// one that it saw done, or the one that it sent and never saw answered.
func (i Item) Writes(digest string) bool {
	return digest == i.Digest || i.Pending != "" && digest == i.Pending
}

// Unproven tells whether rolecall asked for it and does not know what was done.
func (i Item) Unproven() bool { return i.State == ItemSent || i.State == ItemUnknown }

// Receipt is what one session made in an AWS account. It outlives the session.
type Receipt struct {
	Session       string    `json:"session"`
	Rehearsal     bool      `json:"rehearsal,omitempty"`
	Vendor        string    `json:"vendor"`
	VendorAccount string    `json:"vendor_account,omitempty"`
	Method        string    `json:"method"`
	Access        string    `json:"access"`
	Partition     string    `json:"partition"`
	AccountID     string    `json:"account_id"`
	Profile       string    `json:"profile,omitempty"`
	Region        string    `json:"region,omitempty"`
	Endpoint      string    `json:"endpoint,omitempty"` // where the requests went when that was not AWS
	Created       time.Time `json:"created"`
	Updated       time.Time `json:"updated"`
	Items         []Item    `json:"items"`
	// Organised is what every account of an organisation gets; nil for a receipt of
	// one account.
	Organised *Organised `json:"organised,omitempty"`
}

// index is the entry about the same thing that was not removed; -1: none is. A
// key has no name before it is made, so that one which was asked for may be any
// of its user's.
func (r Receipt) index(like Item) int {
	i := slices.IndexFunc(r.Items, func(i Item) bool { return i.same(like) && i.State != ItemRemoved })
	if i >= 0 || like.Kind != ItemKey {
		return i
	}
	return slices.IndexFunc(r.Items, func(i Item) bool {
		return i.Kind == ItemKey && i.Name == "" && i.Unproven() && strings.EqualFold(i.User, like.User)
	})
}

// Find returns the entry about the same thing that was not removed.
func (r Receipt) Find(like Item) (Item, bool) {
	i := r.index(like)
	if i < 0 {
		return Item{}, false
	}
	return r.Items[i], true
}

// Outstanding are the items that rolecall made, or may have made, and did not
// remove.
func (r Receipt) Outstanding() []Item {
	var all []Item
	for _, item := range r.Items {
		if (item.State == ItemMade || item.Unproven()) && !item.Kind.Decides() {
			all = append(all, item)
		}
	}
	return all
}

// put replaces what is known of a thing. What was removed stays on record.
func (r *Receipt) put(item Item) {
	i := r.index(item)
	switch {
	case i < 0:
		r.Items = append(r.Items, item)
	case item.State == ItemAdopted && item.Pending == "" && r.Items[i].Identical(item) && !r.Items[i].Unproven():
		// What was made or changed here and found again stays on record as such.
	case item.State == ItemUpdated && r.Items[i].Identical(item) && r.Items[i].State == ItemMade:
		made := r.Items[i]
		made.State, made.Digest, made.Pending, made.At, made.By = ItemMade, item.Digest, "", item.At, item.By
		made.Closed = item.Closed
		r.Items[i] = made
	default:
		r.Items[i] = item
	}
}

// Knowing is the receipt with what is known of one more thing.
func (r Receipt) Knowing(item Item) Receipt {
	r.Items = slices.Clone(r.Items)
	r.put(item)
	return r
}

// Ledger writes the receipt of one session while things are made. The zero
// value keeps it in memory alone. It is safe for use by several goroutines and
// processes.
type Ledger struct {
	store *Store
	id    string
	mu    sync.Mutex
	now   Receipt // without a store
}

// The files of a receipt, beside each other: the receipt itself, the same for
// people, the journal of a session that was removed, and the lock.
const (
	receiptsFolder = "receipts"
	extReceipt     = ".json"
	extMarkdown    = ".md"
	extJournal     = ".journal.jsonl"
	extLock        = ".lock"
	largestReceipt = 1 << 20
)

// Ledger opens the receipt of a session for writing. The file appears with the
// first item.
func (s *Store) Ledger(session string) *Ledger { return &Ledger{store: s, id: session} }

// Put writes an item into the receipt, as JSON and as Markdown, before it
// returns: the file is replaced as a whole or not at all. head says whose
// receipt it is; its items are not used.
func (l *Ledger) Put(head Receipt, item Item) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store == nil {
		l.now = head.with(l.now, item)
		return nil
	}
	old, unlock, err := l.begin(head)
	if err != nil {
		return err
	}
	defer unlock()
	head.Session = l.id
	return l.store.writeReceipt(head.with(old, item))
}

// Ready reports whether the receipt can be read and written now, with that head:
// what changes something asks before it is sent, so that it can be written down
// afterwards.
func (l *Ledger) Ready(head Receipt) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store == nil {
		return nil
	}
	_, unlock, err := l.begin(head)
	if err == nil {
		unlock()
	}
	return err
}

// Rename writes what a receipt says of its session, such as the method, and leaves
// its items as they are. Where there is none, nothing is written.
func (l *Ledger) Rename(head Receipt) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store == nil {
		head.Items, head.Created, head.Updated = l.now.Items, l.now.Created, l.now.Updated
		l.now = head
		return nil
	}
	old, unlock, err := l.begin(head)
	if err != nil {
		return err
	}
	defer unlock()
	if old.Session == "" {
		return nil
	}
	head.Session, head.Items, head.Created, head.Updated = l.id, old.Items, old.Created, old.Updated
	return l.store.writeReceipt(head)
}

// begin takes the receipt's lock and reads it; the zero Receipt when there is
// none yet.
func (l *Ledger) begin(head Receipt) (old Receipt, unlock func(), err error) {
	if !validSessionID(l.id) {
		return Receipt{}, nil, noSuchReceipt(l.id)
	}
	if err := l.store.makeFolders(); err != nil {
		return Receipt{}, nil, err
	}
	unlock, err = l.store.lockReceipt(l.id)
	if err != nil {
		return Receipt{}, nil, err
	}
	old, err = l.store.Receipt(l.id)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		err = head.continues(old)
	}
	if err != nil {
		unlock()
	}
	return old, unlock, err
}

// lockReceipt waits until no other process writes the receipt.
func (s *Store) lockReceipt(id string) (unlock func(), err error) {
	if markdown := s.receiptPath(id, extMarkdown); errors.Is(checkRegular(markdown), errFolder) {
		return nil, unreadable("The receipt of session "+id, markdown, errFolder, "Move the folder away.")
	}
	path := s.receiptPath(id, extLock)
	err = checkRegular(path)
	lock := flock.New(path, flock.SetPermissions(fileMode))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = lock.Lock()
	}
	if err != nil {
		return nil, unreadable("The lock of the receipt of session "+id, path, err, "Move it away when no rolecall is running.")
	}
	return func() { _ = lock.Close() }, nil // it ends with the program anyway
}

// continues refuses a receipt of two accounts: what was made in the one would
// look removed in the other.
func (r Receipt) continues(old Receipt) error {
	elsewhere := r.Rehearsal != old.Rehearsal || !r.Rehearsal && (r.AccountID != old.AccountID || r.Endpoint != old.Endpoint)
	if !elsewhere || len(old.Outstanding()) == 0 {
		return nil
	}
	return &screen.Fault{Problem: screen.Problem{
		What:     "Session " + old.Session + " made things " + old.where() + ", and this would be " + r.where() + ". Nothing was sent.",
		Expected: "one account for each session",
		Next:     "Begin another session there: rolecall connect. What this one made is removed by rolecall disconnect " + old.Session + ".",
		Kind:     screen.NotAsNeeded,
	}}
}

func (r Receipt) where() string {
	switch {
	case r.Rehearsal:
		return "in a rehearsal"
	case r.Endpoint != "":
		return "in account " + r.AccountID + " at " + r.Endpoint
	}
	return "in account " + r.AccountID
}

// with is the old receipt with the newest head and one more item.
func (r Receipt) with(old Receipt, item Item) Receipt {
	created := old.Created
	if created.IsZero() {
		created = item.At
	}
	r.Created, r.Updated, r.Items = created, item.At, slices.Clone(old.Items)
	r.put(item)
	return r
}

// Receipt reads what is written so far; the zero Receipt when nothing is.
func (l *Ledger) Receipt() (Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store == nil {
		return l.now, nil
	}
	r, err := l.store.Receipt(l.id)
	if errors.Is(err, fs.ErrNotExist) {
		return Receipt{}, nil
	}
	return r, err
}

// Leaving writes down that a request to delete a thing is about to be sent; a zero
// time that it was refused. What is not on record stays so.
func (l *Ledger) Leaving(head Receipt, item Item, at time.Time) error {
	now, err := l.Receipt()
	if err != nil {
		return err
	}
	known, ok := now.Find(item)
	if !ok || known.ID != item.ID {
		return nil
	}
	known.Leaving = at
	return l.Put(head, known)
}

// Others are the receipts of the other sessions, as far as they can be read.
func (l *Ledger) Others() ([]Receipt, error) {
	if l.store == nil {
		return nil, nil
	}
	listed, err := l.store.ListReceipts()
	var others []Receipt
	for _, one := range listed {
		if one.Err == nil && one.Session != l.id && !one.Receipt.Rehearsal {
			others = append(others, one.Receipt)
		}
	}
	return others, err
}

func (s *Store) receiptPath(id, ext string) string {
	return filepath.Join(s.folder, receiptsFolder, id+ext)
}

func (s *Store) writeReceipt(r Receipt) error {
	text, err := seal(r)
	if err != nil {
		return fmt.Errorf("write receipt of session %s: %w", r.Session, err)
	}
	if err := WriteAtomic(s.receiptPath(r.Session, extReceipt), text); err != nil {
		return s.cannotWrite(err)
	}
	if err := WriteAtomic(s.receiptPath(r.Session, extMarkdown), []byte(r.Markdown())); err != nil {
		return s.cannotWrite(err)
	}
	return nil
}

// Receipt reads the receipt of a session. The error wraps fs.ErrNotExist when
// the session made nothing, and IsUnreadable knows it when there is a receipt
// that cannot be read.
func (s *Store) Receipt(session string) (Receipt, error) {
	if !validSessionID(session) {
		return Receipt{}, noSuchReceipt(session)
	}
	path := s.receiptPath(session, extReceipt)
	text, err := readLimited(path, largestReceipt)
	if errors.Is(err, fs.ErrNotExist) {
		if !exists(s.receiptPath(session, extMarkdown)) && !exists(s.receiptPath(session, extJournal)) {
			return Receipt{}, noSuchReceipt(session)
		}
		err = errGone
	}
	var r Receipt
	if err == nil {
		r, _, err = unseal[Receipt](text)
	}
	if err == nil {
		err = r.check(session)
	}
	if err != nil {
		return Receipt{}, s.damagedReceipt(session, path, err)
	}
	return r, nil
}

// ReadReceipt reads the text of a receipt that was taken out of the store, such
// as one that is kept in a repository.
func ReadReceipt(text []byte) (Receipt, error) {
	r, _, err := unseal[Receipt](text)
	if err == nil {
		err = r.check(r.Session)
	}
	return r, err
}

// damagedReceipt names the file, and where else it is written what was made.
func (s *Store) damagedReceipt(session, path string, err error) error {
	next := "Put it back from a backup."
	if markdown := s.receiptPath(session, extMarkdown); checkRegular(markdown) == nil {
		next += " Or remove by hand, in the AWS console, what " + screen.CleanLine(markdown) + " lists"
	} else {
		next += " Or look in the AWS console for what rolecall made"
	}
	return unreadable("The receipt of session "+session, path, err, next+", and then move both files of the receipt away.")
}

// check refuses a receipt that is JSON and no receipt: one without an account
// would be looked up in any, and an item of an unknown state would be lost.
func (r Receipt) check(session string) error {
	if r.Session != session {
		return fmt.Errorf("it says that it is of session %q", r.Session)
	}
	if err := aws.CheckAccountID(r.AccountID); err != nil {
		return fmt.Errorf("it names no AWS account, but %q", r.AccountID)
	}
	states := []ItemState{ItemSent, ItemUnknown, ItemNotMade, ItemMade, ItemAdopted, ItemUpdated, ItemRemoved}
	for _, i := range r.Items {
		if !slices.Contains(states, i.State) {
			return fmt.Errorf("an item is in the state %q, which rolecall does not know", i.State)
		}
	}
	return nil
}

// ListedReceipt is one receipt of ListReceipts. Err, when set, says why it
// cannot be read.
type ListedReceipt struct {
	Session string
	Receipt Receipt
	Err     error
}

// ListReceipts reads all receipts, the newest first, also those that cannot be
// read.
func (s *Store) ListReceipts() ([]ListedReceipt, error) {
	path := filepath.Join(s.folder, receiptsFolder)
	files, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable("The folder of the receipts", path, err, "Put it back, or set XDG_STATE_HOME to another folder.")
	}
	var all []ListedReceipt
	for _, file := range slices.Backward(files) {
		id, _, _ := strings.Cut(file.Name(), ".")
		known := slices.ContainsFunc(all, func(one ListedReceipt) bool { return one.Session == id })
		if ext := strings.TrimPrefix(file.Name(), id); known || !validSessionID(id) || ext != extReceipt && ext != extMarkdown &&
			ext != extJournal {
			continue
		}
		one := ListedReceipt{Session: id}
		one.Receipt, one.Err = s.Receipt(id)
		all = append(all, one)
	}
	return all, nil
}

// Receipts reads all receipts, the newest first. One that cannot be read is an
// error: what it lists would be missing.
func (s *Store) Receipts() ([]Receipt, error) {
	listed, err := s.ListReceipts()
	if err != nil {
		return nil, err
	}
	all := make([]Receipt, 0, len(listed))
	for _, one := range listed {
		if one.Err != nil {
			return nil, one.Err
		}
		all = append(all, one.Receipt)
	}
	return all, nil
}

func noSuchReceipt(session string) error {
	return &screen.Fault{Err: fs.ErrNotExist, Problem: screen.Problem{
		What:     "There is no receipt of a session " + screen.CleanLine(session) + ".",
		Expected: "a session in which rolecall made something",
		Next:     "List what is kept: rolecall sessions list.",
		Kind:     screen.Usage,
	}}
}
