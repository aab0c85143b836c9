// Package verify type-checks packages again with changed files, in memory,
// against the dependencies that are already loaded. Fixes stay inside functions
// and unexported signatures, so no other package can see the difference.
package verify

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/types"
	"path/filepath"

	"golang.org/x/tools/go/packages"
)

// Package returns p as it is when the files in overlay (absolute path ->
// content) replace those on disk. Files that are not in overlay are taken
// over as they are. errs holds the parse and type errors, with positions in
// the new content; p itself is not changed.
func Package(p *packages.Package, overlay map[string][]byte) (changed *packages.Package, errs []types.Error) {
	fset := p.Fset
	files := make([]*ast.File, len(p.Syntax))
	for i, f := range p.Syntax {
		name := fset.File(f.FileStart).Name()
		src, ok := overlay[name]
		if !ok {
			files[i] = f
			continue
		}
		nf, err := parser.ParseFile(fset, name, src, parser.AllErrors|parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, []types.Error{{Fset: fset, Pos: f.Pos(), Msg: fmt.Sprintf("parse the fixed %s: %v", filepath.Base(name), err)}}
		}
		files[i] = nf
	}
	info := &types.Info{
		Types:        map[ast.Expr]types.TypeAndValue{},
		Defs:         map[*ast.Ident]types.Object{},
		Uses:         map[*ast.Ident]types.Object{},
		Implicits:    map[ast.Node]types.Object{},
		Instances:    map[*ast.Ident]types.Instance{},
		Scopes:       map[ast.Node]*types.Scope{},
		Selections:   map[*ast.SelectorExpr]*types.Selection{},
		FileVersions: map[*ast.File]string{},
	}
	conf := &types.Config{
		Importer: importer(p),
		Sizes:    p.TypesSizes,
		Error:    func(err error) { errs = append(errs, err.(types.Error)) },
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		conf.GoVersion = "go" + p.Module.GoVersion
	}
	c := new(packages.Package)
	*c = *p
	c.Syntax, c.TypesInfo = files, info
	c.Types, _ = conf.Check(p.PkgPath, fset, files, info)
	if len(errs) > 0 {
		return nil, errs
	}
	return c, nil
}

// Formatted reports whether new is laid out as gofmt would, line endings and
// byte order mark apart, unless old is not either. Fixes that keep the format
// each for itself may break it together, next to one another.
func Formatted(old, new []byte) bool { return clean(new) || !clean(old) }

func clean(src []byte) bool {
	src = bytes.TrimPrefix(bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")), []byte("\ufeff"))
	out, err := format.Source(src)
	return err == nil && bytes.Equal(out, src)
}

type importerFunc func(path string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }

// importer serves the imports of p and, for an import that a fix has added,
// whatever its dependencies import under that path.
func importer(p *packages.Package) types.Importer {
	return importerFunc(func(path string) (*types.Package, error) {
		if path == "unsafe" {
			return types.Unsafe, nil
		}
		if dep := p.Imports[path]; dep != nil && dep.Types != nil {
			return dep.Types, nil
		}
		if t := reachable(p.Types.Imports(), path, map[*types.Package]bool{}); t != nil && t.Complete() {
			return t, nil
		}
		return nil, fmt.Errorf("import %q: not among the dependencies of %s", path, p.PkgPath)
	})
}

func reachable(pkgs []*types.Package, path string, seen map[*types.Package]bool) *types.Package {
	for _, t := range pkgs {
		if t.Path() == path {
			return t
		}
		if !seen[t] {
			seen[t] = true
			if found := reachable(t.Imports(), path, seen); found != nil {
				return found
			}
		}
	}
	return nil
}
