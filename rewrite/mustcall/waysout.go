package mustcall

import (
	"go/ast"
	"go/token"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// HandedOn reports whether somebody else may get the value of o on some path: then the
// other ways out owe it all the same, and what is missing there is put before each.
func (o *Obligation) HandedOn() bool {
	return slices.ContainsFunc(o.Events, func(e usage.Event) bool { return e.Kind == usage.Escapes })
}

// HandedOnBefore reports whether somebody else may have the variable of o before it gets the
// value of the call, and so the value as well: a literal that was made before, or one of
// an earlier iteration, which may be about the same variable.
func HandedOnBefore(p *code.Pass, o Obligation) bool {
	here := p.Evaluates(o.Fn, o.Call)
	again := map[ast.Node]bool{} // hand-overs after the call from which control comes back to it
	for _, e := range o.Events {
		if e.Kind != usage.Escapes {
			continue
		}
		if e.Node == nil || e.Node == here || e.At.Node().Pos() < o.Call.Pos() {
			return true
		}
		again[e.Node] = true
	}
	if !o.Fn.Flow.InCycle(here) {
		return false
	}
	for n := range again {
		back := false
		flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			back = back || n == here
			fresh := n != here && o.Var != nil && n.Pos() <= o.Var.Pos() && o.Var.Pos() < n.End()
			return s, !back && !fresh
		}}.After(o.Fn.Flow, n, struct{}{})
		if def := o.Def.Node(); back && (o.Var == nil || o.Var.Pos() < def.Pos() || o.Var.Pos() >= def.End()) {
			return true
		}
	}
	return false
}

// WaysOut returns the ways out of the statements around the call of o on which it is not
// met: see [IterationExits]. why says what is in the way of a statement before each. once
// says that what meets it may do harm where it has been met.
func WaysOut(p *code.Pass, o Obligation, once bool, fits func(ast.Stmt) string) (r Iteration, why string) {
	region := o.Def.Parent()
	if code.StmtsOf(region.Node()) == nil {
		return r, "the call is no statement of its own"
	}
	if o.Var.Pos() < region.Node().Pos() || o.Var.Pos() >= region.Node().End() {
		return r, o.Var.Name() + " lives longer than the statements around the call"
	}
	here := p.Evaluates(o.Fn, o.Call)
	for _, e := range o.Events {
		id := e.At.Node().(*ast.Ident)
		declares := p.TypesInfo.Defs[id] != nil && id.Pos() < o.Call.Pos()
		if e.Kind == usage.Assigns && e.Node != here && !declares && p.VarOf(id) == o.Var {
			return r, o.Var.Name() + " is assigned again"
		}
	}
	if jumps(region) {
		return r, "the statements around the call are left by a goto or a fallthrough"
	}
	r, why = IterationExits(p, o, region, fits)
	switch br, _ := r.Last.(*ast.BranchStmt); {
	case why != "":
	case len(r.Again) > 0:
		why = o.Var.Name() + " is assigned again"
	case br != nil && br.Tok == token.FALLTHROUGH:
		why = "the end of the statements around the call cannot be reached by one more"
	case comesAfter(o, r, region, usage.Escapes):
		why = "whether somebody else has got " + o.Var.Name() + " depends on the way to an exit"
	case once && comesAfter(o, r, region, usage.Closes, usage.DefersClose, usage.ClosesLate):
		why = "an exit is also reached where that has been called, and to call it twice may do harm"
	}
	return r, why
}

// comesAfter reports whether control comes to one of the ways out of r after an event of
// the given kinds, too: what is put there would, for instance, take the value from
// somebody who has got it.
func comesAfter(o Obligation, r Iteration, region inspector.Cursor, kinds ...usage.EventKind) bool {
	found := false
	for _, e := range o.Events {
		if _, isReturn := e.Node.(*ast.ReturnStmt); !slices.Contains(kinds, e.Kind) || isReturn {
			continue
		}
		flow.Paths[struct{}]{
			Node: func(n ast.Node, s struct{}) (struct{}, bool) {
				out := n.Pos() < region.Node().Pos() || n.End() > region.Node().End() || n == o.Def.Node()
				stmt, _ := n.(ast.Stmt)
				found = found || stmt != nil && slices.Contains(r.Jumps, stmt) || out && r.Last != nil
				return s, !found && !out
			},
			Exit: func(b *flow.Block, _ struct{}) { found = found || r.Last != nil && b.End == o.Fn.Body.Rbrace },
		}.After(o.Fn.Flow, e.Node, struct{}{})
	}
	return found
}

// jumps reports whether control leaves a statement of region by a goto or a fallthrough.
func jumps(region inspector.Cursor) bool {
	for b := range region.Preorder((*ast.BranchStmt)(nil)) {
		if tok := b.Node().(*ast.BranchStmt).Tok; tok == token.GOTO || tok == token.FALLTHROUGH {
			return true
		}
	}
	return false
}

// Between returns the nodes of the flow that control may come to between the call of o
// and the ways out of r, as long as o is not met.
func Between(p *code.Pass, o Obligation, r Iteration) map[ast.Node]bool {
	met := map[ast.Node]bool{}
	for _, e := range o.Events {
		switch e.Kind {
		case usage.Closes, usage.DefersClose, usage.ClosesLate, usage.Escapes:
			met[e.Node] = true
		}
	}
	var out []*flow.Block
	for _, s := range r.Jumps {
		if b := o.Fn.Flow.BlockOf(s); b != nil {
			out = append(out, b)
		}
	}
	leads := o.Fn.Flow.LeadTo(out)
	nodes := map[ast.Node]bool{}
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		b := o.Fn.Flow.BlockOf(n)
		nodes[n] = nodes[n] || r.Last != nil || b == nil || leads[b.Index()]
		return s, !met[n]
	}}.After(o.Fn.Flow, p.Evaluates(o.Fn, o.Call), struct{}{})
	return nodes
}
