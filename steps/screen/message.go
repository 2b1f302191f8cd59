package screen

import "cmp"

// Msg is something that happened: one of the types below from ui, or whatever
// a step's own Call returned.
type Msg any

// Messages that ui sends. They name the block that they come from.
type (
	// Changed tells the text of an Input after each edit.
	Changed struct{ ID, Text string }
	// Entered tells that enter was pressed in an Input.
	Entered struct{ ID, Text string }
	// Chose tells the Option picked in the Choices called Block, or, with an
	// empty Block, the Action that was pressed (and confirmed).
	Chose struct{ Block, ID string }
	// Followed tells that the person ticked the instruction, or took the tick away.
	Followed struct {
		ID   string
		Done bool
	}
	// Ticked tells that a node of a Tree was switched.
	Ticked struct {
		ID string
		On bool
	}
	// Copied tells how a copy went. Sent is true when the terminal was asked
	// and cannot confirm; Err says why nothing was copied.
	Copied struct {
		Label string
		Sent  bool
		Err   error
	}
	// Opened tells how opening a page went. Shown is true when the link was
	// put on the screen because no browser can be reached from here.
	Opened struct {
		URL   string
		Shown bool
		Err   error
	}
	// Saved tells where a document was written.
	Saved struct {
		Label, Path string
		Err         error
	}
	// Broke tells that the Call called Name panicked.
	Broke struct{ Name, Text string }
)

// Answered is a message that says how the request of its Call went, for the
// journal.
type Answered interface{ Outcome() Outcome }

// Outcome says how a request that writes went: what came of it, and the numbers
// by which whoever answered finds it again.
type Outcome struct {
	Result    Result
	Code      string // of the refusal: "AccessDenied"
	RequestID string
	Said      string // the refusal or the fault in words
}

// Result is what came of a request that writes.
type Result string

// The results of a request. Unknown: no answer tells, and no look did either.
const (
	ResultDone     Result = "done"
	ResultMade     Result = "made"
	ResultExists   Result = "exists" // already: it was not made by this request
	ResultRefused  Result = "refused"
	ResultUnknown  Result = "unknown"
	ResultPanicked Result = "panicked"
)

// With gives the outcome the number of the request, where it has none. What was
// done without one was seen by a look alone.
func (o Outcome) With(requestID string) Outcome {
	o.RequestID = cmp.Or(o.RequestID, requestID)
	if o.RequestID == "" && o.Said == "" && (o.Result == ResultMade || o.Result == ResultDone) {
		o.Said = "no answer came, and a look showed it"
	}
	return o
}

// Enter is what the key enter says on a screen as it arrives: it takes what is
// picked in a choice or stands in a field, or else the default action. It is nil
// where enter does nothing.
func (s Screen) Enter() Msg {
	for _, block := range s.Blocks {
		switch block := block.(type) {
		case Choices:
			if block.Picked != "" {
				return Chose{Block: block.ID, ID: block.Picked}
			}
		case Input:
			if block.Value != "" && block.Problem == "" {
				return Entered{ID: block.ID, Text: block.Value}
			}
		default: // nothing to answer
		}
	}
	for _, action := range s.Actions {
		if action.Default && action.Disabled == "" {
			return Chose{ID: action.ID}
		}
	}
	return nil
}
