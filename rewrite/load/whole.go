package load

import "golang.org/x/tools/go/packages"

// Whole returns a function that reports whether everything that the package
// with a path imports from the main modules, directly or not, was loaded with it: then
// what the rules do not find in it is not there, else a callee may have been
// unknown to them.
func (prog *Program) Whole() func(path string) bool {
	loaded := map[string]*packages.Package{}
	for _, p := range prog.Packages {
		loaded[p.PkgPath] = p
	}
	memo := map[string]bool{}
	var whole func(path string) bool
	whole = func(path string) bool {
		if w, ok := memo[path]; ok {
			return w
		}
		p := loaded[path]
		if p == nil {
			return false
		}
		memo[path] = true // for the package that its own tests import
		for _, dep := range p.Imports {
			if dep.Module != nil && dep.Module.Main && !whole(dep.PkgPath) {
				memo[path] = false
			}
		}
		return memo[path]
	}
	answers := map[string]bool{}
	for path := range loaded {
		answers[path] = whole(path)
	}
	return func(path string) bool { return answers[path] }
}
