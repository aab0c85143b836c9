package match

import (
	"go/ast"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
)

// WithoutTests returns a copy of pass, with what [Summaries] requires, for the
// package without its test files, as other packages see it.
func WithoutTests(pass *analysis.Pass) *analysis.Pass {
	p := *pass
	p.Files = slices.DeleteFunc(slices.Clone(pass.Files), func(f *ast.File) bool {
		return strings.HasSuffix(pass.Fset.File(f.FileStart).Name(), "_test.go")
	})
	in := inspector.New(nil)
	if HasGo(pass.ResultOf[inspect.Analyzer].(*inspector.Inspector)) {
		in = inspector.New(p.Files)
	}
	p.ResultOf = map[*analysis.Analyzer]any{inspect.Analyzer: in}
	return &p
}

// HasGo reports whether there is a go statement.
func HasGo(in *inspector.Inspector) bool {
	for range in.Root().Preorder((*ast.GoStmt)(nil)) {
		return true
	}
	return false
}
