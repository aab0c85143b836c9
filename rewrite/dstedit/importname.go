package dstedit

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Import returns the name under which the package path can be used in the
// declaration. If the file does not import it, the result of Rewrite imports
// it, under an alias if its own name is taken in the file, the package scope
// (see WithPackage) or the declaration. Import refuses a path whose name is
// shadowed in the declaration or cannot be told.
func (d *Decl) Import(path string) (name string, err error) {
	if path == "" || path == "C" {
		return "", refuse("the import %q cannot be added", path)
	}
	for _, imp := range d.imports {
		if imp.path == path {
			return imp.local, nil
		}
	}
	locals := declaredIn(d.decl)
	shadowed := ""
	for _, spec := range d.file.Imports {
		if importPath(spec) != path {
			continue
		}
		name := d.localName(spec)
		switch {
		case name == "" || name == "_" || name == ".":
		case locals[name]:
			shadowed = name
		default:
			return name, nil
		}
	}
	if shadowed != "" {
		return "", refuse("the import %s is shadowed in the declaration", shadowed)
	}
	base := d.packageName(path)
	if base == "" {
		return "", refuse("the name of package %q is not known", path)
	}
	name = base
	for i := 1; locals[name] || d.taken(name); i++ {
		name = base + "pkg"
		if i > 1 {
			name += strconv.Itoa(i)
		}
	}
	imp := newImport{path: path, local: name}
	if name != base {
		imp.alias = name
	}
	d.imports = append(d.imports, imp)
	return name, nil
}

// importPath returns the path of spec, "" if it is malformed.
func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	return p
}

// localName returns the name that spec declares, "" if it cannot be told.
func (d *Decl) localName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	return d.packageName(importPath(spec))
}

// version matches the last element of the path of a later major version.
var version = regexp.MustCompile(`^v[0-9]+$`)

// gopkgVersion matches the version suffix of gopkg.in paths.
var gopkgVersion = regexp.MustCompile(`\.v[0-9]+$`)

// packageName returns the name that the package p declares: the known one, or
// else a guess from its path, "" if the path does not end in an identifier.
func (d *Decl) packageName(p string) string {
	if d.pkg != nil {
		for _, imp := range d.pkg.Imports() {
			if imp.Path() == p {
				return imp.Name()
			}
		}
	}
	base := path.Base(p)
	if version.MatchString(base) && path.Dir(p) != "." {
		base = path.Base(path.Dir(p))
	}
	base = gopkgVersion.ReplaceAllString(base, "")
	if !token.IsIdentifier(base) {
		return ""
	}
	return base
}

// taken reports whether name means something at file or package scope.
func (d *Decl) taken(name string) bool {
	for _, spec := range d.file.Imports {
		if d.localName(spec) == name {
			return true
		}
	}
	if d.pkg != nil && d.pkg.Scope().Lookup(name) != nil {
		return true
	}
	for _, decl := range d.file.Decls {
		if topLevelNames(decl)[name] {
			return true
		}
		// Without the package, a name that is used but not declared here
		// may be declared in another file.
		if d.pkg == nil && !declaredIn(decl)[name] && usesName(decl, name) {
			return true
		}
	}
	return false
}

// topLevelNames returns the names that decl adds to the package scope.
func topLevelNames(decl ast.Decl) map[string]bool {
	names := make(map[string]bool)
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv == nil {
			names[decl.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names[spec.Name.Name] = true
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					names[id.Name] = true
				}
			}
		}
	}
	return names
}

// declaredIn returns the names that are declared anywhere inside decl.
func declaredIn(decl ast.Decl) map[string]bool {
	names := make(map[string]bool)
	add := func(x ast.Expr) {
		if id, ok := x.(*ast.Ident); ok {
			names[id.Name] = true
		}
	}
	fields := func(list *ast.FieldList) {
		if list == nil {
			return
		}
		for _, f := range list.List {
			for _, id := range f.Names {
				add(id)
			}
		}
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			fields(n.Recv)
		case *ast.FuncType:
			fields(n.TypeParams)
			fields(n.Params)
			fields(n.Results)
		case *ast.TypeSpec:
			add(n.Name)
			fields(n.TypeParams)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				add(id)
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, x := range n.Lhs {
					add(x)
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				add(n.Key)
				add(n.Value)
			}
		}
		return true
	})
	return names
}

// usesName reports whether decl uses name other than as the name of a field or
// method.
func usesName(decl ast.Decl, name string) bool {
	used := false
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.KeyValueExpr:
			if _, ok := n.Key.(*ast.Ident); ok {
				ast.Inspect(n.Value, visit)
				return false
			}
		case *ast.Field:
			ast.Inspect(n.Type, visit)
			return false
		case *ast.FuncDecl:
			ast.Inspect(n.Type, visit)
			if n.Recv != nil {
				ast.Inspect(n.Recv, visit)
			}
			if n.Body != nil {
				ast.Inspect(n.Body, visit)
			}
			return false
		case *ast.GenDecl:
			if n.Tok == token.IMPORT {
				return false
			}
		case *ast.Ident:
			used = used || n.Name == name
		}
		return !used
	}
	ast.Inspect(decl, visit)
	return used
}

// newImport is an import that an edit asked for.
type newImport struct {
	path  string
	alias string // "" if the import needs none
	local string // the name under which the declaration uses it
}

// spec returns the import spec as source text.
func (imp newImport) spec() string {
	if imp.alias == "" {
		return strconv.Quote(imp.path)
	}
	return fmt.Sprintf("%s %q", imp.alias, imp.path)
}

// isStd reports whether the path p looks like one of the standard library's:
// its first element has no dot.
func isStd(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".")
}
