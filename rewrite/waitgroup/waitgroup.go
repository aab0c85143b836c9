// Package waitgroup answers what a package does with its WaitGroups: the calls of Add, Done,
// Wait and Go, the goroutines that are counted, and what functions do with a group that
// they get. It does not judge whether that is right.
package waitgroup

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Op is one call of a method of a WaitGroup.
type Op struct {
	Name          string // Add, Done, Wait, Go
	Key           code.Path
	Recv          ast.Expr
	Call          *ast.CallExpr
	At            inspector.Cursor // the call
	GoroutineFunc inspector.Cursor // the function whose goroutine makes the call, see code.Pass.GoroutineFunc
}

// index holds the WaitGroup calls of a package.
type index struct {
	ops    []Op
	on     map[*types.Var][]Op // by field; nil for groups that are in none
	groups []inspector.Cursor  // identifiers and selections that are Groups
}

func newIndex(p *code.Pass) *index {
	root := p.Inspector.Root()
	x := &index{ops: opsBelow(p, root), on: map[*types.Var][]Op{}}
	for _, o := range x.ops {
		field := p.FieldOf(o.Recv)
		x.on[field] = append(x.on[field], o)
	}
	for c := range root.Preorder((*ast.Ident)(nil), (*ast.SelectorExpr)(nil)) {
		e := c.Node().(ast.Expr)
		if _, isSelector := e.(*ast.SelectorExpr); !isSelector && p.VarOf(e) == nil {
			continue
		}
		if typeis.Named(p.TypesInfo.TypeOf(e), "sync", "WaitGroup") {
			x.groups = append(x.groups, c)
		}
	}
	return x
}

// memo keeps what a rule has asked about the WaitGroup calls of declarations.
type memo struct {
	ops map[inspector.Cursor][]Op            // by Ops
	at  map[inspector.Cursor]map[ast.Expr]Op // by opAt
}

func memoOf(p *code.Pass) *memo {
	m := code.State[memo](p)
	if m.ops == nil {
		m.ops, m.at = map[inspector.Cursor][]Op{}, map[inspector.Cursor]map[ast.Expr]Op{}
	}
	return m
}

// Ops lists the WaitGroup calls below root, in source order. A
// parameter of a literal that is started with an argument stands for that
// argument: in go func(w *sync.WaitGroup) { w.Done() }(&wg), w is wg.
func Ops(p *code.Pass, root inspector.Cursor) []Op {
	if root == p.Inspector.Root() {
		return slices.Clip(code.Shared(p, newIndex).ops)
	}
	m := memoOf(p)
	ops, known := m.ops[root]
	if !known {
		ops = opsBelow(p, root)
		m.ops[root] = ops
	}
	return slices.Clip(ops)
}

// opAt returns the operation of Ops that call is.
func opAt(p *code.Pass, root inspector.Cursor, call ast.Expr) (op Op, ok bool) {
	m := memoOf(p)
	ops, known := m.at[root]
	if !known {
		ops = map[ast.Expr]Op{}
		for _, o := range Ops(p, root) {
			if _, twice := ops[o.Call]; !twice {
				ops[o.Call] = o
			}
		}
		m.at[root] = ops
	}
	op, ok = ops[call]
	return op, ok
}

// Exprs lists the identifiers and selections below root that are Groups,
// and may list others.
func Exprs(p *code.Pass, root inspector.Cursor) []inspector.Cursor {
	if root == p.Inspector.Root() {
		return code.Shared(p, newIndex).groups
	}
	return slices.Collect(root.Preorder((*ast.Ident)(nil), (*ast.SelectorExpr)(nil)))
}

// OpsOn lists the WaitGroup calls of the package on groups in field.
func OpsOn(p *code.Pass, field *types.Var) []Op { return code.Shared(p, newIndex).on[field] }

func opsBelow(p *code.Pass, root inspector.Cursor) []Op {
	var ops []Op
	for c := range root.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		switch name := code.CalledAs(call); name {
		case "Add", "Done", "Wait", "Go":
			recv, ok := p.Method(call, "sync", "WaitGroup", name)
			if !ok {
				continue
			}
			if key, ok := Key(p, recv); ok {
				key = p.ArgumentFor(key, c)
				what := name
				if name == "Add" && negative(p, call.Args) {
					what = "Done" // wg.Add(-1)
				}
				ops = append(ops, Op{what, key, recv, call, c, p.GoroutineFunc(c)})
			}
		}
	}
	return ops
}

// negative reports whether the first of args, the number of an Add, is below
// zero as far as one can see: the Add then counts down.
func negative(p *code.Pass, args []ast.Expr) bool {
	minus, ok := ast.Unparen(args[0]).(*ast.UnaryExpr)
	sign := frozen.Sign(p, args[0], 3)
	return sign < 0 || sign == 0 && ok && minus.Op == token.SUB && p.TypesInfo.Types[minus.X].Value == nil
}

// Key returns the key of e: an identifier or a chain of fields,
// possibly after & or *.
func Key(p *code.Pass, e ast.Expr) (code.Path, bool) {
	key, ok := p.PathOf(e)
	if ok && !typeis.Named(p.TypesInfo.TypeOf(e), "sync", "WaitGroup") {
		key.Fields += ".~" // promoted from an embedded WaitGroup
	}
	return key, ok
}
