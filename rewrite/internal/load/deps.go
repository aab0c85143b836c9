package load

import (
	"cmp"
	"maps"
	"slices"

	"golang.org/x/tools/go/packages"
)

// Below returns the packages of the main modules that the loaded ones import,
// directly or not, without having been named: what is known of a function must
// not depend on what was named. Of the variants of a package that are built for
// tests there is one, the plain one if it is there.
func (prog *Program) Below() []*packages.Package {
	prog.mu.Lock()
	defer prog.mu.Unlock()
	if prog.below != nil {
		return prog.below
	}
	named := map[Identity]bool{}
	for _, p := range prog.Packages {
		named[Identify(p)] = true
	}
	found := map[Identity]*packages.Package{}
	for _, p := range prog.Packages {
		for _, dep := range prog.exports.closure(p) {
			if id := Identify(dep); ours(dep) && !named[id] {
				if old := found[id]; old == nil || cmp.Or(cmp.Compare(dep.ForTest, old.ForTest), cmp.Compare(dep.ID, old.ID)) < 0 {
					found[id] = dep
				}
			}
		}
	}
	prog.below = slices.SortedFunc(maps.Values(found), func(a, b *packages.Package) int {
		return cmp.Or(cmp.Compare(a.PkgPath, b.PkgPath), cmp.Compare(a.Dir, b.Dir))
	})
	for _, p := range prog.below {
		for _, name := range p.CompiledGoFiles {
			if _, ok := prog.files[name]; !ok {
				prog.files[name] = nil
			}
		}
	}
	return prog.below
}

// ours reports whether p belongs to a main module and can be looked into.
func ours(p *packages.Package) bool {
	return p.Module != nil && p.Module.Main && len(p.Errors) == 0 && p.ExportFile != "" && len(p.CompiledGoFiles) > 0
}

// DepsAnalyzed returns a function that reports whether everything that the package
// with a path imports from the main modules, directly or not, can be looked into: then
// what the rules do not find in it is not there, else a callee may have been
// unknown to them.
func (prog *Program) DepsAnalyzed() func(path string) bool {
	answers := map[string]bool{}
	for _, p := range prog.Packages {
		answers[p.PkgPath] = !slices.ContainsFunc(prog.exports.closure(p), func(dep *packages.Package) bool {
			return dep.Module != nil && dep.Module.Main && !ours(dep)
		})
	}
	return func(path string) bool { return answers[path] }
}
