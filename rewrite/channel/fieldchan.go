package channel

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Field is a field that holds a channel and that only this package can
// reach, with all that the package does with it.
type Field struct {
	Field                *types.Var
	Sends, Recvs         []Use      // range statements are among the receives
	Made                 []ast.Expr // the capacities it is made with; nil for none
	Closes               []Use
	Looked               bool
	Receivable, Sendable bool // code that is not known may receive from it, send on it or close it
}

// Fields returns the channels in fields that nothing outside of the
// package can get at, as far as it is known what is done with them.
func Fields(p *code.Pass) []*Field {
	return code.Shared(p, findFields)
}

func findFields(p *code.Pass) []*Field {
	t := &fieldTable{p: p, fields: map[*types.Var]*Field{}, getters: map[*types.Func]*types.Var{}, seen: map[*types.Var]bool{}}
	root := p.Inspector.Root()
	var order []*Field
	for c := range root.Preorder((*ast.StructType)(nil)) {
		for _, f := range c.Node().(*ast.StructType).Fields.List {
			for _, name := range f.Names {
				v, ok := p.TypesInfo.Defs[name].(*types.Var)
				if ok && name.Name != "_" && (!v.Exported() || p.Pkg.Name() == "main") && typeis.Chan(v.Type()) {
					t.fields[v] = &Field{Field: v}
					order = append(order, t.fields[v])
				}
			}
		}
	}
	if len(order) == 0 {
		return nil
	}
	for c := range root.Preorder((*ast.FuncDecl)(nil)) {
		t.getter(c.Node().(*ast.FuncDecl))
	}
	for c := range root.Preorder((*ast.SelectorExpr)(nil), (*ast.CompositeLit)(nil), (*ast.CallExpr)(nil)) {
		switch n := c.Node().(type) {
		case *ast.SelectorExpr:
			if f := t.fields[p.Selected(n)]; f != nil {
				t.use(f, c)
			}
		case *ast.CompositeLit:
			t.literal(c, n)
		case *ast.CallExpr:
			if f := t.fields[t.getters[p.Callee(n)]]; f != nil {
				t.got(f, c)
			}
		}
	}
	known := order[:0]
	for _, f := range order {
		if !(f.Receivable && f.Sendable) && !callers.UsedUnseen(t.p, f.Field) {
			known = append(known, f)
		}
	}
	return known
}

type fieldTable struct {
	p       *code.Pass
	fields  map[*types.Var]*Field
	getters map[*types.Func]*types.Var // functions that return such a field, or nil, to be received from
	seen    map[*types.Var]bool        // aliases followed
}

// getter records a function whose every return gives the same field, or nil,
// as a channel to receive from.
func (t *fieldTable) getter(d *ast.FuncDecl) {
	fn, ok := t.p.TypesInfo.Defs[d.Name].(*types.Func)
	if !ok || d.Body == nil || fn.Signature().Results().Len() != 1 {
		return
	}
	ch, ok := fn.Signature().Results().At(0).Type().Underlying().(*types.Chan)
	if !ok || ch.Dir() != types.RecvOnly {
		return
	}
	var field *types.Var
	good := true
	ast.Inspect(d.Body, func(n ast.Node) bool {
		ret, isReturn := n.(*ast.ReturnStmt)
		if _, isLit := n.(*ast.FuncLit); isLit || !isReturn {
			return !isLit
		}
		if len(ret.Results) != 1 {
			good = false
			return false
		}
		if t.p.IsNil(ret.Results[0]) {
			return false
		}
		x, isSel := ast.Unparen(ret.Results[0]).(*ast.SelectorExpr)
		if !isSel || t.p.Selected(x) == nil || field != nil && t.p.Selected(x) != field {
			good = false
			return false
		}
		field = t.p.Selected(x)
		return false
	})
	if good && field != nil {
		t.getters[fn] = field
	}
}

