package load

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxNestedDirs bounds how many directories NestedModules reads.
const maxNestedDirs = 20000

// NestedModules returns patterns for the modules below those of the patterns that end in
// "/...", relative to dir and sorted, of which no package is among loaded, the directories
// of what was loaded. The go command passes over them in silence. Modules without Go
// files, and what the go command never looks at, are left out.
func NestedModules(dir string, patterns, loaded []string) (nested []string) {
	w := &nestedWalk{left: maxNestedDirs, modules: map[string]bool{}, seen: map[string]bool{}}
	for _, pattern := range patterns {
		base, ok := strings.CutSuffix(pattern, "/...")
		if !ok || !isLocal(base) || strings.Contains(base, "...") {
			continue
		}
		base = filepath.Clean(join(dir, filepath.FromSlash(base)))
		w.walk(base, base, "")
	}
	for module, hasGo := range w.modules {
		below := module + string(filepath.Separator)
		if !hasGo || slices.ContainsFunc(loaded, func(d string) bool { return d == module || strings.HasPrefix(d, below) && ModuleRoot(d) == module }) {
			continue
		}
		nested = append(nested, strings.TrimSuffix(relPattern(dir, module), "/")+"/...")
	}
	slices.Sort(nested)
	return nested
}

type nestedWalk struct {
	left    int             // directories that may still be read
	modules map[string]bool // nested modules, and whether they have Go files
	seen    map[string]bool
}

// walk looks at path, which is below base and in module, "" for that of base itself.
func (w *nestedWalk) walk(base, path, module string) {
	if w.left == 0 || w.seen[path] {
		return
	}
	w.left--
	w.seen[path] = true
	entries, err := os.ReadDir(path)
	if err != nil {
		return // who cannot read it cannot analyse it either
	}
	if path != base && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "go.mod" && !e.IsDir() }) {
		module = path
		w.modules[module] = false
	}
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() {
			if module != "" && strings.HasSuffix(name, ".go") {
				w.modules[module] = true
			}
			continue
		}
		switch {
		case name == "vendor", name == "testdata", name == "node_modules", strings.HasPrefix(name, "."), strings.HasPrefix(name, "_"):
		default:
			w.walk(base, filepath.Join(path, name), module)
		}
	}
}
