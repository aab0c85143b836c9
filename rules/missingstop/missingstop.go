// Values with a goroutine of their own, whose method to end it is not called.
//
// # What it does
//
// It learns from the packages that are analysed which methods and constructors
// start a goroutine that waits for a channel or a context in a field, and which
// methods of the same type alone close, signal or cancel that field. Then it
// follows each local value on which such a goroutine is started, also by a go
// statement of the function itself, and reports it if none of those methods is
// called, or if on some path neither is one called nor somebody else gets the value,
// as where a constructor fails after it has started the goroutine. A new struct that
// only the function has does not count as somebody.
//
// # Why it leaks
//
// The goroutine waits for a signal that only the owner of the value can
// give. When the value is dropped, the goroutine and all it refers to stay
// until the process ends.
//
// # Example
//
//	 w := newWorker()
//	 w.Start()
//	+defer w.Stop()
//	 for _, item := range items {
//	 	w.Add(item)
//	 }
//
// # What is not reported
//
// A path on which the value is returned, stored, sent, passed on, or its method is
// passed on as a function: other code may stop it. A value that others had before the
// goroutine was started. One that is stopped only where a flag is set. One that a
// function literal goes on using which is returned, stored or registered, or of which
// a channel, function or context is. A constructor or method that gives the value to
// others. A goroutine that may end by itself, that a channel or context of the caller
// ends, or that a method starts under a condition. One that a go statement of the
// function starts and a cancel function ends: rule lostcancel follows that.
// Fields that a function which is no method of the type closes, and exported ones.
// Functions that run once in a process, such as main and what only main calls,
// commands, and those that parse flags, ask for signals or call http.ListenAndServe.
//
// # Fix safety
//
// All fixes are unsafe: they stop the value when the function returns, or before
// each exit on which it is neither stopped nor handed on, and what the method does
// beside ending the goroutine is done, too. No fix is offered if the method takes
// arguments, if such an exit is also reached where it has been called, for to call it
// twice may panic, or where somebody has got the value, if another goroutine uses the
// value, and in a loop.
//
// # See also
//
// Saioc et al., "Unveiling and Vanquishing Goroutine Leaks in Enterprise
// Microservices", CGO 2024, for the name of the category.
package missingstop

import (
	_ "embed"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/dave/dst"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "missingstop", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed missingstop.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	for _, u := range findUnstopped(p) {
		out = append(out, unstopped{p, u}.match())
	}
	return out
}

type unstopped struct {
	p *code.Pass
	Unstopped
}

func (u unstopped) match() rule.Match {
	call := u.Call.Node().(*ast.CallExpr)
	m := rule.Match{Pos: call.Pos(), End: call.End(), Category: "MethodContractViolation"}
	stop := u.stop()
	name := "its method " + stop
	if u.Var != nil && u.Var.Name() != "_" {
		name = u.Var.Name() + "." + stop
	}
	what := types.ExprString(call.Fun)
	if u.Go {
		what = "the go statement"
		m.Pos, m.End = u.Def.Node().Pos(), u.Def.Node().End()
	}
	m.Message = what + " starts a goroutine that only " + name + " ends, and "
	switch o := u.obligation(); {
	case o.HandedOn():
		m.Message += "a path neither calls it nor hands " + u.Var.Name() + " on"
	case u.Unmet.Met:
		m.Message += "not every path calls it"
	default:
		m.Message += "nothing calls it"
	}
	if !u.Go && u.Callee.Pkg() == u.p.Pkg { // the positions of export data are not exact
		m.Related = []rule.Related{{Pos: u.Callee.Pos(), End: u.Callee.Pos() + token.Pos(len(u.Callee.Name())), Message: "the goroutine starts here"}}
	}
	exit := u.Unmet.Exits[0]
	text := "returns here without calling " + stop
	if exit.Assigns {
		text = "gets another value here, without a call of " + stop
	}
	m.Related = append(m.Related, rule.Related{Pos: exit.Pos, End: exit.Pos, Message: text})
	return u.fix(m, stop)
}