// got records what is done with the result of a getter, which can only be received from.
func (t *fieldTable) got(f *Field, call inspector.Cursor) {
	u := UseAt(t.p, call)
	if u.Kind == Recv || u.Kind == Range {
		f.Recvs = append(f.Recvs, u)
		return
	}
	f.Receivable = true
}

// use records one use of a field, or of a variable that is the same channel.
func (t *fieldTable) use(f *Field, c inspector.Cursor) {
	u := UseAt(t.p, c)
	switch u.Kind {
	case Send:
		f.Sends = append(f.Sends, u)
	case Recv, Range:
		f.Recvs = append(f.Recvs, u)
	case Close:
		f.Closes = append(f.Closes, u)
	case Other:
		t.other(f, u)
	}
}

func (t *fieldTable) unknown(f *Field) { f.Receivable, f.Sendable = true, true }

func (t *fieldTable) other(f *Field, u Use) {
	c := code.Unparen(u.At)
	parent := c.Parent()
	switch n := parent.Node().(type) {
	case *ast.AssignStmt:
		for i := range n.Lhs {
			if len(n.Lhs) != len(n.Rhs) {
				break
			}
			if n.Lhs[i] == c.Node() {
				t.value(f, n.Rhs[i])
				return
			}
			if n.Rhs[i] == c.Node() {
				t.alias(f, n.Lhs[i])
				return
			}
		}
	case *ast.ValueSpec:
		for i := range n.Values {
			if n.Values[i] == c.Node() && len(n.Names) == len(n.Values) {
				t.alias(f, n.Names[i])
				return
			}
		}
	case *ast.ReturnStmt:
		fn := t.p.EnclosingFunc(parent)
		if fn != nil && fn.Type.Results != nil && fn.Type.Results.NumFields() == len(n.Results) {
			i := 0
			for _, field := range fn.Type.Results.List {
				for range max(1, len(field.Names)) {
					if n.Results[i] == c.Node() {
						t.handed(f, t.p.TypesInfo.TypeOf(field.Type))
						return
					}
					i++
				}
			}
		}
	case *ast.CallExpr:
		t.argument(f, u, n)
		return
	case *ast.KeyValueExpr:
		if n.Value == c.Node() {
			t.unknown(f) // into another structure
		}
		return
	case *ast.ExprStmt:
		return
	}
	t.unknown(f)
}

func (t *fieldTable) argument(f *Field, u Use, call *ast.CallExpr) {
	if t.p.IsBuiltin(call, "len") || t.p.IsBuiltin(call, "cap") {
		f.Looked = true
		return
	}
	if a, ok := ArgumentOf(t.p, u); ok {
		e := a.Effect
		f.Sendable = f.Sendable || e.Sends > 0 || e.Selects || e.Closes
		f.Receivable = f.Receivable || e.Receives > 0 || e.Selects || e.Ranges
		return
	}
	sig, ok := t.p.TypesInfo.TypeOf(call.Fun).Underlying().(*types.Signature)
	if ok && !t.p.TypesInfo.Types[call.Fun].IsType() && !call.Ellipsis.IsValid() {
		for i, arg := range call.Args {
			if arg == code.Unparen(u.At).Node() && i < sig.Params().Len() && !(sig.Variadic() && i >= sig.Params().Len()-1) {
				t.handed(f, sig.Params().At(i).Type())
				return
			}
		}
	}
	t.unknown(f)
}

// handed records that the channel is given away as a value of type to.
func (t *fieldTable) handed(f *Field, to types.Type) {
	ch, ok := to.Underlying().(*types.Chan)
	if !ok || ch.Dir() == types.SendRecv {
		t.unknown(f)
		return
	}
	f.Receivable = f.Receivable || ch.Dir() == types.RecvOnly
	f.Sendable = f.Sendable || ch.Dir() == types.SendOnly
}

