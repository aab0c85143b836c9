package load

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"os"
	"sync"

	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"
)

// exports holds the types of dependencies, read from the export data that the
// go command has built, each when it is first imported. All that are read share
// one world: a type that is reached over two ways is the same type. Packages are
// told apart by their addresses, because two modules may have packages with the
// same paths.
type exports struct {
	fset *token.FileSet

	mu       sync.Mutex // reading one package may add to others
	packages map[*packages.Package]*exported
	closures map[*packages.Package][]*packages.Package
}

type exported struct {
	types *types.Package
	read  bool
	err   error
}

func newExports(fset *token.FileSet) *exports {
	return &exports{fset: fset, packages: map[*packages.Package]*exported{}, closures: map[*packages.Package][]*packages.Package{}}
}

// importer serves the imports of p and, for an import that a fix has added,
// whatever its dependencies import under that path.
func (x *exports) importer(p *packages.Package) types.Importer {
	return importerFunc(func(path string) (*types.Package, error) {
		if path == "unsafe" {
			return types.Unsafe, nil
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		dep := p.Imports[path]
		if dep == nil {
			for _, d := range x.closure(p) {
				if d.PkgPath == path {
					dep = d
				}
			}
		}
		if dep == nil {
			return nil, errors.New("an import cycle, or an import that is new")
		}
		return x.read(dep)
	})
}

type importerFunc func(path string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }

// entry returns what is known of p, at first an empty package.
func (x *exports) entry(p *packages.Package) *exported {
	e := x.packages[p]
	if e == nil {
		e = &exported{types: types.NewPackage(p.PkgPath, p.Name)}
		x.packages[p] = e
	}
	return e
}

// read returns the types of p.
func (x *exports) read(p *packages.Package) (*types.Package, error) {
	if p.PkgPath == "unsafe" {
		return types.Unsafe, nil
	}
	e := x.entry(p)
	if !e.read {
		e.read = true
		e.err = x.decode(p, e)
	}
	return e.types, e.err
}

func (x *exports) decode(p *packages.Package, e *exported) error {
	if p.ExportFile == "" && len(p.Errors) > 0 {
		return errors.New(advise(firstLine(p.Errors[0].Msg)))
	}
	if p.ExportFile == "" {
		return errors.New("it was not compiled")
	}
	f, err := os.Open(p.ExportFile)
	if err != nil {
		return fmt.Errorf("open export data: %w", err)
	}
	defer f.Close()
	r, err := gcexportdata.NewReader(f)
	if err != nil {
		return fmt.Errorf("read export data of %s: %w", p.PkgPath, err)
	}
	// The reader takes the packages that p refers to from here. They belong to
	// the variant of p: a test may have its own.
	view := map[string]*types.Package{p.PkgPath: e.types}
	for _, dep := range x.closure(p) {
		view[dep.PkgPath] = x.entry(dep).types
	}
	e.types, err = gcexportdata.Read(r, x.fset, view, p.PkgPath)
	return err
}

// closure returns everything that p imports, directly or not.
func (x *exports) closure(p *packages.Package) []*packages.Package {
	if list, ok := x.closures[p]; ok {
		return list
	}
	seen := map[*packages.Package]bool{}
	var list []*packages.Package
	add := func(dep *packages.Package) {
		if !seen[dep] {
			seen[dep] = true
			list = append(list, dep)
		}
	}
	for _, dep := range p.Imports {
		if dep.PkgPath == "unsafe" {
			continue
		}
		add(dep)
		for _, d := range x.closure(dep) {
			add(d)
		}
	}
	x.closures[p] = list
	return list
}
