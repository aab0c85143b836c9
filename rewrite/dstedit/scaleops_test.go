package dstedit

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/dave/dst"
)

// scaleOp is one kind of edit. find returns the places in a declaration where
// it is legal.
type scaleOp struct {
	name string
	find func(p *scalePlaces) []scalePlace
	// moves says that comments may change their order.
	moves bool
}

// scalePlace is an edit at one place, and the same edit made by hand on the
// text: what must come out but for layout and comments.
type scalePlace struct {
	at   ast.Node
	edit func(*Decl) error
	want []surgery
}

// surgery replaces the bytes from pos to end by text.
type surgery struct {
	pos, end token.Pos
	text     string
}

// scalePlaces are the nodes of a declaration that edits can be about.
type scalePlaces struct {
	src    func(pos, end token.Pos) string
	lists  [][]ast.Stmt // each the list of a block or a clause
	holder []ast.Stmt   // for each list, the innermost listed statement around it, or nil
	blocks []ast.Node   // with a list
	sends  []*ast.SendStmt
	exprs  []ast.Expr
	calls  []*ast.CallExpr
	funcs  []*ast.FuncType
	idents []*ast.Ident
	assign []*ast.AssignStmt
	ifs    []*ast.IfStmt
}

func findPlaces(decl ast.Decl, src func(pos, end token.Pos) string) *scalePlaces {
	p := &scalePlaces{src: src}
	listed := map[ast.Stmt]bool{}
	clauses := map[*ast.BlockStmt]bool{}
	var stack []ast.Node
	list := func(n ast.Node, stmts []ast.Stmt) {
		p.blocks = append(p.blocks, n)
		if len(stmts) == 0 {
			return
		}
		var holder ast.Stmt
		for _, up := range slices.Backward(stack) {
			if s, ok := up.(ast.Stmt); ok && listed[s] {
				holder = s
				break
			}
		}
		p.lists, p.holder = append(p.lists, stmts), append(p.holder, holder)
		for _, s := range stmts {
			listed[s] = true
		}
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		switch n := n.(type) {
		case *ast.SwitchStmt:
			clauses[n.Body] = true
		case *ast.TypeSwitchStmt:
			clauses[n.Body] = true
		case *ast.SelectStmt:
			clauses[n.Body] = true
		case *ast.BlockStmt:
			if !clauses[n] {
				list(n, n.List)
			}
		case *ast.CaseClause:
			list(n, n.Body)
		case *ast.CommClause:
			list(n, n.Body)
		case *ast.SendStmt:
			if listed[n] {
				p.sends = append(p.sends, n)
			}
		case *ast.CallExpr:
			p.calls = append(p.calls, n)
			p.exprs = append(p.exprs, n.Args...)
		case *ast.ReturnStmt:
			p.exprs = append(p.exprs, n.Results...)
		case *ast.BinaryExpr:
			p.exprs = append(p.exprs, n.X, n.Y)
		case *ast.FuncType:
			p.funcs = append(p.funcs, n)
		case *ast.Ident:
			p.idents = append(p.idents, n)
		case *ast.AssignStmt:
			if ta, ok := n.Rhs[0].(*ast.TypeAssertExpr); ok && ta.Type == nil {
				break // x.(type) is no expression
			}
			plain := n.Tok == token.ASSIGN
			for _, x := range n.Lhs {
				_, ok := x.(*ast.Ident)
				plain = plain && ok
			}
			if plain {
				p.assign = append(p.assign, n)
			}
			p.exprs = append(p.exprs, n.Rhs...)
		case *ast.IfStmt:
			if n.Init != nil && listed[n] {
				p.ifs = append(p.ifs, n)
			}
		}
		stack = append(stack, n)
		return true
	})
	return p
}

// stmts returns the statements that stand in lists.
func (p *scalePlaces) stmts() (all []ast.Stmt) {
	for _, l := range p.lists {
		all = append(all, l...)
	}
	return slices.DeleteFunc(all, func(s ast.Stmt) bool {
		_, empty := s.(*ast.EmptyStmt)
		return empty
	})
}

const marker = "_ = 424242"

func markerStmt() dst.Stmt { return Assign(Ident("_"), token.ASSIGN, Int("424242")) }

func insertion(at token.Pos, text string) []surgery { return []surgery{{at, at, text}} }

