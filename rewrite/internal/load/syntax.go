package load

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Source returns the text of a file of the loaded packages. It is the same
// whenever it is asked for: a file that has changed since is an error.
func (prog *Program) Source(name string) ([]byte, error) {
	src, _, err := prog.source(name)
	return src, err
}

// Digest returns the hash of the text of a file of the loaded packages.
func (prog *Program) Digest(name string) ([sha256.Size]byte, error) {
	_, sum, err := prog.source(name)
	return sum, err
}

func (prog *Program) source(name string) (src []byte, sum [sha256.Size]byte, err error) {
	prog.mu.Lock()
	_, ok := prog.files[name]
	prog.mu.Unlock()
	if !ok {
		return nil, sum, fmt.Errorf("read %s: not part of the loaded packages", name)
	}
	if src, err = os.ReadFile(name); err != nil {
		return nil, sum, fmt.Errorf("read the analysed file: %w", err)
	}
	sum = sha256.Sum256(src)
	prog.mu.Lock()
	defer prog.mu.Unlock()
	if known := prog.files[name]; known == nil {
		prog.files[name] = &sum
	} else if *known != sum {
		return nil, sum, fmt.Errorf("read %s: changed since analysis", name)
	}
	return src, sum, nil
}

// Parse parses a file as all files of packages are parsed.
func Parse(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	return parser.ParseFile(fset, name, src, parser.AllErrors|parser.ParseComments|parser.SkipObjectResolution)
}

// Check returns a copy of p, one of the loaded packages, with its syntax and
// types. Its errors are those of p and of the parser and type checker. [Program.Release]
// gives back what the copy has taken of the file set.
func (prog *Program) Check(p *packages.Package) *packages.Package {
	files, errs := prog.parse(p)
	c, typeErrs := prog.Retype(p, files)
	for _, e := range typeErrs {
		errs = append(errs, packages.Error{Pos: e.Fset.Position(e.Pos).String(), Msg: e.Msg, Kind: packages.TypeError})
	}
	c.Errors = append(append([]packages.Error{}, p.Errors...), errs...)
	c.IllTyped = len(c.Errors) > 0
	return c
}

// Parsed returns a copy of p with its syntax, but without types: what was type-checked
// before and has not changed since needs them only in another form.
func (prog *Program) Parsed(p *packages.Package) *packages.Package {
	c := *p
	var errs []packages.Error
	c.Fset = prog.Fset
	c.Syntax, errs = prog.parse(p)
	c.Errors = append(append([]packages.Error{}, p.Errors...), errs...)
	return &c
}

// parse parses the files of p as they were when they were first read.
func (prog *Program) parse(p *packages.Package) (files []*ast.File, errs []packages.Error) {
	for _, name := range p.CompiledGoFiles {
		src, err := prog.Source(name)
		if err != nil {
			errs = append(errs, packages.Error{Pos: name + ":1", Msg: reason(err), Kind: packages.ParseError})
			continue
		}
		f, err := Parse(prog.Fset, name, src)
		if list := (scanner.ErrorList)(nil); errors.As(err, &list) {
			for _, e := range list {
				errs = append(errs, packages.Error{Pos: e.Pos.String(), Msg: e.Msg, Kind: packages.ParseError})
			}
		}
		if f != nil {
			files = append(files, f)
		}
	}
	return files, errs
}

// Import returns the package that p imports, directly or not, under a path; nil
// if there is none.
func (prog *Program) Import(p *packages.Package, path string) *packages.Package {
	if dep := p.Imports[path]; dep != nil {
		return dep
	}
	prog.mu.Lock()
	x := prog.exports
	prog.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, dep := range x.closure(p) {
		if dep.PkgPath == path {
			return dep
		}
	}
	return nil
}

// CheckReleased is [Program.Check] for a dependency outside of the main modules,
// whose files do not change. ok is false if it is not there to be looked into,
// or has more than max bytes of source.
func (prog *Program) CheckReleased(p *packages.Package, max int64) (c *packages.Package, ok bool) {
	if p.Module == nil || p.Module.Main || len(p.Errors) > 0 || len(p.CompiledGoFiles) == 0 || len(p.CompiledGoFiles) != len(p.GoFiles) {
		return nil, false
	}
	for _, name := range p.CompiledGoFiles {
		fi, err := os.Stat(name)
		if err != nil {
			return nil, false
		}
		if max -= fi.Size(); max < 0 {
			return nil, false
		}
	}
	var files []*ast.File
	for _, name := range p.CompiledGoFiles {
		src, err := os.ReadFile(name)
		if err != nil {
			break
		}
		f, err := parser.ParseFile(prog.Fset, name, src, parser.SkipObjectResolution)
		if f != nil {
			files = append(files, f)
		}
		if err != nil {
			break
		}
	}
	c, errs := prog.Retype(p, files)
	if len(files) < len(p.CompiledGoFiles) || len(errs) > 0 {
		prog.Release(c)
		return nil, false
	}
	return c, true
}

