package screen

import (
	"strings"
)

// AsPassing marks a problem that rolecall is still working on.
func (p *Problem) AsPassing() *Problem {
	if p == nil {
		return nil
	}
	kept := *p
	kept.Passing = true
	return &kept
}

// InScript is what to do where nobody can be asked: the flag stands behind it.
func (p *Problem) InScript() string {
	if p.Flag == "" {
		return p.Next
	}
	return strings.TrimSpace(p.Next + " Unattended: " + p.Flag + ".")
}

// ProblemFirst puts a problem, if there is one, before the blocks: what went
// wrong is read first.
func ProblemFirst(blocks []Block, p *Problem) []Block {
	if p == nil {
		return blocks
	}
	return append([]Block{*p}, blocks...)
}

// Request names the request for whoever answered it: "AWS request 0f1e… · code
// AccessDenied"; empty where there was no answer.
func (n Named) Request() string {
	var parts []string
	for _, part := range [][2]string{{n.By + " request ", n.RequestID}, {"code ", n.Code}, {"parameter ", n.Parameter}} {
		if part[1] != "" {
			parts = append(parts, part[0]+part[1])
		}
	}
	return strings.Join(parts, " · ")
}

// BrokenProblem tells that a call of rolecall itself went wrong.
func BrokenProblem(msg Broke) *Problem {
	return &Problem{What: "rolecall stumbled while it wanted to " + msg.Name + ": " + msg.Text + ".",
		Expected: "An answer.", Next: "Try again. If it comes back, report it with the words above."}
}

// Fault is a Problem that travels as an error.
type Fault struct {
	Problem Problem
	Err     error // the cause; may be nil
}

// Error is the problem in one line: what happened and what to do next.
func (f *Fault) Error() string {
	return strings.TrimSpace(f.Problem.What + " " + f.Problem.InScript())
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }
