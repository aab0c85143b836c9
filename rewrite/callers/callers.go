// Package callers answers who calls a function of the package, with which arguments,
// and whether there may be calls, or uses of a field, that are not in sight.
package callers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
)

// CallSites lists where the package calls fn; ok is false if it also uses it
// as a value, or if others may call it.
func CallSites(p *code.Pass, fn *types.Func) (calls []inspector.Cursor, ok bool) {
	if fn.Exported() && p.Pkg.Name() != "main" {
		return nil, false
	}
	for _, c := range p.Index().Funcs[fn] {
		if _, isSel := c.Parent().Node().(*ast.SelectorExpr); isSel {
			c = c.Parent()
		}
		call := code.Unparen(c).Parent()
		if ce, isCall := call.Node().(*ast.CallExpr); !isCall || ce.Fun != code.Unparen(c).Node() {
			return nil, false
		}
		calls = append(calls, call)
	}
	return calls, len(calls) > 0
}

// NamedFunc is a function that is called by a name: a declared one, or a
// literal in a local variable that is assigned once.
type NamedFunc struct {
	*code.Func
	Object types.Object
	Pass   *code.Pass
}

// NamedFuncs yields the functions of the package that are called by a name.
func NamedFuncs(p *code.Pass) iter.Seq[*NamedFunc] {
	return func(yield func(*NamedFunc) bool) { eachNamed(p, yield) }
}

func eachNamed(p *code.Pass, yield func(*NamedFunc) bool) {
	for c := range p.Candidates((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		var o types.Object
		switch n := c.Node().(type) {
		case *ast.FuncDecl:
			o = p.TypesInfo.Defs[n.Name]
		case *ast.FuncLit:
			v := holderOf(p, c)
			if v == nil || !frozen.Fixed(p, v) {
				continue
			}
			o = v
		}
		if fn := p.FuncOf(c); fn != nil && o != nil && !yield(&NamedFunc{fn, o, p}) {
			return
		}
	}
}

// holderOf returns the variable that is defined as the literal at c; nil if it
// is none.
func holderOf(p *code.Pass, c inspector.Cursor) *types.Var {
	var lhs, rhs []ast.Expr
	switch n := code.Unparen(c).Parent().Node().(type) {
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			lhs, rhs = n.Lhs, n.Rhs
		}
	case *ast.ValueSpec:
		for _, name := range n.Names {
			lhs = append(lhs, name)
		}
		rhs = n.Values
	}
	if len(lhs) != len(rhs) {
		return nil
	}
	for i, r := range rhs {
		if ast.Unparen(r) == c.Node() {
			return p.VarOf(lhs[i])
		}
	}
	return nil
}

// NamedCall is a call of a NamedFunc.
type NamedCall struct {
	At   inspector.Cursor // the call
	Stmt inspector.Cursor // the go or expression statement that it is; else invalid
}

// Go reports whether the call starts a goroutine.
func (c NamedCall) Go() bool {
	_, ok := c.At.Parent().Node().(*ast.GoStmt)
	return ok
}

// Calls lists the calls of f. all is false if f is used as a value, too.
func (f *NamedFunc) Calls() (calls []NamedCall, all bool) {
	all = true
	for _, c := range f.uses() {
		id := c.Node().(*ast.Ident)
		if f.Pass.TypesInfo.Uses[id] == nil {
			continue // the declaration
		}
		if sel, ok := c.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel == id {
			c = c.Parent()
		}
		switch x := c.Parent().Node().(type) { // an explicit instance
		case *ast.IndexExpr:
			if ast.Node(x.X) == c.Node() {
				c = c.Parent()
			}
		case *ast.IndexListExpr:
			c = c.Parent()
		}
		c = code.Unparen(c)
		call, ok := c.Parent().Node().(*ast.CallExpr)
		if !ok || ast.Node(call.Fun) != c.Node() {
			all = false
			continue
		}
		nc := NamedCall{At: c.Parent()}
		switch code.Unparen(nc.At).Parent().Node().(type) {
		case *ast.ExprStmt, *ast.GoStmt:
			nc.Stmt = code.Unparen(nc.At).Parent()
		}
		calls = append(calls, nc)
	}
	return calls, all
}

