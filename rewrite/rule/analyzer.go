package rule

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/suppress"
	"github.com/goroutinefix/goroutinefix/rewrite/summary"
)

// Options tells an analyzer about its driver.
type Options struct {
	// ReadFile returns the text that was parsed; nil for the file on disk.
	ReadFile func(name string) ([]byte, error)
	// Outside says why nothing may be written to a file, because it belongs to
	// no module of the user; "" if it does. May be nil: then the path has to tell.
	Outside func(name string) string
	// NoFix leaves fixes out: findings only.
	NoFix bool
	// Lazy leaves the computation of fixes to the functions in Result.Fix.
	Lazy bool
	// Known holds the names of all rules, which directives may name; nil to
	// leave directives unjudged.
	Known []string
	// Nolint leaves //nolint comments that name no single rule to the driver,
	// which wants to know whether they are of use.
	Nolint bool
	// NoRelated leaves related places out of diagnostics, for a driver that
	// takes each for a finding of its own.
	NoRelated bool
	// Summaries is the analyzer whose result is a *code.Facts; nil for
	// code.Summaries, which lets the driver carry facts between packages.
	Summaries *analysis.Analyzer
	// DepsAnalyzed reports whether what a package, given by its path, imports of the modules that it
	// belongs to is analysed, too, so that what is not found in it is not
	// there; nil if that is so for all packages.
	DepsAnalyzed func(path string) bool
}

// Result is what an analyzer of a rule returns.
type Result struct {
	Findings []finding.Finding
	// Fix holds, with Options.Lazy, the function that computes the fix of
	// each finding, or nil. They must not run at the same time.
	Fix      []func(*finding.Finding) error
	Internal []error               // faults of ours that did not stop the rule
	Used     []*suppress.Directive // what suppressed some of the findings
}

// Analyzer returns the analyzer of r. Its result is a *Result; its
// diagnostics carry the same fixes for drivers that know nothing of ours.
// Those apply the first fix blindly, so unsafe ones are withheld there unless
// the analyzer's flag "unsafe" is set.
func Analyzer(r Rule, opt Options) *analysis.Analyzer {
	summaries := cmp.Or(opt.Summaries, code.Summaries)
	a := &analysis.Analyzer{
		Name:       r.Name,
		Doc:        r.Doc,
		URL:        "https://github.com/goroutinefix/goroutinefix#" + r.Name,
		Requires:   []*analysis.Analyzer{inspect.Analyzer, summaries, suppress.Analyzer},
		ResultType: reflect.TypeFor[*Result](),
	}
	var unsafe bool
	a.Flags.BoolVar(&unsafe, "unsafe", false, "offer fixes that may change behaviour, too")
	a.Run = func(pass *analysis.Pass) (result any, err error) {
		defer func() {
			if v := recover(); v != nil {
				if p, ok := v.(*summary.PanicError); ok { // of find
					err = p
					return
				}
				err = &summary.PanicError{Rule: "rule " + r.Name, Package: pass.Pkg.Path(), Value: v, Stack: debug.Stack()}
			}
		}()
		run := runner{
			rule: r, opt: opt,
			pass:  code.NewPass(pass, pass.ResultOf[inspect.Analyzer].(*inspector.Inspector), pass.ResultOf[summaries].(*code.Facts)),
			files: map[*ast.File]*dstedit.File{},
		}
		if run.opt.ReadFile == nil {
			run.opt.ReadFile = pass.ReadFile
		}
		if run.opt.ReadFile == nil { // as in older versions of nogo
			run.opt.ReadFile = os.ReadFile
		}
		out := &Result{Internal: run.pass.Facts.Internal}
		matches, panics := run.find()
		out.Internal = slices.Concat(out.Internal, panics)
		slices.SortStableFunc(matches, func(a, b Match) int { return cmp.Compare(a.Pos, b.Pos) })
		index := pass.ResultOf[suppress.Analyzer].(*suppress.Index)
		for _, m := range matches {
			covering := index.Covering(r.Name, m.Pos)
			if opt.Nolint {
				covering = slices.DeleteFunc(covering, (*suppress.Directive).IsNolint)
			}
			f, fix := run.finding(m, covering)
			if fix != nil && !opt.Lazy {
				if err := fix(&f); err != nil {
					out.Internal = append(out.Internal, err)
				}
				fix = nil
			}
			out.Findings = append(out.Findings, f)
			out.Fix = append(out.Fix, fix)
			if len(covering) > 0 {
				out.Used = append(out.Used, covering...)
				continue
			}
			pass.Report(run.diagnostic(m, f, unsafe))
		}
		return out, nil
	}
	return a
}

type runner struct {
	rule  Rule
	opt   Options
	pass  *code.Pass
	files map[*ast.File]*dstedit.File
}

// file returns the file at path, which was parsed as file, for rewrites.
func (r *runner) file(path string, file *ast.File) (*dstedit.File, error) {
	if f, ok := r.files[file]; ok {
		return f, nil
	}
	src, err := r.opt.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := dstedit.NewFile(r.pass.Fset, file, src)
	r.files[file] = f
	return f, nil
}

func (r *runner) place(pos, end token.Pos) finding.Place {
	f := r.pass.Fset.File(pos)
	// A file that cgo has rewritten lies in the build cache; its //line
	// directives lead to what the user wrote. Elsewhere they are not asked.
	adjust := isCgo(f.Name())
	p, q := f.PositionFor(pos, adjust), f.PositionFor(max(pos, end), adjust)
	return finding.Place{Path: p.Filename, Line: p.Line, Column: p.Column, EndLine: q.Line, EndColumn: q.Column, Offset: p.Offset, EndOffset: q.Offset}
}

