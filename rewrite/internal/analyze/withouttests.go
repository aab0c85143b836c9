package analyze

import (
	"go/ast"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/launch"
)

// WithoutTests returns a copy of pass, with what [Summaries] requires, for the
// package without its test files, as other packages see it.
func WithoutTests(pass *analysis.Pass) *analysis.Pass {
	p := *pass
	p.Files = slices.DeleteFunc(slices.Clone(pass.Files), func(f *ast.File) bool {
		return strings.HasSuffix(pass.Fset.File(f.FileStart).Name(), "_test.go")
	})
	in := inspector.New(nil)
	if launch.HasGo(pass.ResultOf[inspect.Analyzer].(*inspector.Inspector)) {
		in = inspector.New(p.Files)
	}
	p.ResultOf = map[*analysis.Analyzer]any{inspect.Analyzer: in}
	return &p
}