// stop is the method to name: one that can be called from here, without
// arguments if there is such a one, by the name that most use.
func (u unstopped) stop() string {
	usual := []string{"stop", "close", "shutdown"}
	rank := func(name string) int {
		i := slices.Index(usual, strings.ToLower(name))
		if i < 0 {
			i = len(usual)
		}
		if !token.IsExported(name) {
			i += len(usual) + 1
		}
		return i
	}
	return slices.MinFunc(u.Stops, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
}

func (u unstopped) fix(m rule.Match, stop string) rule.Match {
	if u.Var == nil || u.Var.Name() == "_" {
		return m.None("the value has no name by which to call " + stop)
	}
	o, _, _ := types.LookupFieldOrMethod(u.Var.Type(), true, u.p.Pkg, stop)
	method, ok := o.(*types.Func)
	def, isStmt := u.Def.Node().(ast.Stmt)
	_, _, listed := code.StmtList(u.Def)
	guard, why, guarded := mustcall.Guard{}, "", true
	if ifs, ok := u.Def.Parent().Node().(*ast.IfStmt); ok && u.Err != nil && u.leavesOnError(ifs) {
		guard.After = ifs
	} else if u.Err != nil {
		guard, why, guarded = mustcall.FindGuard(u.p, u.Def, u.Err, func(s ast.Stmt) bool { return !u.p.Mentions(s, u.Var) })
	}
	switch {
	case !ok || !token.IsExported(stop) && method.Pkg() != u.p.Pkg:
		return m.None("the method cannot be called from here")
	case u.Unmet.Met && method.Signature().Params().Len() == 0 && !u.Fn.Flow.InCycle(code.FlowNode(u.Call, u.Fn)):
		return u.beforeExits(m, method)
	case u.Unmet.Met:
		return m.None("other paths call " + stop + " or hand " + u.Var.Name() + " on")
	case u.Shared:
		return m.None("a goroutine uses the value, maybe longer than the function runs")
	case method.Signature().Params().Len() > 0:
		return m.None(stop + " takes arguments")
	case u.Fn.Flow.InCycle(code.FlowNode(u.Call, u.Fn)):
		return m.None("in a loop a deferred call would wait for the end of the function")
	case !guarded:
		return m.None(why)
	case u.Err == nil && (!isStmt || !listed):
		return m.None("the call is no statement of its own")
	}
	deferred := func() dst.Stmt { return dstedit.Defer(dstedit.Call(dstedit.Sel(u.Var.Name(), stop))) }
	message := "Defer " + u.Var.Name() + "." + stop + ", which then runs when the function returns, with all that it does"
	return m.Unsafe(message+u.waits(method), func(d *dstedit.Decl) error {
		switch {
		case guard.First != nil:
			return d.InsertFirst(guard.First, deferred())
		case guard.After != nil:
			return d.InsertAfter(guard.After, deferred())
		}
		return d.InsertAfter(def, deferred())
	})
}

// waits says that a method waits for others, if it does.
func (u unstopped) waits(method *types.Func) string {
	if body := u.p.Declaration(method); body != nil && launch.WaitsForOthers(u.p, body) {
		return "; it waits for others, and so does the function then"
	}
	return ""
}

// beforeExits offers to call a method of the value before each way out on which it is
// neither stopped nor handed on.
func (u unstopped) beforeExits(m rule.Match, method *types.Func) rule.Match {
	exits, why := mustcall.WaysOut(u.p, u.obligation(), true, func(s ast.Stmt) string {
		if _, isReturn := s.(*ast.ReturnStmt); isReturn && u.p.Mentions(s, u.Var) {
			return u.Var.Name() + " is still used where the function returns"
		}
		return ""
	})
	if why != "" {
		return m.None(why)
	}
	name := u.Var.Name() + "." + method.Name()
	return m.Unsafe("Call "+name+" before each exit that leaves it running, with all that it does"+u.waits(method), func(d *dstedit.Decl) error {
		return d.InsertEach(exits.Jumps, exits.Last, func(ast.Stmt) dst.Stmt {
			return dstedit.ExprStmt(dstedit.Call(dstedit.Sel(u.Var.Name(), method.Name())))
		})
	})
}

// leavesOnError reports whether the if, in whose head the call stands and in
// whose scope the value is not declared, only leaves when the call has failed.
func (u unstopped) leavesOnError(ifs *ast.IfStmt) bool {
	x, isNil, ok := u.p.NilTest(ifs.Cond, true)
	declared := ifs.Pos() <= u.Var.Pos() && u.Var.Pos() < ifs.End()
	return ok && !isNil && !declared && u.p.VarOf(x) == u.Err && ifs.Else == nil && assume.Terminates(u.p, ifs.Body)
}