// places makes a place of each node.
func places[T ast.Node](nodes []T, edit func(T, *Decl) error, want func(T) []surgery) (out []scalePlace) {
	for _, n := range nodes {
		if w := want(n); w != nil {
			out = append(out, scalePlace{n, func(d *Decl) error { return edit(n, d) }, w})
		}
	}
	return out
}

var scaleOps = []scaleOp{
	{name: "InsertAfter", find: func(p *scalePlaces) []scalePlace {
		return places(p.stmts(), func(s ast.Stmt, d *Decl) error { return d.InsertAfter(s, markerStmt()) },
			func(s ast.Stmt) []surgery { return insertion(s.End(), ";"+marker+";") })
	}},
	{name: "InsertBefore", find: func(p *scalePlaces) []scalePlace {
		return places(p.stmts(), func(s ast.Stmt, d *Decl) error { return d.InsertBefore(s, markerStmt()) },
			func(s ast.Stmt) []surgery { return insertion(s.Pos(), marker+";") })
	}},
	{name: "InsertFirst", find: func(p *scalePlaces) []scalePlace {
		return places(p.blocks, func(b ast.Node, d *Decl) error { return d.InsertFirst(b, markerStmt(), markerStmt()) },
			func(b ast.Node) []surgery {
				at := token.NoPos
				switch b := b.(type) {
				case *ast.BlockStmt:
					at = b.Lbrace
				case *ast.CaseClause:
					at = b.Colon
				case *ast.CommClause:
					at = b.Colon
				}
				return insertion(at+1, marker+";"+marker+";")
			})
	}},
	{name: "MoveBefore", moves: true, find: func(p *scalePlaces) (out []scalePlace) {
		p.moves(func(s, anchor ast.Stmt) {
			out = append(out, scalePlace{s, func(d *Decl) error { return d.MoveBefore(s, anchor) },
				[]surgery{{s.Pos(), s.End(), ""}, {anchor.Pos(), anchor.Pos(), p.src(s.Pos(), s.End()) + "\n;"}}})
		})
		return out
	}},
	{name: "MoveAfter", moves: true, find: func(p *scalePlaces) (out []scalePlace) {
		p.moves(func(s, anchor ast.Stmt) {
			out = append(out, scalePlace{s, func(d *Decl) error { return d.MoveAfter(s, anchor) },
				[]surgery{{s.Pos(), s.End(), ""}, {anchor.End(), anchor.End(), ";" + p.src(s.Pos(), s.End()) + "\n;"}}})
		})
		return out
	}},
	{name: "Delete", moves: true, find: func(p *scalePlaces) []scalePlace {
		return places(p.stmts(), func(s ast.Stmt, d *Decl) error { return d.Delete(s) },
			func(s ast.Stmt) []surgery { return []surgery{{s.Pos(), s.End(), ""}} })
	}},
	{name: "WrapSend", moves: true, find: func(p *scalePlaces) []scalePlace {
		return places(p.sends, func(s *ast.SendStmt, d *Decl) error {
			return d.WrapSend(s, CommCase(ExprStmt(Recv(Ident("done"))), Return()))
		}, func(s *ast.SendStmt) []surgery {
			return []surgery{{s.Pos(), s.Pos(), "select { case "}, {s.End(), s.End(), ": case <-done: return }"}}
		})
	}},
	{name: "Replace", find: func(p *scalePlaces) []scalePlace {
		return places(p.exprs, func(e ast.Expr, d *Decl) error { return d.Replace(e, Call(Ident("marked"), d.Expr(e))) },
			func(e ast.Expr) []surgery {
				e = ast.Unparen(e)
				return []surgery{{e.Pos(), e.Pos(), "marked("}, {e.End(), e.End(), ")"}}
			})
	}},
	{name: "AppendArg", find: func(p *scalePlaces) []scalePlace {
		return places(p.calls, func(c *ast.CallExpr, d *Decl) error { return d.AppendArg(c, Ident("marked")) },
			func(c *ast.CallExpr) []surgery {
				switch n := len(c.Args); {
				case c.Ellipsis.IsValid():
					return nil
				case n == 0:
					return insertion(c.Lparen+1, "marked")
				default:
					return insertion(c.Args[n-1].End(), ", marked")
				}
			})
	}},
	{name: "RemoveArg", find: func(p *scalePlaces) (out []scalePlace) {
		for _, c := range p.calls {
			for i := range c.Args {
				out = append(out, scalePlace{c.Args[i], func(d *Decl) error { return d.RemoveArg(c, i) },
					[]surgery{without(c.Args, i, c.Rparen)}})
			}
		}
		return out
	}},
	{name: "RemoveParam", find: func(p *scalePlaces) (out []scalePlace) {
		for _, ft := range p.funcs {
			for i, f := range ft.Params.List {
				for k, name := range f.Names {
					cut := without(ft.Params.List, i, ft.Params.Closing)
					if len(f.Names) > 1 {
						cut = without(f.Names, k, f.Names[len(f.Names)-1].End())
					}
					out = append(out, scalePlace{name, func(d *Decl) error { return d.RemoveParam(ft, name) }, []surgery{cut}})
				}
			}
		}
		return out
	}},
	{name: "Rename", find: func(p *scalePlaces) []scalePlace {
		return places(p.idents, func(id *ast.Ident, d *Decl) error { return d.Rename(id, "renamed"+id.Name) },
			func(id *ast.Ident) []surgery { return []surgery{{id.Pos(), id.End(), "renamed" + id.Name}} })
	}},
	{name: "Define", find: func(p *scalePlaces) []scalePlace {
		return places(p.assign, func(as *ast.AssignStmt, d *Decl) error { return d.Define(as) },
			func(as *ast.AssignStmt) []surgery { return []surgery{{as.TokPos, as.TokPos + 1, ":="}} })
	}},
	{name: "ToDefer", find: func(p *scalePlaces) []scalePlace {
		var calls []*ast.ExprStmt
		for _, s := range p.stmts() {
			if es, ok := s.(*ast.ExprStmt); ok {
				if _, ok := es.X.(*ast.CallExpr); ok {
					calls = append(calls, es)
				}
			}
		}
		return places(calls, func(s *ast.ExprStmt, d *Decl) error { return d.ToDefer(s) },
			func(s *ast.ExprStmt) []surgery { return insertion(s.Pos(), "defer ") })
	}},
	{name: "HoistInit", moves: true, find: func(p *scalePlaces) []scalePlace {
		return places(p.ifs, func(s *ast.IfStmt, d *Decl) error { return d.HoistInit(s) },
			func(s *ast.IfStmt) []surgery {
				return []surgery{{s.Pos(), s.Pos(), p.src(s.Init.Pos(), s.Init.End()) + "\n;"}, {s.Init.Pos(), s.Cond.Pos(), ""}}
			})
	}},
	importOp("Import std", "container/ring", "ring"),
	importOp("Import other", "example.com/marked/v2/ring", "ring"),
}