// finding returns the finding of m, and the function that computes its fix, nil
// if it has none. The error of that one is an internal one.
func (r *runner) finding(m Match, covering []*suppress.Directive) (finding.Finding, func(*finding.Finding) error) {
	f := finding.Finding{
		Rule: r.rule.Name, Category: m.Category, Package: r.pass.Pkg.Path(),
		Place: r.place(m.Pos, m.End), Message: m.Message,
		Applicability: m.Applicability,
	}
	for _, rel := range m.Related {
		f.Related = append(f.Related, finding.Related{Place: r.place(rel.Pos, rel.End), Message: rel.Message})
	}
	file := r.pass.FileOf(m.Pos)
	decl := declAt(file, m.Pos)
	f.Function = declName(decl, r.pass.TypesInfo)
	if len(covering) > 0 {
		f.Outcome = finding.Outcome{Status: finding.Suppressed, Reason: covering[0].Reason}
		return f, nil
	}
	if f.Outcome = r.notEditable(file, f.Place.Path); f.Status != "" {
		f.Applicability = finding.None
		return f, nil
	}
	f.Outcome = finding.Outcome{Status: finding.Fixable, Reason: m.Reason}
	switch {
	case m.Fix == nil:
		f.Applicability, f.Status = finding.None, finding.NoFix
		return f, nil
	case m.Applicability == finding.Unsafe:
		f.Status = finding.UnsafeHidden
	}
	if r.opt.NoFix {
		return f, nil
	}
	return f, func(f *finding.Finding) error { return r.complete(f, m) }
}

// complete computes the fix of m, which is the finding f. When that panics, the
// finding stands without a fix.
func (r *runner) complete(f *finding.Finding, m Match) (internal error) {
	none := func(status finding.Status, reason string) {
		f.Applicability, f.Outcome = finding.None, finding.Outcome{Status: status, Reason: reason}
	}
	defer func() {
		if v := recover(); v != nil {
			internal = &summary.PanicError{Rule: "the fix of rule " + r.rule.Name, Package: r.pass.Pkg.Path(), Value: v, Stack: debug.Stack()}
			none(finding.NoFix, "the fix failed with an internal error")
		}
	}()
	fix, status, err := r.fix(m)
	if err != nil {
		none(status, err.Error())
		return nil
	}
	f.Fix = fix
	return nil
}

func (r *runner) diagnostic(m Match, f finding.Finding, unsafe bool) analysis.Diagnostic {
	d := analysis.Diagnostic{Pos: m.Pos, End: m.End, Category: m.Category, Message: m.Message}
	if !r.opt.NoRelated {
		for _, rel := range m.Related {
			d.Related = append(d.Related, analysis.RelatedInformation{Pos: rel.Pos, End: rel.End, Message: rel.Message})
		}
	}
	if f.Fix == nil || f.Applicability == finding.Unsafe && !unsafe {
		return d
	}
	files := map[string]*token.File{}
	for _, file := range r.pass.Files {
		tf := r.pass.Fset.File(file.FileStart)
		files[tf.Name()] = tf
	}
	fix := analysis.SuggestedFix{Message: f.Fix.Message}
	for _, e := range f.Fix.Edits {
		tf := files[e.Path]
		fix.TextEdits = append(fix.TextEdits, analysis.TextEdit{Pos: tf.Pos(e.Start), End: tf.Pos(e.End), NewText: []byte(e.New)})
	}
	d.SuggestedFixes = []analysis.SuggestedFix{fix}
	return d
}

// notEditable returns the outcome of each finding in a file that is never edited,
// whatever the rule; it has no status for others.
func (r *runner) notEditable(file *ast.File, path string) finding.Outcome {
	switch name := filepath.ToSlash(path); {
	case isCgo(r.pass.Fset.File(file.Pos()).Name()):
		return finding.Outcome{Status: finding.Cgo, Reason: "the file is preprocessed by cgo"}
	case ast.IsGenerated(file):
		return finding.Outcome{Status: finding.Generated, Reason: "the file is generated"}
	case r.opt.Outside == nil && (strings.Contains(name, "/vendor/") || strings.Contains(name, "/pkg/mod/")):
		return finding.Outcome{Status: finding.Outside, Reason: "the file is not part of this module"}
	case r.opt.Outside != nil:
		if reason := r.opt.Outside(path); reason != "" {
			return finding.Outcome{Status: finding.Outside, Reason: reason}
		}
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//line ") || strings.HasPrefix(c.Text, "/*line ") {
				return finding.Outcome{Status: finding.NoFix, Reason: "a //line directive in the file moves positions"}
			}
		}
	}
	return finding.Outcome{}
}

// isCgo reports whether a file is what cgo has made of another one; in the
// build cache it may have lost its ending.
func isCgo(name string) bool {
	return strings.HasSuffix(name, ".cgo1.go") || !strings.HasSuffix(name, ".go")
}

func declAt(file *ast.File, pos token.Pos) ast.Decl {
	for _, d := range file.Decls {
		if d.Pos() <= pos && pos < d.End() {
			return d
		}
	}
	return nil
}

// declName names a declaration as a Go programmer would: F, (*T).M, T.M, or
// the first variable of a var declaration.
func declName(d ast.Decl, info *types.Info) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil || len(d.Recv.List) == 0 {
			return d.Name.Name
		}
		t, star := d.Recv.List[0].Type, ""
		if s, ok := ast.Unparen(t).(*ast.StarExpr); ok {
			t, star = s.X, "*"
		}
		switch x := ast.Unparen(t).(type) {
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		}
		name := types.ExprString(t)
		if star != "" {
			name = "(*" + name + ")"
		}
		return name + "." + d.Name.Name
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok && len(v.Names) > 0 {
				return v.Names[0].Name
			}
		}
	}
	return ""
}
