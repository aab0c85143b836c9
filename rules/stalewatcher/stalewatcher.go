// Goroutines that wait to cancel a context which their function has cancelled itself.
//
// # What it does
//
// It reports a goroutine that a function starts only to cancel a local context when
// something else ends, where the function calls the same cancel function itself on each
// way out after the go statement, or has deferred it. Such a goroutine only receives and
// calls the cancel function; what it waits for is a field, a variable of the package, the
// Done of a context there, or, if the go statement runs in a loop, a parameter.
//
// # Why it leaks
//
// The context is over when the function returns, and there is nothing left to watch for.
// But the goroutine waits for something that lives longer, such as the end of a server.
// Until then, each call of the function, or each iteration of its loop, adds one.
//
// # Example
//
//	 ctx, cancel := context.WithTimeout(ctx, s.timeout)
//	 defer cancel()
//	 go func() {
//	-	<-s.quit
//	+	select {
//	+	case <-s.quit:
//	+	case <-ctx.Done():
//	+	}
//	 	cancel()
//	 }()
//	 return s.fetch(ctx, id)
//
// # What is not reported
//
// A goroutine that does anything else than to receive, to call the cancel function and to
// return: a log call, a send, the Done of a WaitGroup. One that also listens to the
// context itself or to one derived from it, to a timer, or to a channel or a context
// that the function or one around it has made, also by a helper: those may end with the function.
// The same holds for a field that the function, or each caller of an unexported one,
// sets or closes, and for a value that it closes or stops. One that
// listens to a parameter, unless the go statement runs in a loop or in a literal that
// handles HTTP requests: the caller may end it when the function returns. One that
// listens to what a method of a parameter gives, such as the Context of a request or of a test,
// or to an element of a map or a slice.
// Functions that run once in a process, such as main, init, TestMain and the functions of
// commands, and those that only they call. A function in which the goroutine is not the only one that
// ends the context, but in which some way out leaves that to it. A method that is only
// started as the goroutine of a value where that is made. A goroutine beside which a
// comment says that it stays on purpose.
//
// # Fix safety
//
// The fix gives each wait of the goroutine one more case, that the context is done. Then
// all that the goroutine could still do is to call its cancel function once more, and that
// does nothing for a context that is done. So the fix changes only that the goroutine ends.
// It is safe if the channels are only closed: the Done of a context, or a channel of the
// package on which nothing sends. The variable of the context must not be
// assigned once the goroutine runs, and its name must mean the same there. Where the
// arguments of the call of the cancel function may be set by what the goroutine waits
// for, the new case returns before they are evaluated.
//
// The fix is unsafe where values may be sent on a channel: one that is sent after the
// function has returned is taken by the goroutine today, and by nobody then. It is unsafe,
// too, where the variable of the context holds something that a function has made from
// it, and where a function of your own makes the context: that may be done earlier. There is no fix for a
// goroutine that runs a declared function.
//
// # See also
//
// https://pkg.go.dev/context#AfterFunc, which starts no goroutine until the context is
// done, and whose stop function ends the watch.
package stalewatcher

import (
	_ "embed"
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/intent"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "stalewatcher", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed stalewatcher.go
var source string

func find(p *code.Pass) (out []rule.Match) {
	for c := range p.Candidates((*ast.CallExpr)(nil)) {
		made, ok := ctxcancel.CancelMaker(p, c)
		if !ok || made.Name == "os/signal.NotifyContext" { // to stop it does more than to cancel
			continue
		}
		for _, w := range watchers(&made) {
			if m, ok := w.match(); ok {
				out = append(out, m)
			}
		}
	}
	return out
}

// watchers lists the goroutines that the function of made starts only to cancel it.
func watchers(made *ctxcancel.Cancel) (out []*watcher) {
	p, fn := made.Pass, made.Fn
	_, lhs := mustcall.Targets(made.Def)
	if len(lhs) != 2 {
		return nil
	}
	cancel := p.VarOf(lhs[1])
	if cancel == nil || !p.DeclaredIn(cancel, fn) {
		return nil
	}
	if ctx := p.VarOf(lhs[0]); ctx != nil && p.DeclaredIn(ctx, fn) && typeis.Named(ctx.Type(), "context", "Context") {
		made.Ctx = ctx
	}
	for at := range fn.Cursor.Preorder((*ast.GoStmt)(nil)) {
		if p.EnclosingFunc(at).Cursor != fn.Cursor || at.Node().Pos() < made.Call.Pos() {
			continue
		}
		w := &watcher{p: p, made: made, ctxExpr: lhs[0], cancel: cancel, start: at, call: at.Node().(*ast.GoStmt).Call}
		if w.body = w.runs(); w.body != nil && w.onlyWatches() {
			out = append(out, w)
		}
	}
	return out
}

// watcher is a goroutine that waits to cancel a context.
type watcher struct {
	p       *code.Pass
	made    *ctxcancel.Cancel // the context, of the function that starts the goroutine
	ctxExpr ast.Expr          // what its context is assigned to
	cancel  *types.Var
	start   inspector.Cursor // the go statement
	call    *ast.CallExpr    // that it makes
	body    *code.Func       // what runs
	waits   []wait
	caused  bool // the cancel function gets an argument after a wait
}

// match says what is wrong with the watcher; ok is false if nothing is.
func (w *watcher) match() (m rule.Match, ok bool) {
	p, fn := w.p, w.made.Fn
	var names []string
	perCall := false
	for _, wait := range w.waits {
		for _, ch := range wait.chans {
			switch w.lasts(ch) {
			case unknown:
				return m, false
			case withCaller:
				perCall = true
			}
			if w.endsItself(ch) {
				return m, false
			}
			names = append(names, types.ExprString(ch))
		}
	}
	own := w.cancelled()
	switch {
	case own == nil:
		return m, false // on some way out the watcher is the one that cancels
	case perCall && !w.repeats():
		return m, false // the caller may end it when the function returns
	case !w.repeats() && w.oncePerValue():
		return m, false
	case launch.OncePerProcess(p, fn.Cursor), intent.Stays(p, w.start.Node()):
		return m, false
	}
	start := w.start.Node().(*ast.GoStmt)
	m = rule.Match{Pos: start.Pos(), End: start.Call.Fun.Pos()}
	if lit, isLit := ast.Unparen(start.Call.Fun).(*ast.FuncLit); isLit {
		m.End = lit.Type.End()
	} else {
		m.End = start.End()
	}
	m.Message = "goroutine waits for " + strings.Join(names, " and ") + " to call " + w.cancel.Name() + ", and stays after " + fn.Called() + " has called it itself"
	m.Related = []rule.Related{{Pos: own.Pos(), End: own.End(), Message: "the function itself calls " + w.cancel.Name() + " here"}}
	return w.offer(m), true
}
