// Package codetest makes a pass of the source of a test.
package codetest

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// One importer for all tests: it type-checks the standard library from source.
var (
	fset = token.NewFileSet()
	std  = importer.ForCompiler(fset, "gc", nil) // from what the go command has built
)

// stubs holds what tests may import of packages that are known by name.
var stubs = map[string]string{
	"github.com/stretchr/testify/require": "package require\n" + checks + methods,
	"github.com/stretchr/testify/assert":  "package assert\n" + checks + methods,
}

const (
	checks = `type T any
func Equal(t T, want, got any, msg ...any)
func NotEqual(t T, want, got any, msg ...any)
func True(t T, ok bool, msg ...any)
func False(t T, ok bool, msg ...any)
func NoError(t T, err error, msg ...any)
func Error(t T, err error, msg ...any)
`
	methods = `type Assertions struct{}
func (*Assertions) Equal(want, got any, msg ...any)
func (*Assertions) True(ok bool, msg ...any)
func (*Assertions) NoError(err error, msg ...any)
`
)

type imports struct{}

func (imports) Import(path string) (*types.Package, error) {
	src, ok := stubs[path]
	if !ok {
		return std.Import(path)
	}
	file, err := parser.ParseFile(fset, path+".go", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return (&types.Config{IgnoreFuncBodies: true}).Check(path, fset, []*ast.File{file}, nil)
}

// Load type-checks a file and returns a pass over it.
func Load(t *testing.T, src string) *code.Pass {
	t.Helper()
	file, err := parser.ParseFile(fset, "x.go", "package x\n"+src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Scopes: map[ast.Node]*types.Scope{},
	}
	conf := types.Config{Importer: imports{}}
	pkg, err := conf.Check("x", fset, []*ast.File{file}, info)
	if err != nil {
		t.Fatal(err)
	}
	pass := &analysis.Pass{Fset: fset, Files: []*ast.File{file}, Pkg: pkg, TypesInfo: info,
		ImportObjectFact: func(types.Object, analysis.Fact) bool { return false },
		ExportObjectFact: func(types.Object, analysis.Fact) {},
		ResultOf:         map[*analysis.Analyzer]any{inspect.Analyzer: inspector.New([]*ast.File{file})}}
	facts := code.Summarise(pass, nil)
	return code.NewPass(pass, inspector.New(pass.Files), facts)
}

// Function returns the declared function of the given name.
func Function(t *testing.T, p *code.Pass, name string) *code.Func {
	t.Helper()
	for c := range p.Inspector.Root().Preorder((*ast.FuncDecl)(nil)) {
		if c.Node().(*ast.FuncDecl).Name.Name == name {
			return p.FuncOf(c)
		}
	}
	t.Fatalf("no function %s", name)
	return nil
}