// value records what is stored in the field.
func (t *fieldTable) value(f *Field, e ast.Expr) {
	e = ast.Unparen(e)
	if t.p.IsNil(e) {
		return
	}
	if call, ok := e.(*ast.CallExpr); ok && t.p.IsBuiltin(call, "make") {
		var size ast.Expr
		if len(call.Args) == 2 {
			size = call.Args[1]
		}
		f.Made = append(f.Made, size)
		return
	}
	t.alias(f, e)
}

// alias follows a local variable that holds the same channel.
func (t *fieldTable) alias(f *Field, e ast.Expr) {
	v := t.p.VarOf(e)
	if code.IsBlank(e) {
		return
	}
	if v == nil || v.IsField() || v.Kind() != types.LocalVar || t.seen[v] {
		t.unknown(f)
		return
	}
	t.seen[v] = true
	at, ok := t.p.CursorAt(v.Pos())
	var decl inspector.Cursor
	for d := range at.Enclosing((*ast.FuncDecl)(nil)) {
		decl = d
	}
	if !ok || !decl.Valid() {
		t.unknown(f)
		return
	}
	for _, use := range t.p.Uses(decl, v) {
		u := UseAt(t.p, use)
		switch {
		case u.Kind != Other:
			t.use(f, use)
		case code.IsAssigned(use):
			if !t.assigned(f, use) {
				t.unknown(f)
				return
			}
		default:
			if !t.stored(f, use) {
				t.other(f, u)
			}
		}
	}
}

// assigned records an assignment of an alias: the field itself, or a new channel.
func (t *fieldTable) assigned(f *Field, use inspector.Cursor) bool {
	check := func(value ast.Expr) bool {
		value = ast.Unparen(value)
		if x, ok := value.(*ast.SelectorExpr); ok && t.p.Selected(x) == f.Field {
			return true
		}
		if call, ok := value.(*ast.CallExpr); ok && t.p.IsBuiltin(call, "make") {
			t.value(f, value)
			return true
		}
		return false
	}
	switch n := use.Parent().Node().(type) {
	case *ast.AssignStmt:
		for i := range n.Lhs {
			if n.Lhs[i] == use.Node() {
				return len(n.Lhs) == len(n.Rhs) && check(n.Rhs[i])
			}
		}
	case *ast.ValueSpec:
		for i := range n.Names {
			if n.Names[i] == use.Node() {
				return len(n.Names) == len(n.Values) && check(n.Values[i])
			}
		}
	}
	return false
}

// stored reports whether an alias is stored in the field itself.
func (t *fieldTable) stored(f *Field, use inspector.Cursor) bool {
	c := code.Unparen(use)
	switch n := c.Parent().Node().(type) {
	case *ast.KeyValueExpr:
		id, ok := n.Key.(*ast.Ident)
		if !ok {
			return false
		}
		v, _ := t.p.TypesInfo.Uses[id].(*types.Var)
		return v != nil && v.Origin() == f.Field
	case *ast.AssignStmt:
		for i := range n.Rhs {
			if n.Rhs[i] == c.Node() && len(n.Lhs) == len(n.Rhs) {
				x, ok := ast.Unparen(n.Lhs[i]).(*ast.SelectorExpr)
				return ok && t.p.Selected(x) == f.Field
			}
		}
	}
	return false
}

// literal records the values that a composite literal gives to fields.
func (t *fieldTable) literal(c inspector.Cursor, lit *ast.CompositeLit) {
	for i, elt := range lit.Elts {
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				if v, ok := t.p.TypesInfo.Uses[id].(*types.Var); ok && t.fields[v.Origin()] != nil {
					t.value(t.fields[v.Origin()], kv.Value)
				}
			}
			continue
		}
		typ := t.p.TypesInfo.TypeOf(lit)
		if typ == nil {
			continue
		}
		if ptr, ok := typ.Underlying().(*types.Pointer); ok {
			typ = ptr.Elem()
		}
		if s, ok := typ.Underlying().(*types.Struct); ok && i < s.NumFields() {
			if f := t.fields[s.Field(i).Origin()]; f != nil {
				t.value(f, elt)
			}
		}
	}
}
