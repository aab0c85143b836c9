package missingstop

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// launches are the go statements of a package that start a goroutine for a local value of
// the function, and what ends it.
type launches map[*ast.CallExpr]launching

type launching struct {
	root *types.Var // the value
	body *types.Func
	lifetime
}

// launchedIn holds what lifetimesIn has found in the package, for the rule.
func launchedIn(p *code.Pass) *launches {
	return code.Of(p.Facts, func(*code.Facts) *launches { return new(launches) })
}

// launched returns those of all that belong to a local value. One that a context ends
// belongs to its cancel function, which rule lostcancel follows.
func (t *lifetimes) launched(all []spawn) launches {
	stops := t.stops(all)
	out := launches{}
	for _, s := range all {
		start, ok := s.node.(*ast.GoStmt)
		typ := t.owner(s.root)
		if !ok || typ == nil || s.root.Kind() != types.LocalVar || stops[s.fn] {
			continue
		}
		l := launching{root: s.root, lifetime: lifetime{Stops: t.names(typ, stops)}}
		if d, ok := s.body.Cursor.Node().(*ast.FuncDecl); ok {
			l.body, _ = t.p.TypesInfo.Defs[d.Name].(*types.Func)
		}
		known := len(l.Stops) > 0 && !stops[l.body] && !t.itself(typ, stops)
		for _, e := range s.ends {
			known = known && e.ctx == nil && e.field != nil && isChannel(e.field.Type())
		}
		if known {
			out[start.Call] = l
		}
	}
	return out
}

func isChannel(t types.Type) bool {
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

// itself reports whether a method of the type calls one that ends its goroutines, of the
// same value, in a goroutine: in the literal of a go statement, or as what one starts.
func (t *lifetimes) itself(typ *types.TypeName, stops map[*types.Func]bool) bool {
	if t.gone == nil {
		t.gone = map[*types.Func]bool{}
		for c := range t.p.Inspector.Root().Preorder((*ast.GoStmt)(nil)) {
			if fn := t.p.Callee(c.Node().(*ast.GoStmt).Call); fn != nil {
				t.gone[fn] = true
			}
		}
	}
	for stop := range stops {
		if recv := stop.Signature().Recv(); recv == nil || t.owner(recv) != typ {
			continue
		}
		for _, use := range t.p.Index().Funcs[stop] {
			in := t.in(use)
			if in == nil || in.Signature().Recv() == nil || t.owner(in.Signature().Recv()) != typ {
				continue
			}
			if t.gone[in] || t.p.GoroutineFunc(use) != t.decls[in].Cursor {
				return true
			}
		}
	}
	return false
}