// reason returns the part of an error that does not name the file.
func reason(err error) string {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// Retype returns a copy of p that consists of files, and the type errors in
// them.
func (prog *Program) Retype(p *packages.Package, files []*ast.File) (*packages.Package, []types.Error) {
	prog.mu.Lock()
	exports := prog.exports
	prog.mu.Unlock()
	var errs []types.Error
	conf := &types.Config{
		Importer: exports.importer(p),
		Sizes:    prog.sizes,
		Error:    func(err error) { errs = append(errs, err.(types.Error)) },
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		conf.GoVersion = "go" + p.Module.GoVersion
	}
	c := new(packages.Package)
	*c = *p
	c.Fset, c.Syntax, c.TypesSizes = prog.Fset, files, prog.sizes
	c.TypesInfo = newInfo(files)
	// With its name, because files may disagree on it.
	c.Types = types.NewPackage(p.PkgPath, p.Name)
	err := types.NewChecker(conf, prog.Fset, c.Types, c.TypesInfo).Files(files)
	if err != nil && len(errs) == 0 { // such as a Go version that is too new
		e := types.Error{Fset: prog.Fset, Msg: err.Error()}
		if len(files) > 0 {
			e.Pos = files[0].Package
		}
		errs = append(errs, e)
	}
	return c, errs
}

// presized is the size of source in bytes from which on the maps of a types.Info are made as
// large as they will be. To let them grow took a quarter of the type checker's time on a
// package of 12 MB; for small ones a guess that is too high costs memory instead.
const presized = 1 << 20

// newInfo returns the maps for what the type checker finds out about files. The sizes are
// the numbers of entries for a byte of source, as measured.
func newInfo(files []*ast.File) *types.Info {
	bytes := 0
	for _, f := range files {
		bytes += int(f.FileEnd - f.FileStart)
	}
	if bytes < presized {
		bytes = 0
	}
	return &types.Info{
		Types:        make(map[ast.Expr]types.TypeAndValue, bytes/11),
		Defs:         make(map[*ast.Ident]types.Object, bytes/100),
		Uses:         make(map[*ast.Ident]types.Object, bytes/16),
		Implicits:    map[ast.Node]types.Object{},
		Instances:    map[*ast.Ident]types.Instance{},
		Scopes:       make(map[ast.Node]*types.Scope, bytes/130),
		Selections:   make(map[*ast.SelectorExpr]*types.Selection, bytes/75),
		FileVersions: map[*ast.File]string{},
	}
}

// Forget drops the types of dependencies that were read. Packages that were
// checked keep theirs; later ones get types of their own.
func (prog *Program) Forget() {
	prog.mu.Lock()
	defer prog.mu.Unlock()
	prog.exports = newExports(prog.Fset)
}

// Sizes returns the sizes of types in the build.
func (prog *Program) Sizes() types.Sizes { return prog.sizes }

// Release forgets the positions of a package that [Program.Check] has returned
// and that nobody uses any more.
func (prog *Program) Release(p *packages.Package) {
	for _, f := range p.Syntax {
		prog.Fset.RemoveFile(prog.Fset.File(f.FileStart))
	}
}

// Problem says in one line why p, as [Program.Check] has returned it, cannot be
// analysed, or returns "".
func Problem(p *packages.Package) string {
	if len(p.Errors) > 0 {
		// The go command's own account comes first, without a place of its
		// own; the parser and the type checker say it better, unless cgo failed.
		e := p.Errors[0]
		for _, o := range p.Errors {
			if e.Pos == "" && o.Pos != "" && o.Pos != "-" && strings.HasPrefix(e.Msg, "# ") && !strings.HasPrefix(o.Msg, "could not import C (") {
				e = o
			}
		}
		msg := advise(firstLine(e.Msg))
		if e.Pos != "" && e.Pos != "-" {
			msg = e.Pos + ": " + msg
		}
		return msg
	}
	return ""
}
