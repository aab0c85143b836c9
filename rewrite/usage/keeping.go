package usage

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// Keeping is what a function does with a struct that it gets, or a pointer to one.
type Keeping struct {
	Leaves bool     // it gives it to nobody and keeps it nowhere
	Fields []string // those that it, or what it calls, mentions, if Leaves is set
}

// keepings are those of the receiver and the parameters of a function, in this order.
type keepings []Keeping

var (
	keepingsOf  = code.Register[keepings]("keepings")
	makesStruct = code.Register[newResult]("newstruct")
)

// newResult says of a function that its first result is a new struct that nobody else has.
type newResult bool

func init() {
	keepingsOf.Compute(takesHolder, func(s *code.Subject) (out keepings) {
		vars := append([]*types.Var{s.Sig.Recv()}, slices.Collect(s.Sig.Params().Variables())...)
		for i, v := range vars {
			if v == nil || !holds(v.Type()) || s.Sig.Variadic() && i == len(vars)-1 {
				continue
			}
			k := keeping{p: s.Pass}
			for _, use := range s.Pass.Uses(s.Fn.Cursor, v) {
				k.use(use)
			}
			if k.kept {
				continue
			}
			if out == nil {
				out = make(keepings, len(vars))
			}
			slices.Sort(k.fields)
			out[i] = Keeping{true, slices.Compact(k.fields)}
		}
		return out
	})
	makesStruct.Compute(func(sig *types.Signature, _ *ast.FuncDecl) bool {
		return sig.Results().Len() > 0 && holds(sig.Results().At(0).Type())
	}, func(s *code.Subject) newResult { return newResult(returnsNew(s.Pass, s.Fn)) })
}

// keepingOf returns what fn does with its argument i, -1 for its receiver.
func keepingOf(p *code.Pass, fn *types.Func, i int) Keeping {
	list := keepingsOf.Of(p.Facts.Facts, fn.Origin())
	if i+1 < len(list) {
		return list[i+1]
	}
	return Keeping{}
}

func takesHolder(sig *types.Signature, _ *ast.FuncDecl) bool {
	if sig.Recv() != nil && holds(sig.Recv().Type()) {
		return true
	}
	for v := range sig.Params().Variables() {
		if holds(v.Type()) {
			return true
		}
	}
	return false
}

// holds reports whether t is a struct, or points to one, with a field for a resource.
func holds(t types.Type) bool {
	s := structOf(t)
	if s == nil {
		return false
	}
	for f := range s.Fields() {
		if ResourceOf(f.Type()) != nil {
			return true
		}
	}
	return false
}

// keeping collects what is done with a struct.
type keeping struct {
	p      *code.Pass
	kept   bool
	fields []string
}

func (k *keeping) use(c inspector.Cursor) {
	c = code.Unparen(c)
	switch n := c.Parent().Node().(type) {
	case *ast.Field:
		return
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			return
		}
	case *ast.AssignStmt:
		if len(n.Lhs) == 1 && code.IsBlank(n.Lhs[0]) {
			return
		}
	case *ast.SelectorExpr:
		if f := selects(k.p, n); f != nil {
			k.fields = append(k.fields, f.Name())
			return
		}
		outer := code.Unparen(c.Parent())
		call, ok := outer.Parent().Node().(*ast.CallExpr)
		if s := k.p.TypesInfo.Selections[n]; ok && call.Fun == outer.Node() && s != nil && s.Kind() == types.MethodVal {
			k.callee(call, -1)
			return
		}
	case *ast.CallExpr:
		if i := slices.Index(n.Args, c.Node().(ast.Expr)); i >= 0 && !n.Ellipsis.IsValid() {
			k.callee(n, i)
			return
		}
	}
	k.kept = true
}

func (k *keeping) callee(call *ast.CallExpr, arg int) {
	fn := k.p.Callee(call)
	if fn == nil {
		k.kept = true
		return
	}
	of := keepingOf(k.p, fn, arg)
	k.kept = k.kept || !of.Leaves
	k.fields = append(k.fields, of.Fields...)
}

// returnsNew reports whether fn returns a new struct, or nil, on each way out, which
// nobody else gets.
func returnsNew(p *code.Pass, fn *code.Func) bool {
	made := false
	for c := range fn.Cursor.Preorder((*ast.ReturnStmt)(nil)) {
		if in := p.EnclosingFunc(c); in == nil || in.Cursor != fn.Cursor {
			continue
		}
		ret := c.Node().(*ast.ReturnStmt)
		if len(ret.Results) == 0 {
			return false
		}
		e := ast.Unparen(ret.Results[0])
		if v := p.VarOf(e); v != nil && !p.IsNil(e) {
			if !newIn(p, v, fn) {
				return false
			}
		} else if !p.IsNil(e) && (!newStruct(p, e) || len(ret.Results) == 1 && fn.Type.Results.NumFields() > 1) {
			return false
		}
		made = made || !p.IsNil(e)
	}
	return made
}

// newIn reports whether the local variable v of fn holds a new struct that nobody gets but
// who gets the results.
func newIn(p *code.Pass, v *types.Var, fn *code.Func) bool {
	if !p.DeclaredIn(v, fn) || v.Kind() != types.LocalVar {
		return false
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		if code.IsAssigned(use) {
			spec, isSpec := use.Parent().Node().(*ast.ValueSpec)
			value := givenAt(use)
			if (!isSpec || len(spec.Values) > 0) && (value == nil || !newStruct(p, value)) {
				return false
			}
			continue
		}
		if _, isReturn := code.Unparen(use).Parent().Node().(*ast.ReturnStmt); isReturn {
			continue
		}
		k := keeping{p: p}
		if k.use(use); k.kept {
			return false
		}
	}
	return true
}
