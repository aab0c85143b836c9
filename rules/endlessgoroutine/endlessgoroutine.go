// Goroutines that nothing can end, started again and again or for a value that has an end.
//
// # What it does
//
// It looks for goroutines in a loop that nothing leaves, or in an empty select, and
// reports those that are certainly no business of the whole process: they are started for
// each request, for each iteration of an endless loop or in a test; they belong to a
// value whose type has a method Close or Stop; they pass on a context, or are started by
// a function that waits for one, and do not listen to it themselves; they range over a
// ticker that is stopped. It also reports functions that get a context, pass it on in an
// endless loop and never return, and a break that leaves a select where it should have
// left the loop.
//
// # Why it leaks
//
// No channel that is closed, no context that is cancelled and no error can make
// the goroutine return. It and all it refers to stay until the process ends.
// Stopping a ticker does not close its channel. A break in a case of a select
// leaves the select.
//
// # Example
//
//	 go func() {
//	 	for {
//	 		refresh(ctx)
//	-		time.Sleep(time.Minute)
//	+		select {
//	+		case <-ctx.Done():
//	+			return
//	+		case <-time.After(time.Minute):
//	+		}
//	 	}
//	 }()
//
// # What is not reported
//
// What runs once in a process: what main, init, TestMain, the function of a
// command, a package variable or a sync.Once starts, or a function that parses
// flags, asks for signals or calls http.ListenAndServe. Goroutines that may return,
// panic and recover, end the goroutine or the process. Goroutines that are
// started under a condition on something that lasts, and may thus be started
// once. A loop that reads what the method Close writes or closes. A type that has
// Shutdown only, which is often the one daemon of a process. A context that is
// used for logging or to look up a value only, that belongs to one iteration of the
// loop, or that every known caller passes as context.Background(). Loops that
// receive signals. A Close or Stop with arguments, which ends a part. Functions of package main, unless they start one for
// each request or iteration. Goroutines whose comment says that they are intentional,
// or that they last for ever or as long as the process.
//
// # Fix safety
//
// Where the loop sleeps and a context is at hand, each sleep becomes a wait for
// either, if the loop comes to one in every iteration and waits for nothing
// else. That is unsafe: the goroutine ends with the context, in the middle of
// what would have been a pause, and what it did afterwards is not done any more. No
// fix is offered if the loop gives something back after the pause, as a lock.
// Everything else is for the author: only the author knows what should end it.
//
// # See also
//
// https://pkg.go.dev/time#Ticker.Stop and https://go.dev/ref/spec#Break_statements.
package endlessgoroutine

import (
	_ "embed"
	"go/ast"
	"go/types"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/intent"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "endlessgoroutine", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed endlessgoroutine.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	reported := map[ast.Stmt]bool{} // loops that have been reported
	for _, b := range lostBreaks(p) {
		if reported[b.Loop] {
			continue
		}
		reported[b.Loop] = true
		m := rule.Match{Pos: b.Break.Pos(), End: b.Break.End()}
		m.Message = "the loop never ends because this break leaves the select only, although " + b.Event + " by then"
		m.Related = []rule.Related{{Pos: b.Loop.Pos(), End: b.Loop.Pos() + 3, Message: "the loop begins here"}}
		out = append(out, m.None("a label for the loop would end it; what is to follow is for the author to say"))
	}
	for c := range p.Candidates((*ast.FuncDecl)(nil)) {
		if e, ok := deafFunction(p, c); ok && !reported[e.Stmt] {
			reported[e.Stmt] = true
			out = append(out, e.match())
		}
	}
	for c := range p.Candidates((*ast.GoStmt)(nil)) {
		if e, ok := endlessGo(p, c); ok && !reported[e.Stmt] {
			reported[e.Stmt] = true
			out = append(out, e.match())
		}
	}
	return out
}

// endless is a goroutine or function that never ends.
type endless struct {
	p *code.Pass
	stuck
	start inspector.Cursor // the go statement; invalid for a function
	ctx   *types.Var       // the context that it does not listen to
	what  string           // the message
}

// deafFunction decides on a declared function that gets a context.
func deafFunction(p *code.Pass, c inspector.Cursor) (e endless, ok bool) {
	fn := p.FuncOf(c)
	if fn == nil || p.Pkg.Name() == "main" || intent.Intentional(p, c.Node()) {
		return e, false
	}
	s, ok := stuckGoroutines(p, fn)
	if !ok || s.Fn != fn || launch.OncePerProcess(p, c) || handlesSignals(p, s) || lasts(p, c.Node()) {
		return e, false
	}
	ctx := ignoredContext(p, s, inspector.Cursor{})
	if ctx == nil || ctx.Kind() != types.ParamVar || !p.DeclaredIn(ctx, fn) {
		return e, false
	}
	return endless{p: p, stuck: s, ctx: ctx, what: fn.Name() + " never returns, because its loop does not listen to " + ctx.Name()}, true
}

