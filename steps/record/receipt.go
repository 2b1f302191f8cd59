package record

import (
	"encoding/json"
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

	ItemUser           ItemKind = "user"
	ItemUserAttachment ItemKind = "user attachment" // of a managed policy to a user
	ItemKey            ItemKind = "access key"      // of a user, by its ID: never its secret
)

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
	// Pending is the digest that an update was sent for and never seen answered.
	Pending string `json:"pending,omitempty"`
	// Token marks the request that made a stack: its events carry it.
	Token string `json:"token,omitempty"`
	// Beside are the access keys that the user had before one was made.
	Beside []string  `json:"beside,omitempty"`
	At     time.Time `json:"at"`           // of the state
	By     string    `json:"by,omitempty"` // the ARN of who was signed in
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

// Left are the items that rolecall made, or may have made, and did not remove.
func (r Receipt) Left() []Item {
	var left []Item
	for _, item := range r.Items {
		if item.State == ItemMade || item.Unproven() {
			left = append(left, item)
		}
	}
	return left
}

// put replaces what is known of a thing. What was removed stays on record.
func (r *Receipt) put(item Item) {
	i := r.index(item)
	switch {
	case i < 0:
		r.Items = append(r.Items, item)
	case item.State == ItemAdopted && r.Items[i].Identical(item) && !r.Items[i].Unproven():
		// What was made or changed here and found again stays on record as such.
	case item.State == ItemUpdated && r.Items[i].Identical(item) && r.Items[i].State == ItemMade:
		item.State = ItemMade
		r.Items[i] = item
	default:
		r.Items[i] = item
	}
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

const (
	receiptsFolder = "receipts"
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
	if !validSessionID(l.id) {
		return noSuchReceipt(l.id)
	}
	if err := l.store.makeReceipts(); err != nil {
		return err
	}
	lock := flock.New(l.store.receiptPath(l.id, "lock"), flock.SetPermissions(fileMode))
	if err := lock.Lock(); err != nil {
		return l.store.cannotWrite(err)
	}
	defer lock.Close()
	old, err := l.store.Receipt(l.id)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return l.store.writeReceipt(head.with(old, item))
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

func (s *Store) receiptPath(id, ext string) string {
	return filepath.Join(s.folder, receiptsFolder, id+"."+ext)
}

func (s *Store) makeReceipts() error {
	if err := os.MkdirAll(filepath.Join(s.folder, receiptsFolder), folderMode); err != nil {
		return s.cannotWrite(err)
	}
	return nil
}

func (s *Store) writeReceipt(r Receipt) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write receipt of session %s: %w", r.Session, err)
	}
	if err := writeAtomic(s.receiptPath(r.Session, "json"), append(text, '\n')); err != nil {
		return s.cannotWrite(err)
	}
	if err := writeAtomic(s.receiptPath(r.Session, "md"), []byte(r.Markdown())); err != nil {
		return s.cannotWrite(err)
	}
	return nil
}

// Receipt reads the receipt of a session. The error wraps fs.ErrNotExist when
// the session made nothing.
func (s *Store) Receipt(session string) (Receipt, error) {
	if !validSessionID(session) {
		return Receipt{}, noSuchReceipt(session)
	}
	text, err := readLimited(s.receiptPath(session, "json"), largestReceipt)
	if errors.Is(err, fs.ErrNotExist) {
		return Receipt{}, noSuchReceipt(session)
	}
	var r Receipt
	if err == nil {
		r, err = decodeClean[Receipt](text)
	}
	if err == nil && r.Session != session {
		err = fmt.Errorf("it says that it is of session %q", r.Session)
	}
	if err != nil {
		return Receipt{}, &screen.Fault{Err: err, Problem: screen.Problem{
			What:     "The receipt of session " + session + " cannot be read: " + screen.CleanLine(err.Error()) + ".",
			Expected: "a receipt as rolecall writes it",
			Next:     "Put the file back from a backup, or remove in the AWS console what " + session + ".md lists.",
		}}
	}
	return r, nil
}

// Receipts reads all receipts, the newest first. Damaged ones are passed over.
func (s *Store) Receipts() ([]Receipt, error) {
	files, err := os.ReadDir(filepath.Join(s.folder, receiptsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &screen.Fault{Err: err, Problem: screen.Problem{What: "The receipts cannot be read: " + screen.CleanLine(err.Error()) + ".",
			Expected: "a folder that you can read", Next: "Check the rights of " + screen.CleanLine(s.folder) + "."}}
	}
	var all []Receipt
	for _, file := range slices.Backward(files) {
		id, isJSON := strings.CutSuffix(file.Name(), ".json")
		if !isJSON {
			continue
		}
		if r, err := s.Receipt(id); err == nil {
			all = append(all, r)
		}
	}
	return all, nil
}

func noSuchReceipt(session string) error {
	return &screen.Fault{Err: fs.ErrNotExist, Problem: screen.Problem{
		What:     "There is no receipt of a session " + screen.CleanLine(session) + ".",
		Expected: "a session in which rolecall made something",
		Next:     "List the sessions: rolecall sessions list.",
		Kind:     screen.Usage,
	}}
}
