package summary

import (
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	"golang.org/x/tools/go/analysis"
)

const source = `package p
func a() int { return b() }
func b() int { return a() + c() }
func c() int { return 1 }
func d() int { panic(0) }
`

type subject struct {
	fn *types.Func
	d  *ast.FuncDecl
}

// depth is how many calls deep a function is, one for a leaf.
type depth int

func open(t *testing.T, lazily bool) (of func(name string) depth, exported map[string]Known, facts *Facts[subject], r *Registry[subject]) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	pkg, err := (&types.Config{Importer: importer.Default()}).Check("p", fset, []*ast.File{file}, info)
	if err != nil {
		t.Fatal(err)
	}
	exported = map[string]Known{}
	pass := &analysis.Pass{Fset: fset, Files: []*ast.File{file}, Pkg: pkg, TypesInfo: info,
		ExportObjectFact: func(obj types.Object, fact analysis.Fact) {
			f := fact.(Fact)
			exported[obj.Name()] = Known{f.Domain(): f}
		}}
	r = new(Registry[subject])
	depths := Register[subject, depth](r, "depth")
	subjects := func(fn *types.Func, d *ast.FuncDecl) (subject, bool) { return subject{fn, d}, true }
	depths.Compute(func(*types.Signature, *ast.FuncDecl) bool { return true }, func(s subject) depth {
		if s.fn.Name() == "d" {
			panic("d")
		}
		most := depth(0)
		ast.Inspect(s.d.Body, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if fn, isFunc := info.Uses[id].(*types.Func); isFunc {
					most = max(most, depths.Of(facts, fn))
				}
			}
			return true
		})
		return most + 1
	})
	if lazily {
		facts = Lazy(r, pass, subjects, depths)
	} else {
		facts = New(r, pass, subjects)
		facts.Complete(true)
	}
	return func(name string) depth {
		if lazily {
			facts.Ask()
		}
		return depths.Of(facts, pkg.Scope().Lookup(name).(*types.Func))
	}, exported, facts, r
}

// TestComplete checks that recursion knows nothing, that a panic costs the
// summary of one function, and that facts come back from their encoding.
func TestComplete(t *testing.T) {
	of, exported, facts, r := open(t, false)
	for name, want := range map[string]depth{"a": 3, "b": 2, "c": 1, "d": 0} {
		if got := of(name); got != want {
			t.Errorf("%s is %d deep, want %d", name, got, want)
		}
		data, err := json.Marshal(exported[name])
		if err != nil {
			t.Fatal(err)
		}
		known, err := r.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if want > 0 && known["depth"].(*FactOf[depth]).Known != want || want == 0 && len(known) > 0 {
			t.Errorf("%s was exported as %s", name, data)
		}
	}
	if len(facts.Internal) != 1 {
		t.Errorf("%d panics were kept, want 1: %v", len(facts.Internal), facts.Internal)
	}
}

// TestLazy checks that the answers do not depend on the order of the questions.
func TestLazy(t *testing.T) {
	of, _, _, _ := open(t, true)
	first := []depth{of("a"), of("b"), of("c")}
	of, _, _, _ = open(t, true)
	c, b, a := of("c"), of("b"), of("a")
	if first[0] != a || first[1] != b || first[2] != c || a != 3 || c != 1 {
		t.Errorf("in order %v, in reverse %v", first, []depth{a, b, c})
	}
}
