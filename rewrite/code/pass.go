// Package code is a package of Go code as a rule sees it: its functions with their
// control flow, which function a call invokes, where variables and fields are used,
// and the facts about functions that domains compute. It knows nothing of channels,
// responses or any other topic.
package code

import (
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"path/filepath"
	"reflect"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// Pass is one package seen by one rule.
type Pass struct {
	*analysis.Pass
	Inspector *inspector.Inspector
	Facts     *Facts
	shared    *shared
	uses      map[ast.Node]*usesIndex // of declarations
	visiting  ast.Decl                // by Candidates
	masked    map[ast.Decl]bool
	states    map[reflect.Type]any            // by State
	found     map[ast.Node]inspector.Cursor   // by find
	within    map[*types.Var]inspector.Cursor // by functionAround
}

// shared is what all rules work out of a package once. They run at the same time.
type shared struct {
	mu    sync.Mutex
	flows map[*ast.BlockStmt]*flow.Graph
	bound map[*types.Var]*types.Func // local variables -> the one function they hold
	kept  map[reflect.Type]any       // by Shared
	decls func() []inspector.Cursor  // of the files, sorted by position
	names map[*types.Func]string     // by FullName
}

func newShared() *shared {
	return &shared{flows: map[*ast.BlockStmt]*flow.Graph{}, bound: map[*types.Var]*types.Func{}, names: map[*types.Func]string{}, kept: map[reflect.Type]any{}}
}

// NewPass wraps pass with the results of the shared analyzers.
func NewPass(pass *analysis.Pass, in *inspector.Inspector, facts *Facts) *Pass {
	p := &Pass{Pass: pass, Inspector: in, Facts: facts}
	if p.shared = facts.shared; p.shared == nil {
		p.shared = newShared() // while summarising, what is known still grows
	}
	return p
}

// State returns what a rule or a topic keeps about the package of p, for as long as the
// rule runs: a value of a type of its own, which is the zero value at first.
func State[T any](p *Pass) *T {
	key := reflect.TypeFor[T]()
	s, ok := p.states[key].(*T)
	if !ok {
		s = new(T)
		if p.states == nil {
			p.states = map[reflect.Type]any{}
		}
		p.states[key] = s
	}
	return s
}

// Shared returns what make works out of the package of p, once for all rules: one value
// for each type.
func Shared[T any](p *Pass, make func(*Pass) T) T {
	key := reflect.TypeFor[T]()
	p.shared.mu.Lock()
	get, ok := p.shared.kept[key].(func() T)
	if !ok {
		get = sync.OnceValue(func() T { return make(p) })
		p.shared.kept[key] = get
	}
	p.shared.mu.Unlock()
	return get()
}

// Func is one function body: a declaration or a literal.
type Func struct {
	Cursor inspector.Cursor
	Type   *ast.FuncType
	Body   *ast.BlockStmt
	Flow   *flow.Graph
}

// Name returns the name of a declared function, or "" for a literal.
func (f *Func) Name() string {
	if d, ok := f.Cursor.Node().(*ast.FuncDecl); ok {
		return d.Name.Name
	}
	return ""
}

// Called returns what a message may call the function.
func (f *Func) Called() string {
	if n := f.Name(); n != "" {
		return n
	}
	return "the function"
}

// Outermost returns the declaration around f, or f itself outside of one.
func (f *Func) Outermost() inspector.Cursor {
	outer := f.Cursor
	for c := range f.Cursor.Enclosing((*ast.FuncDecl)(nil)) {
		outer = c
	}
	return outer
}

// InDefer reports whether c stands in a defer statement, at any depth.
func InDefer(c inspector.Cursor) bool {
	for range c.Enclosing((*ast.DeferStmt)(nil)) {
		return true
	}
	return false
}

// EnclosingFunc returns the innermost function around c, or nil outside of functions.
func (p *Pass) EnclosingFunc(c inspector.Cursor) *Func {
	for fc := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if fc == c {
			continue
		}
		return p.FuncOf(fc)
	}
	return nil
}

// FuncOf returns the function that c, a FuncDecl or FuncLit, denotes; nil if it has no body.
func (p *Pass) FuncOf(c inspector.Cursor) *Func {
	f := &Func{Cursor: c}
	switch n := c.Node().(type) {
	case *ast.FuncDecl:
		f.Type, f.Body = n.Type, n.Body
	case *ast.FuncLit:
		f.Type, f.Body = n.Type, n.Body
	}
	if f.Body == nil {
		return nil
	}
	f.Flow = p.flow(f.Body)
	return f
}

