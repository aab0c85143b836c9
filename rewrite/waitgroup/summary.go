package waitgroup

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// GroupEffect is what a call of a function does with a WaitGroup that it gets
// as a parameter, or reaches from its receiver.
type GroupEffect struct {
	Param int    // the index of the parameter; -1 is the receiver
	Path  string // the fields on the way, as in code.Path.Fields
	// Adds and Dones are how often a call at most counts up and down, also in
	// goroutines that it starts, up to Many; SureDones is how often at least
	// before it returns, if it returns.
	Adds, Dones, SureDones int8
	Waits                  bool
	// Itself says that the function counts its own run: it adds one at its
	// top, which it takes back itself.
	Itself bool
	// Exhaustive says that nothing else is done with the group. A receiver may have
	// other methods that the function calls, so its effects never are.
	Exhaustive bool
}

// groupsOf is what a function does with Groups of its caller.
var groupsOf = code.Register[[]GroupEffect]("groups")

func init() {
	groupsOf.Compute(touchesGroup, func(s *code.Subject) []GroupEffect { return groupEffects(s.Pass, s.Sig, s.Fn) })
}

// GroupUse is the effect of a call on a group, as the caller knows it.
type GroupUse struct {
	Key code.Path
	GroupEffect
}

// Effects lists what is known of the Groups that call touches through
// the function that it calls.
func Effects(p *code.Pass, call *ast.CallExpr) (out []GroupUse) {
	fn := p.Callee(call)
	if fn == nil {
		return nil
	}
	for _, e := range groupsOf.Of(p.Facts.Facts, fn) {
		var from ast.Expr
		switch {
		case e.Param >= 0 && e.Param < len(call.Args) && !call.Ellipsis.IsValid():
			from = call.Args[e.Param]
		case e.Param < 0:
			if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
				from = sel.X
			}
		}
		if from == nil {
			continue
		}
		if key, ok := p.PathOf(from); ok {
			out = append(out, GroupUse{code.Path{Root: key.Root, Fields: key.Fields + e.Path}, e})
		}
	}
	return out
}

// touchesGroup is a cheap look at a function: does it have to do with Groups?
func touchesGroup(sig *types.Signature, d *ast.FuncDecl) bool {
	for v := range sig.Params().Variables() {
		if typeis.GroupPointer(v.Type()) {
			return true
		}
	}
	if sig.Recv() == nil {
		return false
	}
	found := false
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			found = found || sel.Sel.Name == "Done" || sel.Sel.Name == "Add"
		}
		return !found
	})
	return found
}

// groupEffects summarises what fn does with Groups.
func groupEffects(p *code.Pass, sig *types.Signature, fn *code.Func) (out []GroupEffect) {
	ops := Ops(p, fn.Cursor)
	roots := map[types.Object]int{}
	if r := sig.Recv(); r != nil {
		roots[r] = -1
	}
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		roots[v] = i
		if typeis.GroupPointer(v.Type()) { // worth knowing also where nothing is done with it
			out = append(out, groupEffect(p, code.Path{Root: v}, i, ops, fn))
		}
	}
	seen := map[code.Path]bool{}
	for _, op := range ops {
		i, ok := roots[op.Key.Root]
		if ok && !seen[op.Key] && !(i >= 0 && op.Key.Fields == "") {
			seen[op.Key] = true
			out = append(out, groupEffect(p, op.Key, i, ops, fn))
		}
	}
	// A method that is called on the receiver does it, too.
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		for _, use := range Effects(p, c.Node().(*ast.CallExpr)) {
			if i, ok := roots[use.Key.Root]; ok && !seen[use.Key] && !(i >= 0 && use.Key.Fields == "") {
				seen[use.Key] = true
				out = append(out, groupEffect(p, use.Key, i, ops, fn))
			}
		}
	}
	return out
}

func groupEffect(p *code.Pass, key code.Path, param int, ops []Op, fn *code.Func) GroupEffect {
	e := GroupEffect{Param: param, Path: key.Fields, Exhaustive: param >= 0 && key.Fields == ""}
	adds, dones, sure := map[ast.Node]int{}, map[ast.Node]int{}, map[ast.Node]int{}
	accounted := map[ast.Node]bool{}
	note := func(at inspector.Cursor, a, d, s int) {
		node, own := code.FlowNode(at, fn), p.GoroutineFunc(at) == fn.Cursor
		if node == nil || !own { // in a goroutine or a literal that is called whenever
			e.Adds, e.Dones = max(e.Adds, int8(min(a*flow.Many, flow.Many))), max(e.Dones, int8(min(d*flow.Many, flow.Many)))
			return
		}
		adds[node] += a
		dones[node] += d
		sure[node] += s
	}
	for _, o := range ops {
		if o.Key != key {
			continue
		}
		ast.Inspect(o.Recv, func(n ast.Node) bool {
			if n != nil {
				accounted[n] = true
			}
			return true
		})
		switch o.Name {
		case "Add":
			note(o.At, 1, 0, 0)
		case "Done":
			note(o.At, 0, 1, 1)
			if len(o.Call.Args) > 0 {
				e.Dones = flow.Many // wg.Add(-n)
			}
		case "Wait":
			e.Waits = true
		case "Go": // counts up and down by itself
		}
	}
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		for _, use := range Effects(p, call) {
			if use.Key != key {
				continue
			}
			sure := int(use.SureDones)
			if _, isGo := c.Parent().Node().(*ast.GoStmt); isGo {
				sure = 0
			}
			note(c, int(use.Adds), int(use.Dones), sure)
			e.Waits = e.Waits || use.Waits
			if use.Exhaustive {
				for _, a := range call.Args {
					accounted[ast.Unparen(a)] = true
				}
			}
		}
	}
	if e.Exhaustive {
		e.Exhaustive = !slices.ContainsFunc(p.Uses(fn.Cursor, key.Root), func(use inspector.Cursor) bool {
			return use.Node().Pos() != key.Root.Pos() && !accounted[use.Node()]
		})
	}
	f := &callers.NamedFunc{Func: fn, Object: p.TypesInfo.Defs[fn.Cursor.Node().(*ast.FuncDecl).Name], Pass: p}
	for _, o := range ops {
		if o.Key == key && o.Name == "Add" && e.Exhaustive {
			_, e.Itself = NewGroups(p).CountsItself(f, o, ops)
		}
	}
	most, least := fn.Flow.MostAndLeast(dones)
	_, surely := fn.Flow.MostAndLeast(sure)
	e.Dones, e.SureDones = max(e.Dones, most), min(least, surely)
	e.Adds = max(e.Adds, int8(fn.Flow.Most(adds)))
	return e
}