// endlessGo decides on a go statement.
func endlessGo(p *code.Pass, c inspector.Cursor) (e endless, ok bool) {
	call := c.Node().(*ast.GoStmt).Call
	fn := p.EnclosingFunc(c)
	if fn == nil || intent.Intentional(p, c.Node()) {
		return e, false
	}
	var body *code.Func
	if lit, isLit := ast.Unparen(call.Fun).(*ast.FuncLit); isLit {
		at, _ := c.FindNode(lit)
		body = p.FuncOf(at)
	} else {
		body = p.Declaration(p.Callee(call))
	}
	if body == nil {
		return e, false
	}
	s, ok := stuckGoroutines(p, body)
	if !ok || handlesSignals(p, s) || lasts(p, c.Node(), fn, body, s.Fn) {
		return e, false
	}
	e = endless{p: p, stuck: s, start: c}
	if loop, isFor := s.Stmt.(*ast.ForStmt); s.Fn == body && body.Name() == "" && (!isFor || len(loop.Body.List) > 0) {
		e.ctx = ignoredContext(p, s, c)
	}
	if why := startedAgain(p, c); why != "" {
		e.what = "the goroutine never ends, and " + why + " starts another one"
		return e, true
	}
	if p.Pkg.Name() == "main" || launch.OncePerProcess(p, fn.Cursor) {
		return e, false
	}
	if t := tickerOf(p, s); t != nil {
		e.what = "the goroutine never ends, because to stop " + types.ExprString(t) + " does not close its channel"
		return e, true
	}
	for _, v := range captured(p, c, body) {
		if stop := closer(p, v); stop != nil && owns(p, fn, v) && !signals(p, stop, body) {
			e.what = "the goroutine never ends, because nothing in it reacts to " + v.Name() + "." + stop.Name()
			return e, true
		}
	}
	if e.ctx != nil {
		e.what = "the goroutine never ends, because it does not listen to " + e.ctx.Name()
		return e, true
	}
	// Of a literal one does not know who calls it, and what for: to test a deadlock?
	if _, isSelect := s.Stmt.(*ast.SelectStmt); isSelect && len(body.Body.List) == 1 && fn.Name() != "" {
		e.what = "the goroutine never ends, because an empty select waits forever"
		return e, true
	}
	return e, false
}

func (e endless) match() rule.Match {
	m := rule.Match{Pos: e.Stmt.Pos(), End: e.Stmt.Pos() + 3, Message: e.what}
	if e.start.Valid() {
		if e.Fn.Name() != "" { // elsewhere, maybe in another file
			m.Pos, m.End = e.start.Node().Pos(), e.start.Node().(*ast.GoStmt).Call.Fun.End()
			m.Related = []rule.Related{{Pos: e.Stmt.Pos(), End: e.Stmt.Pos() + 3, Message: "it stays here"}}
		} else {
			m.Related = []rule.Related{{Pos: e.start.Node().Pos(), End: e.start.Node().Pos() + 2, Message: "the goroutine starts here"}}
		}
	}
	if e.ctx == nil {
		return m.None("what should end it, and when, is for the author to say")
	}
	pauses, all := pausesIn(e.p, e.stuck)
	if len(pauses) == 0 {
		return m.None("where the loop should listen to " + e.ctx.Name() + " is for the author to say")
	}
	results := e.results()
	for _, pause := range pauses {
		_, ok := ast.Unparen(pause.Call.Fun).(*ast.SelectorExpr)
		switch {
		case !ok:
			return m.None("how to name time.After is for the author to say")
		case waits.ReleasesAfter(e.p, e.Fn, e.Stmt, pause.Stmt):
			return m.None("what the loop holds during the pause would not be released")
		case !naming.Visible(e.p, e.ctx, pause.Stmt.Pos()):
			return m.None("another name hides " + e.ctx.Name() + " where the loop sleeps")
		}
	}
	switch {
	case results == nil:
		return m.None("what the function should return is for the author to say")
	case !all:
		return m.None("the loop need not come to a pause, so it would not end by listening there")
	}
	ctx, where := e.ctx.Name(), "the pause"
	if len(pauses) > 1 {
		where = "each pause"
	}
	return m.Unsafe("Wait for "+ctx+" beside "+where+", and return when it is done; what would have come later is not done any more", func(d *dstedit.Decl) error {
		for _, pause := range pauses {
			timePkg := types.ExprString(ast.Unparen(pause.Call.Fun).(*ast.SelectorExpr).X)
			done := dstedit.ExprStmt(dstedit.Recv(dstedit.Call(dstedit.Sel(ctx, "Done"))))
			after := dstedit.ExprStmt(dstedit.Recv(dstedit.Call(dstedit.Sel(timePkg, "After"), d.Expr(pause.Call.Args[0]))))
			if err := d.ReplaceStmt(pause.Stmt, dstedit.Select(dstedit.CommCase(done, dstedit.Return(results()...)), dstedit.CommCase(after))); err != nil {
				return err
			}
		}
		return nil
	})
}

// results returns what a return statement in the function should return when
// the context is done; nil if that is not known.
func (e endless) results() func() []dst.Expr {
	list := e.Fn.Type.Results
	switch {
	case list.NumFields() == 0:
		return func() []dst.Expr { return []dst.Expr{} }
	case list.NumFields() == 1 && typeis.Error(e.p.TypesInfo.TypeOf(list.List[0].Type)):
		return func() []dst.Expr {
			return []dst.Expr{dstedit.Call(dstedit.Sel(e.ctx.Name(), "Err"))}
		}
	}
	return nil
}
