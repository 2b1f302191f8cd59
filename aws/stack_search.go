package aws

import (
	"context"
	"slices"
	"time"
)

// templatesPerRound bounds how many stacks one look reads: an account can have
// hundreds of them. The newest come first, the others with the next looks.
const templatesPerRound = 8

// WantStack is a stack to be found by what is in it, whatever it was called.
type WantStack struct {
	Template string
	Outputs  []string // names that it must have, where its template may not be read
	Name     string   // suggested, may be empty
	// Since is when the person was asked to make it: a failed stack counts only
	// when it is younger.
	Since time.Time
}

// StackSearch looks for a stack that somebody makes outside of rolecall: in
// the console or with the AWS CLI.
type StackSearch struct {
	watch
	want  WantStack
	known map[string]bool // by ID and time of the last change: whether the content is right
	found []Stack
	named *Stack
}

// SearchStack makes a search.
func (a *Account) SearchStack(want WantStack) *StackSearch {
	return &StackSearch{watch: watch{account: a}, want: want, known: map[string]bool{}}
}

// Fetch looks once. It says when to look again, and whether a stack with the
// wanted content was found.
func (s *StackSearch) Fetch(ctx context.Context) (next time.Duration, done bool, err error) {
	s.note = ""
	if err := s.look(ctx); err != nil {
		next, err = s.finish(err)
		return next, len(s.found) > 0, err
	}
	s.trouble = 0
	return stackLater, len(s.found) > 0, nil
}

func (s *StackSearch) look(ctx context.Context) error {
	const list = "cloudformation:ListStacks"
	if s.may(list) {
		all, err := s.account.stacks(ctx, unretried)
		if err == nil {
			return s.sift(ctx, all)
		}
		if err = s.deny(list, err); err != nil {
			return err
		}
	}
	s.note = limited(list, "rolecall looks for the name "+s.want.Name+" alone")
	stack, err := s.account.Stack(ctx, s.want.Name)
	if KindOf(err) == NotFound {
		return s.sift(ctx, nil)
	}
	if err != nil {
		return err
	}
	return s.sift(ctx, []Stack{stack})
}

// sift reads what is new and keeps what has the wanted content.
func (s *StackSearch) sift(ctx context.Context, all []Stack) error {
	s.found, s.named = nil, nil
	read := 0
	for i := range all {
		stack := all[i]
		if !s.counts(stack) {
			continue
		}
		key := stack.ID + stack.Updated.String()
		right, known := s.known[key]
		if !known && read < templatesPerRound {
			read++
			var final bool
			var err error
			if right, final, err = s.fits(ctx, stack); err != nil {
				return err
			}
			known = true
			if right || final {
				s.known[key] = right
			}
		}
		switch {
		case right:
			s.found = append(s.found, stack)
		case known && stack.Name == s.want.Name:
			s.named = &stack
		}
	}
	return nil
}

// counts leaves out what cannot be meant: change sets that nobody ran, and
// stacks that failed before anybody was asked for one.
func (s *StackSearch) counts(stack Stack) bool {
	switch {
	case stack.Status == StackReview || stack.Status == "DELETE_IN_PROGRESS":
		return false
	case stack.Status.Blocked():
		return !stack.Created.Before(s.want.Since.Truncate(time.Second))
	}
	return true
}

// fits compares the template, or the names of the outputs where the template
// may not be read. Outputs appear at the end, so that a stack in the making is
// not judged by them for good.
func (s *StackSearch) fits(ctx context.Context, stack Stack) (right, final bool, err error) {
	const get = "cloudformation:GetTemplate"
	if s.may(get) {
		text, err := s.account.template(ctx, stack.ID, unretried)
		if err == nil {
			return SameTemplate(text, s.want.Template), true, nil
		}
		if KindOf(err) == NotFound {
			return false, false, nil // deleted in between
		}
		if err = s.deny(get, err); err != nil {
			return false, false, err
		}
	}
	s.note = limited(get, "rolecall goes by the names of a stack's outputs")
	full, err := s.account.Stack(ctx, stack.ID)
	if err != nil {
		return false, false, err
	}
	lacks := func(name string) bool { return full.Outputs[name] == "" }
	right = len(s.want.Outputs) > 0 && !slices.ContainsFunc(s.want.Outputs, lacks)
	return right, !stack.Status.Moving(), nil
}

// Matches are the stacks with the wanted content, the newest first.
func (s *StackSearch) Matches() []Stack { return slices.Clone(s.found) }

// Named is a stack of the suggested name with other content, nil when there is
// none.
func (s *StackSearch) Named() *Stack { return s.named }

// Note says what is limited just now, empty when nothing is.
func (s *StackSearch) Note() string { return s.note }
