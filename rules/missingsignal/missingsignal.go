// Signals that somebody waits for, and that are not given on some ways out.
//
// # What it does
//
// A signal is a close of a channel, a send on it, or the call of a function that does
// one of these. The rule follows a channel that a function makes: into goroutines,
// functions and literals that it is passed to. It reports a wait with nothing
// else to end it, a plain receive or a range, to which a path leads on which nobody
// has the channel who gives the signal. These are: a wait for a goroutine that is
// started under a condition only; a goroutine that waits for another one, where the
// function returns before it has started that; a call, or a goroutine, of a function
// that gives the signal but not where it returns an error, or where it returns after one, if its
// caller waits all the same; and a literal that gives the signal unless it returns an error, handed to a
// loaded function that may not call it again after that.
//
// It also reports a value that a function makes for one call of it and puts in a map, if it
// closes a channel in it on some ways out only, and another function that
// finds it there waits for that channel, or for others of that value that only
// its maker serves.
//
// What blockingreceive finds is left to it: a goroutine without a name that returns
// early, and a function that alone gives the signal.
//
// # Why it leaks
//
// Whoever waits was written for the way on which all goes well. On an error exit nobody
// closes the channel any more, and the goroutine that waits stays until
// the process ends, with all that it refers to.
//
// # Example
//
//	 func (s *server) process(cs []change, done chan struct{}) error {
//	 	if s.closed {
//	+		close(done)
//	 		return errClosed
//	 	}
//	 	go func() {
//	 		s.diagnose(cs)
//	 		close(done)
//	 	}()
//	 	return nil
//	 }
//
//	 done := make(chan struct{})
//	 if err := s.process(cs, done); err != nil {
//	 	log.Print(err)
//	 }
//	 <-done
//
// # What is not reported
//
// A wait with another way out: a select with a case of another channel, a context, a
// timer or a default. A wait that a caller does not come to when it was told of the
// error, or by any condition that may have to do with whether the signal is given: one about the same
// variables, or about anything but an error. Paths on which
// somebody who is not known has the channel: it is stored, returned, passed to
// a function that is not loaded. Exits of which it is not certain that the error is set. A loop in which the goroutines are started.
// Waits in a loop. A literal that is called until it succeeds, or that anybody may call again. A value that is
// taken out of its map, whatever happens, or whose maker has been served. Channels that are kept
// in fields of objects that live longer than one call. Paths that
// end in a panic, os.Exit, log.Fatal or t.Fatal, and functions that run once in a
// process, such as main.
//
// # Fix safety
//
// All fixes are unsafe: whoever waited goes on, and runs code that did not run
// before. They close the channel before the return, or, where the wait is for a
// literal that is called no more, let it end with the context that goes
// with the literal. No fix is offered if the signal is a send; if the function may be
// called by others, or if a caller may close the channel itself, as a second close
// panics; and for a wait for what was never started, since it is for the
// author to say which of them is wrong.
//
// # See also
//
// The rules blockingreceive and waitgroupwait.
package missingsignal

import (
	_ "embed"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rules/missingsignal/internal/percall"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "missingsignal", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed missingsignal.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	seen := map[token.Pos]bool{}
	for c := range p.Candidates((*ast.CallExpr)(nil)) {
		fn := p.EnclosingFunc(c)
		if fn == nil || p.Pkg.Name() == "main" && fn.Name() == "main" || !channel.IsMake(p, c.Node().(*ast.CallExpr)) {
			continue // when main returns, nothing is left to block
		}
		for _, m := range misses(p, c, fn) {
			for _, match := range m.matches() {
				if !seen[match.Pos] {
					seen[match.Pos] = true
					match.Related = append(match.Related, rule.Related{Pos: c.Node().Pos(), End: c.Node().End(), Message: "the channel is made here"})
					out = append(out, match)
				}
			}
		}
	}
	return append(out, percall.Find(p)...)
}

