// Loops that heed a stop in one place and wait for a timer without it in another.
//
// # What it does
//
// It looks for loops that end when a context is done, when a channel of empty structs is
// ready, or when the method Close or Stop has set a flag, and that in another place wait
// for nothing but a time: time.Sleep, a receive from a timer or ticker, or a range over a
// ticker. That the loop heeds the stop in one place shows what is meant. It also reports
// the receive from a channel that a method of a value returns where the function listens
// to the context of that value in another place.
//
// # Why it leaks
//
// Whoever stops the loop expects it to be gone. It stays until the time is over, with all
// that it refers to; where the time grows with each attempt, that is long. A channel that
// nobody sends on any more holds it for ever.
//
// # Example
//
//	 for {
//	 	select {
//	 	case <-stop:
//	 		return
//	 	default:
//	 	}
//	 	if err := fetch(); err != nil {
//	-		<-backoff.Timer().C
//	+		select {
//	+		case <-stop:
//	+			return
//	+		case <-backoff.Timer().C:
//	+		}
//	 	}
//	 }
//
// # What is not reported
//
// Times that are constant and below ten seconds, and those that somebody else has chosen: a
// parameter, a field, the period of a ticker that is not known. What is reported is a
// constant, a time that grows without a limit below that, and one that a method or function
// value says anew each time. A timer that a literal has as well, which may let it fire. Loops that end by themselves, such
// as a number of attempts. A pause after which the function returns, or that follows the
// stop. Pauses with a mutex held. What runs once in a process, and tests. A context or a
// channel that belongs to one iteration.
//
// # Fix safety
//
// Each pause becomes a select of the stop and the time, and the function returns as it
// does where it heeds the stop today. That is unsafe: what came after the pause is not done
// any more. No fix is offered where that is to give something back, where more is done at
// the stop than to return, or for a flag, which nothing can wait for.
//
// # See also
//
// https://pkg.go.dev/context#Context and https://pkg.go.dev/time#After.
package deafwait

import (
	_ "embed"
	"go/ast"
	"go/types"
	"slices"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/intent"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "deafwait", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed deafwait.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	for c := range p.Candidates((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		if p.InTest(c.Node().Pos()) {
			continue // it ends with the test
		}
		fn := p.EnclosingFunc(c)
		if fn == nil || intent.Intentional(p, c.Node()) {
			continue
		}
		m, ok := deafLoop(p, fn, c)
		if !ok || launch.OncePerProcess(p, fn.Cursor) {
			continue
		}
		out = append(out, m)
	}
	return append(out, deafReceives(p)...)
}

// deafLoop decides on a loop of fn.
func deafLoop(p *code.Pass, fn *code.Func, c inspector.Cursor) (m rule.Match, ok bool) {
	switch loop := c.Node().(type) {
	case *ast.ForStmt:
		if loop.Cond != nil {
			if _, asks := asked(p, loop.Cond, false); !asks {
				return m, false // it ends by itself
			}
		}
	case *ast.RangeStmt:
		if !waits.Ticks(p, loop.X) {
			return m, false
		}
	}
	stops := stopsOf(p, fn, c)
	if len(stops) == 0 {
		return m, false
	}
	asks := best(stops)
	if loop, isRange := c.Node().(*ast.RangeStmt); isRange {
		if shortTicks(p, loop.X) {
			return m, false
		}
		m = rule.Match{Pos: loop.Pos(), End: loop.X.End(), Related: []rule.Related{asks.related()}}
		m.Message = "the loop asks for " + asks.name + " only when " + types.ExprString(loop.X) + " is ready, so it ends with the next tick at the earliest"
		return m.None("how the loop should wait for a stop beside the ticker is for the author to say"), true
	}
	pauses := pausesIn(p, fn, c, stops)
	if len(pauses) == 0 {
		return m, false
	}
	first := pauses[0]
	m = rule.Match{Pos: first.stmt.Pos(), End: first.stmt.End(), Related: []rule.Related{asks.related()}}
	m.Message = "the loop " + first.what + " and does not listen to " + asks.name + ", so it ends only after that"
	for _, w := range pauses[1:] {
		m.Related = append(m.Related, rule.Related{Pos: w.stmt.Pos(), End: w.stmt.End(), Message: "here, too"})
	}
	return listen(p, m, fn, c.Node(), asks, pauses), true
}

// best returns the stop that the loop can listen to best: by a channel, and with a return
// that says what is to be done.
func best(stops []stop) stop {
	rank := func(s stop) int {
		switch {
		case s.ch == nil:
			return 2
		case s.leap == nil:
			return 1
		}
		return 0
	}
	return slices.MinFunc(stops, func(a, b stop) int { return rank(a) - rank(b) })
}

// related points to where the loop asks for the stop.
func (s stop) related() rule.Related {
	return rule.Related{Pos: s.at, End: s.at + 2, Message: "the loop ends by " + s.name + " here"}
}

// listen makes the fix: each pause waits for the stop, too.
func listen(p *code.Pass, m rule.Match, fn *code.Func, loop ast.Node, asks stop, pauses []pause) rule.Match {
	switch {
	case asks.ch == nil:
		return m.None("nothing can wait for " + asks.name + ", which is a flag")
	case asks.leap == nil:
		return m.None("what is to be done at the stop is for the author to say")
	}
	for _, w := range pauses {
		if _, isExpr := w.stmt.(*ast.ExprStmt); !isExpr {
			return m.None("the time that is received is used")
		}
		if w.sleep != nil {
			if _, ok := ast.Unparen(w.sleep.Fun).(*ast.SelectorExpr); !ok {
				return m.None("how to name time.After is for the author to say")
			}
		}
		if waits.ReleasesAfter(p, fn, loop, w.stmt) {
			return m.None("what the loop holds during the pause would not be released")
		}
		if !asks.visible(p, w.stmt.Pos()) || !known(p, asks, w.stmt) {
			return m.None("a name hides what the loop asks for, or what it returns, where it waits")
		}
	}
	where := "the pause"
	if len(pauses) > 1 {
		where = "each pause"
	}
	return m.Unsafe("Wait for "+asks.name+" beside "+where+", and return; what would have come later is not done any more", func(d *dstedit.Decl) error {
		for _, w := range pauses {
			ch := d.Expr(asks.ch)
			if asks.ctx {
				ch = dstedit.Call(dstedit.SelectorPath(ch, "Done"))
			}
			var results []dst.Expr
			for _, r := range asks.leap.Results {
				if asks.err != nil && p.VarOf(r) == asks.err {
					results = append(results, dstedit.Call(dstedit.SelectorPath(d.Expr(asks.ch), "Err")))
					continue
				}
				results = append(results, d.Expr(r))
			}
			ready := dstedit.ExprStmt(dstedit.Recv(w.channel(d)))
			told := dstedit.CommCase(dstedit.ExprStmt(dstedit.Recv(ch)), dstedit.Return(results...))
			if err := d.ReplaceStmt(w.stmt, dstedit.Select(told, dstedit.CommCase(ready))); err != nil {
				return err
			}
		}
		return nil
	})
}

// channel returns what is ready when the pause is over.
func (w pause) channel(d *dstedit.Decl) dst.Expr {
	if w.sleep == nil {
		return d.Expr(w.ticks)
	}
	timePkg := d.Expr(ast.Unparen(w.sleep.Fun).(*ast.SelectorExpr).X)
	return dstedit.Call(dstedit.SelectorPath(timePkg, "After"), d.Expr(w.sleep.Args[0]))
}