// flow returns the graph of body.
func (p *Pass) flow(body *ast.BlockStmt) *flow.Graph {
	p.shared.mu.Lock()
	graph := p.shared.flows[body]
	p.shared.mu.Unlock()
	if graph == nil { // another rule may be at it, too, with the same result
		graph = flow.New(body, p.TypesInfo, p.NeverReturns)
		p.shared.mu.Lock()
		p.shared.flows[body] = graph
		p.shared.mu.Unlock()
	}
	return graph
}

// FileOf returns the file that holds pos.
func (p *Pass) FileOf(pos token.Pos) *ast.File {
	for _, f := range p.Files {
		if f.FileStart <= pos && pos < f.FileEnd {
			return f
		}
	}
	return nil
}

// InTest reports whether pos is in a _test.go file.
func (p *Pass) InTest(pos token.Pos) bool {
	return strings.HasSuffix(p.Fset.File(pos).Name(), "_test.go")
}

// Since reports whether the file at pos is written for a version of Go, such as "go1.21",
// or a later one.
func (p *Pass) Since(pos token.Pos, v string) bool {
	have := p.TypesInfo.FileVersions[p.FileOf(pos)]
	if have == "" {
		have = p.Pkg.GoVersion()
	}
	return have == "" || version.Compare(version.Lang(have), v) >= 0
}

// VarOf returns the variable that e, a plain or parenthesised identifier, denotes; else nil.
func (p *Pass) VarOf(e ast.Expr) *types.Var {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	v, _ := p.TypesInfo.ObjectOf(id).(*types.Var)
	return v
}

// IsBlank reports whether e is the blank identifier.
func IsBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// IsNil reports whether e is the predeclared nil.
func (p *Pass) IsNil(e ast.Expr) bool { return p.TypesInfo.Types[ast.Unparen(e)].IsNil() }

// DeclaredIn reports whether v is a local variable of fn itself: declared in
// its body or its signature, and not in a literal inside or a function around it.
func (p *Pass) DeclaredIn(v *types.Var, fn *Func) bool {
	if v == nil || v.IsField() || v.Parent() == nil || v.Parent() == p.Pkg.Scope() {
		return false
	}
	node := fn.Cursor.Node()
	if v.Pos() < node.Pos() || v.Pos() >= node.End() {
		return false
	}
	around, ok := p.functionAround(v)
	return ok && around == fn.Cursor
}

// IsResult reports whether v is a result of fn.
func (p *Pass) IsResult(v *types.Var, fn *Func) bool {
	if fn.Type.Results == nil {
		return false
	}
	for _, field := range fn.Type.Results.List {
		for _, name := range field.Names {
			if p.TypesInfo.Defs[name] == v {
				return true
			}
		}
	}
	return false
}

// Unparen climbs from c over parentheses to the expression as its parent sees it.
func Unparen(c inspector.Cursor) inspector.Cursor {
	for {
		if _, ok := c.Parent().Node().(*ast.ParenExpr); !ok {
			return c
		}
		c = c.Parent()
	}
}

// FlowNode climbs from c to the node of fn's flow that evaluates it; nil if c
// is not in fn.
func FlowNode(c inspector.Cursor, fn *Func) ast.Node {
	if !fn.Cursor.Contains(c) {
		return nil
	}
	for ; c.Valid() && c != fn.Cursor; c = c.Parent() {
		if fn.Flow.Has(c.Node()) {
			return c.Node()
		}
	}
	return nil
}

// StmtList returns the list of statements that holds s directly and its index
// there. ok is false for a statement that stands in no list: an if's init, the
// statement of a label, of a select case.
func StmtList(s inspector.Cursor) (list []ast.Stmt, index int, ok bool) {
	list = StmtsOf(s.Parent().Node())
	for i, x := range list {
		if ast.Node(x) == s.Node() {
			return list, i, true
		}
	}
	return nil, 0, false
}

// StmtsOf returns the statements of a block or clause; nil for other nodes.
func StmtsOf(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

// sharesFacts reports whether other packages may hear of this one: those of the main
// modules are, and where a driver says nothing of modules, as nogo does, all
// but those of the standard library, which is told by where it lies.
func sharesFacts(pass *analysis.Pass) bool {
	if m := pass.Module; m != nil {
		return m.Path != "" && m.Version == ""
	}
	for _, file := range pass.Files {
		dir := filepath.ToSlash(filepath.Dir(pass.Fset.File(file.FileStart).Name()))
		if strings.HasSuffix(dir, "/src/"+pass.Pkg.Path()) {
			return false
		}
	}
	return true
}
