// Contexts whose cancel function is not called on every path.
//
// # What it does
//
// It follows the cancel function of context.WithCancel, WithTimeout,
// WithDeadline, their Cause variants, signal.NotifyContext and functions of the
// analysed modules that return what these make. It reports one that is
// discarded, that goes to a function, a function literal or a field where
// nothing ever calls it, that piles up because it is deferred in a loop, and a
// path on which the function returns, or the next iteration of a loop begins, before
// it is called, deferred or handed on. Nor is it called where all that gets it are
// functions that call it on some of their paths only, and keep it nowhere. A new struct
// that only the function has does not count as somebody: where that is dropped, as by an
// error return, so is the cancel function in it. And one that is returned with an error
// which nobody has looked at is lost where the callers drop what comes with an error.
//
// It also reports the opposite: a response, rows or a transaction that are
// returned to the caller though their context is cancelled by then.
//
// # Why it leaks
//
// Until it is cancelled or its time is up, a context keeps its timer and its
// place in the tree below the parent, and so does everything made from it. Below
// a parent that never ends, that is for ever.
//
// A response whose context is cancelled can be read only as far as it has
// arrived: a short body comes through, mostly, a long one fails with "context
// canceled".
//
// # Example
//
//	-ctx, _ := context.WithTimeout(parent, time.Minute)
//	+ctx, cancel := context.WithTimeout(parent, time.Minute)
//	+defer cancel()
//	 return store.Save(ctx, record)
//
// # What is not reported
//
// A path on which the cancel function is returned, stored where something reads it,
// passed on or captured by a literal that may run later: whoever gets it may call it. The
// same goes for a struct that holds it. One of which a literal was made before. Functions
// that run once in a process, if they hand it on. Paths after <-ctx.Done(), and those on
// which ctx.Err() or context.Cause(ctx) says that the context has ended by itself. One whose time is up when it is made. One made
// from the Context of a test, which ends with the test, outside of loops. Paths that
// a condition rules out because the context is made under one that says otherwise. Paths that end in a
// panic, os.Exit, log.Fatal or t.Fatal, paths that never end, and main.main but
// for its loops. A context that is made from one that the function, or the one
// around a literal that is called where it stands, has cancelled on each path when
// it returns: it ends with that one. Of several that are lost and made from each
// other, the first is reported, and its fix cancels them all. A deferred cancel in
// a loop that soon ends, or whose contexts are needed when their iteration is over. A
// response that anything has read, closed or looked into before it is returned.
//
// # Fix safety
//
// A deferred cancel ends the context when the function returns. That is safe
// only if nothing uses the context afterwards, so the fix is offered only if
// neither the context nor anything made from it (a request, its response, rows, a
// stream) is returned, stored, used by a goroutine or by an earlier defer, or
// passed to a function that is known to keep it. No fix
// is offered for a cancel function that is assigned again, and where a comment
// says that it is intentional.
//
// The fix is unsafe where it is not known whether a callee is done with the
// context when it returns: a method of an interface that other packages may
// implement, a function value, a function without a body, one of a dependency
// that cannot be looked into. So it is for a request whose body may still be on its
// way, because the server may answer before it has read all of it, unless the body of the
// response is closed on each path; and where a transport of the package goes on
// using requests that it has answered. It is safe where the function cancels
// after that call unless it leaves because of an error.
//
// A deferred cancel that comes too late moves up if it does nothing else and no
// other call is deferred in between, at any depth. Otherwise a second one is put before
// it: that runs last, and to cancel twice is to cancel once. Where the function
// goes on for long after the last use of the context, as in a loop over a channel,
// cancel is called after that use. If the function may leave before, that fix is unsafe.
//
// Where other paths hand the cancel function on, it is called before each exit on which
// nobody has got it. That is safe if by then the context has not come to anything that may
// go on using it, a deferred call included. No fix is offered where such an exit is also
// reached after it was handed on, and where a goto leads to one.
//
// These fixes are unsafe: in a loop, cancel is called before each exit of the iteration,
// but not on a panic. Beside an error, cancel is called if that is set: a caller may use the
// context in spite of it. A context in the header of an if is moved before it and then lasts
// until the function returns. A context that one goroutine alone uses ends with the
// goroutine. What a function of your own makes may count on something else to end it. And
// the fix for signal.NotifyContext also restores the default action of the signals.
//
// # See also
//
// https://pkg.go.dev/context, go vet's lostcancel, which finds some of these and
// fixes none.
package lostcancel

import (
	_ "embed"
	"go/ast"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "lostcancel", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed lostcancel.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	mended := map[*ast.CallExpr]int{} // calls -> the match whose fix defers their cancel function
	for c := range p.Candidates((*ast.CallExpr)(nil)) {
		made, ok := ctxcancel.CancelMaker(p, c)
		if !ok {
			continue
		}
		l := cancelLeak{Cancel: made, p: p}
		first := -1 // of the matches that this one ends with, once that is mended
		ends := endsWithParent(&l.Cancel, func(call *ast.CallExpr) bool {
			i, ok := mended[call]
			if ok {
				first = i
			}
			return ok
		})
		if _, bare := l.Def.Node().(*ast.ExprStmt); ends && first < 0 && !bare {
			continue
		}
		m, ok := l.match()
		if !ok {
			continue
		}
		// The fix calls cancel(nil).
		if m.Fix != nil && made.Type == "CancelCauseFunc" && naming.Redeclared(p, "nil", c) {
			m = m.None("nil is shadowed here")
		}
		if ends && l.owed { // one leak, one fix
			out[first] = join(out[first], m)
			mended[made.Call] = first
			continue
		}
		if m.Applicability == finding.Safe && l.defers {
			mended[made.Call] = len(out)
		}
		out = append(out, m)
	}
	return out
}

// join returns m with the fix of made, a context that is made from that of m,
// if that is safe: without, it ends with the other one.
func join(m, made rule.Match) rule.Match {
	m.Related = append(slices.Clip(m.Related), rule.Related{Pos: made.Pos, End: made.End, Message: "made from it and lost, too"})
	if made.Applicability != finding.Safe {
		return m
	}
	fix := m.Fix
	return m.Safe(m.FixMessage, func(d *dstedit.Decl) error {
		if err := fix(d); err != nil {
			return err
		}
		return made.Fix(d)
	})
}