// matches reports a miss where it can be mended: at the exit of the function that
// leaves the word out, if it is one of the package, else at the wait.
func (m miss) matches() []rule.Match {
	if m.via != nil {
		return m.leftOut()
	}
	op := m.wait.op.Op.Node()
	name := types.ExprString(m.wait.op.At.Node().(ast.Expr))
	match := rule.Match{Pos: op.Pos(), End: op.End(), Message: "receive from " + name + " blocks forever when " + m.s.fn.Called()}
	switch r := op.(type) {
	case *ast.RangeStmt:
		match.End, match.Message = r.X.End(), "range over "+name+" blocks forever when "+m.s.fn.Called()
	case *ast.CallExpr:
		match.Message = "call that receives from " + name + " blocks forever when " + m.s.fn.Called()
	}
	if m.wait.op.Kind == channel.Other {
		call := code.Unparen(m.wait.op.At).Parent().Node()
		match.Pos, match.End = call.Pos(), call.End()
	}
	if m.wait.start.Valid() && !m.wait.deferred {
		match.Message += " returns and"
	}
	match.Message += " has started nothing that " + m.s.verb()
	for _, g := range m.s.gives {
		if g.real && !g.own {
			match.Related = append(match.Related, rule.Related{Pos: g.at.Node().Pos(), End: g.at.Node().End(), Message: "on other paths, it is given to somebody here"})
			break
		}
	}
	for _, ret := range m.exits {
		match.Related = append(match.Related, rule.Related{Pos: ret.Pos(), End: ret.End(), Message: "the function returns here"})
	}
	if !m.wait.start.Valid() || m.wait.deferred {
		return []rule.Match{match.None("whether to wait on this path, or to start what ends the wait, is for the author to say")}
	}
	return []rule.Match{m.s.closed(match, m.exits, m.end)}
}

// verb says how the word is given.
func (s *signal) verb() string {
	for _, g := range s.gives {
		if g.real && g.send {
			return "sends on it"
		}
	}
	return "closes it"
}

// leftOut reports the exits of who leaves the word out.
func (m miss) leftOut() []rule.Match {
	via, s := m.via, m.s
	if via.keeper != nil {
		return []rule.Match{m.abandoned()}
	}
	for range 5 {
		next := via.signal(s.p)
		if next == nil {
			break
		}
		s = next
		skips := s.skips()
		if len(skips) == 0 {
			return nil
		}
		if skips[0].via == nil {
			return m.at(s, skips)
		}
		via = skips[0].via
	}
	op := m.wait.op.Op.Node()
	match := rule.Match{Pos: op.Pos(), End: op.End(), Message: "receive from " + m.s.v.Name() + " blocks forever when " + via.callee.Name()}
	if r, ok := op.(*ast.RangeStmt); ok {
		match.End = r.X.End()
	}
	if results := via.callee.Signature().Results(); results.Len() > 0 {
		match.Message += " returns an error"
	} else {
		match.Message += " returns after an error"
	}
	if m.s.verb() == "closes it" {
		match.Message += " without closing it"
	} else {
		match.Message += " without sending on it"
	}
	return []rule.Match{match.None("the function is one of another package")}
}

// signal returns the channel in the function; nil if it is none of the package.
func (g *part) signal(p *code.Pass) *signal {
	if g.lit != nil {
		return g.lit
	}
	fn := p.Declaration(g.callee)
	if fn == nil {
		return nil
	}
	return follow(p, fn, g.callee.Signature().Params().At(g.index))
}

// at reports the exits of s.
func (m miss) at(s *signal, skips []skip) (out []rule.Match) {
	var exits []*ast.ReturnStmt
	end := false
	for _, x := range skips {
		switch {
		case x.ret == nil:
			end = true
		case x.via == nil:
			exits = append(exits, x.ret)
		}
	}
	match := rule.Match{Pos: s.fn.Body.Rbrace, End: s.fn.Body.Rbrace + 1}
	if len(exits) > 0 {
		match.Pos, match.End = exits[0].Pos(), exits[0].End()
	}
	if s.p.InTest(match.Pos) || s.p.InTest(m.wait.at.Node().Pos()) {
		return nil // what fails in a test is a failed test
	}
	name := s.fn.Name()
	if name == "" {
		name = "the goroutine"
	}
	how := "closing "
	switch {
	case isFunc(s.v):
		how = "calling "
	case s.verb() != "closes it":
		how = "sending on "
	}
	what := " returns an error without "
	if results := s.p.Signature(s.fn).Results(); len(exits) == 0 || results.Len() == 0 || !typeis.Error(results.At(results.Len()-1).Type()) {
		what = " returns after an error without "
	}
	match.Message = name + what + how + s.v.Name() + ", and " + m.s.fn.Called() + " waits for it all the same"
	op := m.wait.op.At.Node()
	match.Related = append(match.Related, rule.Related{Pos: op.Pos(), End: op.End(), Message: "the wait is here"})
	for _, ret := range exits[min(1, len(exits)):] {
		match.Related = append(match.Related, rule.Related{Pos: ret.Pos(), End: ret.End(), Message: "it returns here, too"})
	}
	if reason := m.shared(s); reason != "" {
		return []rule.Match{match.None(reason)}
	}
	return []rule.Match{s.closed(match, exits, end)}
}
