// Waits on a channel or a WaitGroup under a mutex that the other side needs.
//
// # What it does
//
// It reports a send, a receive or a range that comes while a mutex is held, where every
// goroutine that could end it has to lock the same mutex first, and the Wait of a WaitGroup
// of which one goroutine locks it before its Done. It follows the mutex
// through the functions of the package that are called under it, and channels in fields
// that only the package can reach or in variables of one function.
//
// # Why it leaks
//
// One goroutine waits for the channel and keeps the mutex, the other waits for the mutex
// and never comes to the channel. Both stay until the process ends, and so does every
// goroutine that locks the mutex next.
//
// # Example
//
//	func (s *server) Stop() {
//		s.mu.Lock()
//		defer s.mu.Unlock()
//		close(s.jobs)
//		<-s.done // run may be waiting for s.mu
//	}
//
//	func (s *server) run() {
//		defer close(s.done)
//		for j := range s.jobs {
//			s.mu.Lock()
//			s.count += j
//			s.mu.Unlock()
//		}
//	}
//
// # What is not reported
//
// A channel with a buffer that is large enough for what is sent. A wait that is one of several cases of a
// select. A channel that code which is not known can reach, and one that is also served
// without the mutex: then the wait ends. A mutex of
// another structure, which may be another one. A wait after a condition about
// what the other side assigns or stores in an atomic, or after a signal that it
// gives: it may have had the mutex by then. A mutex that the other side locks only
// before it gives a signal that whoever starts it waits for, such as the end of a
// context. A mutex that the other side locks only if an argument says so, where a
// call passes a constant that does not.
//
// # Fix safety
//
// There is no fix. Whether the mutex is released before the wait or not taken by the
// other side, the order of operations that it protects changes.
//
// # See also
//
// Tu et al., "Understanding Real-World Concurrency Bugs in Go", ASPLOS 2019,
// section 5.1, on channels mixed with locks.
package lockedwait

import (
	_ "embed"
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "lockedwait", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed lockedwait.go
var source string

func find(p *code.Pass) (out []rule.Match) {
	for _, w := range heldWaits(p, channel.Fields(p)) {
		op := w.Op.Op.Node()
		m := rule.Match{Pos: op.Pos(), End: op.End()}
		verb, who := "receive from ", "whoever sends or closes"
		switch n := op.(type) {
		case *ast.SendStmt:
			verb, who = "send on ", "whoever receives"
		case *ast.RangeStmt:
			verb, m.End = "range over ", n.X.End()
		}
		mutex := types.ExprString(ast.Unparen(w.Lock.Fun).(*ast.SelectorExpr).X)
		if w.Group {
			verb, who = "wait for ", "a goroutine that is counted"
		}
		m.Message = verb + types.ExprString(w.Op.At.Node().(ast.Expr)) + " can block forever because it holds " + mutex + ", which " + who + " must lock first"
		m.Related = []rule.Related{
			{Pos: w.Lock.Pos(), End: w.Lock.End(), Message: "the mutex is locked here"},
			{Pos: w.Other, End: w.Other, Message: "the other side locks it here"},
			{Pos: w.End, End: w.End, Message: "and would end the wait here"},
		}
		out = append(out, m.None("which of the two should release the mutex is for the author to say"))
	}
	return out
}