// importOp adds an import and a statement that uses it.
func importOp(name, path, base string) scaleOp {
	return scaleOp{name: name, find: func(p *scalePlaces) []scalePlace {
		var bodies []ast.Node
		for _, b := range p.blocks {
			if b, ok := b.(*ast.BlockStmt); ok {
				bodies = append(bodies, b)
			}
		}
		return places(bodies, func(b ast.Node, d *Decl) error {
			name, err := d.Import(path)
			if err != nil {
				return err
			}
			return d.InsertFirst(b, ExprStmt(Call(Sel(name, "Marked"))))
		}, func(b ast.Node) []surgery { return insertion(b.(*ast.BlockStmt).Lbrace+1, base+".Marked();") })
	}}
}

// moves calls f with statements of a list and others to move them to: their
// neighbours, the first one, and the statement around the list.
func (p *scalePlaces) moves(f func(s, anchor ast.Stmt)) {
	for i, list := range p.lists {
		for k, s := range list {
			anchors := []ast.Stmt{list[0], p.holder[i]}
			if k+1 < len(list) {
				anchors = append(anchors, list[k+1])
			}
			for _, a := range anchors {
				if a != nil && a != s {
					f(s, a)
				}
			}
		}
	}
}

// without cuts element i out of a list that ends before closing.
func without[T ast.Node](list []T, i int, closing token.Pos) surgery {
	switch {
	case i+1 < len(list):
		return surgery{list[i].Pos(), list[i+1].Pos(), ""}
	case i > 0:
		return surgery{list[i-1].End(), closing, ""}
	}
	return surgery{list[0].Pos(), closing, ""}
}