// uses yields the identifiers that denote f, of which one may be its declaration.
func (f *NamedFunc) uses() []inspector.Cursor {
	switch o := f.Object.(type) {
	case *types.Func:
		return f.Pass.Index().Funcs[o]
	case *types.Var:
		return f.Pass.VarUses(o)
	}
	return nil
}

// Argument returns what the call passes for v, a parameter or the receiver of
// f; nil if it does not pass it as it is.
func (f *NamedFunc) Argument(c NamedCall, v types.Object) ast.Expr {
	call, sig := c.At.Node().(*ast.CallExpr), f.Object.Type().Underlying().(*types.Signature)
	if r := sig.Recv(); r != nil && r == v {
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok {
			return nil
		}
		s := f.Pass.TypesInfo.Selections[sel]
		if s == nil || s.Kind() != types.MethodVal || len(s.Index()) != 1 {
			return nil // a method expression, or a method of something embedded
		}
		return sel.X
	}
	for i := range sig.Params().Len() {
		if sig.Params().At(i).Pos() == v.Pos() && i < len(call.Args) && !call.Ellipsis.IsValid() && len(call.Args) == sig.Params().Len() {
			return call.Args[i]
		}
	}
	return nil
}

// IsParam reports whether v is a parameter or the receiver of f.
func (f *NamedFunc) IsParam(v types.Object) bool {
	x, ok := v.(*types.Var)
	if !ok || v.Pos() < f.Cursor.Node().Pos() || v.Pos() >= f.Body.Pos() {
		return false
	}
	return x.Kind() == types.ParamVar || x.Kind() == types.RecvVar
}

// Hidden says why there may be calls of f that are not known; "" if there are none.
func (f *NamedFunc) Hidden() string {
	fn, ok := f.Object.(*types.Func)
	if !ok {
		return ""
	}
	name := fn.Name()
	switch {
	case fn.Exported():
		return name + " is exported, so other packages may call it"
	case fn.Signature().Recv() != nil && inInterface(f.Pass, name):
		return name + " may be called through an interface"
	case mentionedElsewhere(f.Pass, name):
		return "a file that is not analysed here may call " + name
	}
	return ""
}

// mentionedElsewhere reports whether a file in the directory of the package
// that does not belong to it in this build, such as one for another system,
// uses name.
func mentionedElsewhere(p *code.Pass, name string) bool {
	names := code.Shared(p, namesElsewhere)
	return !names.read || names.used[name]
}

// elsewhere holds the identifiers in the files that do not belong to the package.
type elsewhere struct {
	used map[string]bool
	read bool // all files could be read
}

func namesElsewhere(p *code.Pass) (names elsewhere) {
	var own []string
	for _, f := range p.Files {
		own = append(own, p.Fset.File(f.FileStart).Name())
	}
	list, err := Neighbours(own)
	if err != nil {
		return elsewhere{}
	}
	names.used = map[string]bool{}
	for _, path := range list {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if file == nil {
			return elsewhere{}
		}
		if file.Name.Name != p.Pkg.Name() {
			continue // a test from outside sees exported names only
		}
		if err != nil {
			return elsewhere{}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				names.used[id.Name] = true
			}
			return true
		})
	}
	names.read = true
	return names
}

// Neighbours returns the Go files in the directory of a package that are not
// among its own.
func Neighbours(own []string) (list []string, err error) {
	dir := filepath.Dir(own[0])
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.IsDir() && strings.HasSuffix(path, ".go") && !slices.Contains(own, path) {
			list = append(list, path)
		}
	}
	return list, nil
}

// CalledBy reports whether call is a call of f by its name.
func (f *NamedFunc) CalledBy(call *ast.CallExpr) bool {
	o := typeutil.Callee(f.Pass.TypesInfo, call)
	if fn, ok := o.(*types.Func); ok {
		o = fn.Origin()
	}
	return o == f.Object
}
