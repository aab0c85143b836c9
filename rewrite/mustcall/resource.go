package mustcall

import (
	"go/ast"
	"go/types"
	"iter"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// Resource is a row of a table: a value that functions of other packages return, and that
// whoever gets it must release. Obligations as in the Resource Leak Checker of the Checker
// Framework (Kellogg et al., "Lightweight and Modular Resource Leak Verification", 2021).
type Resource struct {
	*usage.Resource
	// Acquire says which result of a call is a fresh resource: see [From].
	Acquire func(p *code.Pass, call *ast.CallExpr) (Acquired, bool)
	// Moot reports whether nothing is owed for the resource in v where a condition came
	// out as taken. May be nil.
	Moot func(p *code.Pass, v *types.Var, cond ast.Expr, taken bool) bool
}

// Acquired tells the results of a call that makes a resource, by their indexes.
type Acquired struct {
	Result int
	Err    int // -1 if there is none
}

// From returns an Acquire for functions with the given full names, such as "os.Open" or
// "(*database/sql.DB).Query": the resource is their first result, the error their last.
func From(names ...string) func(*code.Pass, *ast.CallExpr) (Acquired, bool) {
	return func(p *code.Pass, call *ast.CallExpr) (Acquired, bool) {
		if !slices.Contains(names, p.FullName(call)) {
			return Acquired{}, false
		}
		results := p.Callee(call).Signature().Results()
		a := Acquired{Err: -1}
		if last := results.Len() - 1; last > 0 && typeis.Error(results.At(last).Type()) {
			a.Err = last
		}
		return a, true
	}
}

// Owed is an obligation that comes from a row.
type Owed struct {
	Obligation
	Pass *code.Pass
	From *Resource
	// HandedOn is set if somebody else may release it, on some path.
	HandedOn bool
}

// Find yields what the functions of the package owe for the resources that they get into
// a local variable, in the order of the source.
func (r *Resource) Find(p *code.Pass) iter.Seq[*Owed] {
	return func(yield func(*Owed) bool) {
		for c := range p.Candidates((*ast.CallExpr)(nil)) {
			if o := r.owed(p, c); o != nil && !yield(o) {
				return
			}
		}
	}
}

// owed returns what the function around the call at c owes for its result; nil if that is
// no resource, or its place is not understood.
func (r *Resource) owed(p *code.Pass, c inspector.Cursor) *Owed {
	call := c.Node().(*ast.CallExpr)
	a, ok := r.Acquire(p, call)
	if !ok {
		return nil
	}
	def, lhs := Targets(code.Unparen(c).Parent())
	fn := p.EnclosingFunc(c)
	if fn == nil || len(lhs) <= max(a.Result, a.Err) {
		return nil
	}
	v := p.VarOf(lhs[a.Result])
	if code.IsBlank(lhs[a.Result]) || !p.DeclaredIn(v, fn) || p.IsResult(v, fn) {
		return nil
	}
	o := &Owed{Pass: p, From: r}
	o.Fn, o.Call, o.Def, o.Var, o.Returns = fn, call, def, v, true
	if a.Err >= 0 {
		o.Err = p.VarOf(lhs[a.Err])
	}
	o.Events = usage.Track(p, v, fn, r.Resource)
	o.HandedOn = o.Obligation.HandedOn()
	if r.Moot != nil {
		o.Settled = func(cond ast.Expr, taken bool) bool { return r.Moot(p, v, cond, taken) }
	}
	return o
}

// Targets returns what the results of a call are assigned to by what stands around it at
// c, and the statement that does so; nil if that is no statement.
func Targets(c inspector.Cursor) (def inspector.Cursor, lhs []ast.Expr) {
	switch n := c.Node().(type) {
	case *ast.AssignStmt:
		if len(n.Rhs) == 1 {
			return c, n.Lhs
		}
	case *ast.ValueSpec:
		def = c.Parent().Parent()
		if _, isStmt := def.Node().(*ast.DeclStmt); !isStmt || len(n.Values) != 1 {
			return c, nil
		}
		for _, id := range n.Names {
			lhs = append(lhs, id)
		}
		return def, lhs
	}
	return c, nil
}

// Flagged reports whether all that releases the resource, or takes it over, stands under a
// bare flag: whether it is set where the resource is there is not known.
func (o *Owed) Flagged() bool {
	found := false
	for _, e := range o.Events {
		switch e.Kind {
		case usage.Closes, usage.DefersClose, usage.ClosesLate, usage.Escapes:
			if !UnderFlag(e.At, o.Call.Pos()) {
				return false
			}
			found = true
		}
	}
	return found
}

// Open returns on which ways out the resource is not released.
func (o *Owed) Open() Unmet { return Check(o.Pass, o.Obligation) }
