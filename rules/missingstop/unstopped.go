package missingstop

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// Unstopped is a call that starts a goroutine for a local value, on whose
// methods alone it depends when that ends.
type Unstopped struct {
	Fn     *code.Func
	Call   inspector.Cursor // the call that starts it
	Callee *types.Func
	Def    inspector.Cursor // the statement of the call
	Var    *types.Var       // the value
	Err    *types.Var       // the error of the call, if it is kept
	Stops  []string         // the methods that end the goroutine
	Events []usage.Event    // of Var: Closes and so on are calls of those methods
	Unmet  mustcall.Unmet
	Shared bool // a goroutine of the function uses the value, maybe when that has returned
	Go     bool // a go statement of the function itself starts it
	Itself bool // the value may end by itself
}

// findUnstopped returns the calls after which some way out of the function comes
// to no method that would end the goroutine.
//
// Precision: the value is made here, or by a function that gives it to nobody
// else, stays in this function, and is used by methods only that do not give
// it away either. The goroutine waits for nothing else.
func findUnstopped(p *code.Pass) (out []Unstopped) {
	seen := map[*types.Var]bool{} // one call for each value ends all
	launched := *launchedIn(p)
	for c := range p.Candidates((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if l, ok := launched[call]; ok {
			u := Unstopped{Fn: p.EnclosingFunc(c), Call: c, Callee: l.body, Def: c.Parent(), Var: l.root, Stops: l.Stops, Go: true}
			if u.local(p) && !seen[u.Var] && !launch.OncePerProcess(p, u.Fn.Cursor) && u.follow(p) && len(u.Unmet.Exits) > 0 {
				out, seen[u.Var] = append(out, u), true
			}
			continue
		}
		callee := p.Callee(call)
		if callee == nil {
			continue
		}
		l := spawnsOf(p.Facts, callee)
		if l == nil || l.Ctx > 0 && (l.Ctx > len(call.Args) || !ctxcancel.NeverCancelled(p, call.Args[l.Ctx-1], c)) {
			continue
		}
		u := Unstopped{Fn: p.EnclosingFunc(c), Call: c, Callee: callee, Stops: l.Stops, Itself: l.Itself}
		if u.Fn == nil || !u.value(p, l.Result) || launch.OncePerProcess(p, u.Fn.Cursor) {
			continue
		}
		if !seen[u.Var] && u.follow(p) && len(u.Unmet.Exits) > 0 {
			out = append(out, u)
			seen[u.Var] = u.Var != nil && u.Var.Name() != "_"
		}
	}
	return out
}

// local reports whether the value is in a variable of the function itself.
func (u *Unstopped) local(p *code.Pass) bool {
	return u.Fn != nil && p.DeclaredIn(u.Var, u.Fn) && !p.IsResult(u.Var, u.Fn) && !p.IsParam(u.Var, u.Fn)
}

// value finds the statement and the variable, which must be the one new value.
func (u *Unstopped) value(p *code.Pass, result bool) bool {
	call := code.Unparen(u.Call)
	u.Def = call.Parent()
	var lhs []ast.Expr
	switch n := u.Def.Node().(type) {
	case *ast.ExprStmt:
	case *ast.AssignStmt:
		if len(n.Rhs) != 1 {
			return false
		}
		lhs = n.Lhs
	case *ast.ValueSpec:
		if len(n.Values) != 1 {
			return false
		}
		for _, id := range n.Names {
			lhs = append(lhs, id)
		}
		u.Def = u.Def.Parent().Parent()
	default:
		return false
	}
	if n := u.Callee.Signature().Results().Len(); n > 0 && n == len(lhs) {
		if v := p.VarOf(lhs[n-1]); v != nil && typeis.Error(v.Type()) && !code.IsBlank(lhs[n-1]) {
			u.Err = v
		}
	}
	if result {
		if len(lhs) == 0 {
			return true // discarded
		}
		u.Var = p.VarOf(lhs[0])
		return code.IsBlank(lhs[0]) || p.DeclaredIn(u.Var, u.Fn) && !p.IsResult(u.Var, u.Fn)
	}
	sel, ok := ast.Unparen(u.Call.Node().(*ast.CallExpr).Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x := ast.Unparen(sel.X)
	if inner, isCall := x.(*ast.CallExpr); isCall { // New().Start()
		fn := p.Callee(inner)
		return fn != nil && freshOf(p.Facts, fn)
	}
	u.Var = p.VarOf(x)
	s := p.TypesInfo.Selections[sel]
	return s != nil && len(s.Index()) == 1 && p.DeclaredIn(u.Var, u.Fn) && !p.IsResult(u.Var, u.Fn) && u.Var.Kind() == types.LocalVar && borrowsOf(p.Facts, u.Callee)
}

// follow classifies the uses of the value; ok is false if somebody else may
// end the goroutine, or the value is another one by then.
func (u *Unstopped) follow(p *code.Pass) (ok bool) {
	if u.Var == nil || u.Var.Name() == "_" {
		if u.Err != nil && u.Callee.Signature().Results().Len() > 1 {
			return false // the value is discarded where only the failure is of interest
		}
		u.Unmet = mustcall.Check(p, u.obligation())
		return true
	}
	assigned := 0
	for _, use := range p.Uses(u.Fn.Cursor, u.Var) {
		kind, known := valueUse(p, use, u)
		if !known {
			return false
		}
		switch kind {
		case usage.Escapes:
			if held, ok := usage.TrackHeld(p, use, u.Fn); ok {
				u.Events = append(u.Events, held...)
				continue
			}
		case usage.Assigns:
			if assigned++; assigned > 1 || assume.LitUse(p, use, u.Fn) != assume.LitNone {
				return false
			}
		case usage.DefersClose, usage.ClosesLate:
			if use.Node().Pos() < u.Call.Node().Pos() {
				return false
			}
		}
		u.Events = append(u.Events, usage.Event{Kind: kind, Node: code.FlowNode(use, u.Fn), At: use})
	}
	o := u.obligation()
	if mustcall.HandedOnBefore(p, o) || u.Itself && o.HandedOn() {
		return false
	}
	u.Unmet = mustcall.Check(p, o)
	return true
}

func (u *Unstopped) obligation() mustcall.Obligation {
	return mustcall.Obligation{
		Fn: u.Fn, Call: u.Call.Node().(*ast.CallExpr), Def: u.Def, Var: u.Var, Err: u.Err, Events: u.Events,
		Leaves: func(ast.Node) bool { return false }, // only a return does: who waits for ever still has the value
	}
}
