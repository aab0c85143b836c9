package load

import (
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

// home is what a file belongs to, as the go command has it.
type home struct {
	root string // directory of its module; "" if it is in none
	why  string // why it is none of the user's; "" if it may be
}

// homeOf returns what the files of p belong to. The main modules are those of
// the go command that was asked for p: the one around what was named, or all of
// its workspace.
func homeOf(p *packages.Package) home {
	m := p.Module
	switch {
	case m == nil:
		return home{}
	case m.Main:
		return home{root: m.Dir}
	case m.Replace != nil:
		return home{m.Dir, "the file belongs to " + m.Path + ", which is replaced by " + m.Replace.Path + ", and no main module"}
	}
	return home{m.Dir, "the file belongs to " + strings.TrimSpace(m.Path+" "+m.Version) + ", which is no main module"}
}

// places are directories that are not the user's, with all links resolved: the
// Go distribution and the module cache.
type places struct {
	goroot   string // "" if the run takes place in it, or if it is not known
	modcache string
}

// newPlaces takes what the go command says of itself. Who works inside of the
// Go distribution, works on it.
func newPlaces(dir, goroot, modcache string) places {
	dir = resolved(dir)
	pl := places{goroot: resolved(goroot), modcache: resolved(modcache)}
	if pl.goroot != "" && inside(pl.goroot, dir) {
		pl.goroot = ""
	}
	return pl
}

// Outside says why nobody has asked for changes of the file at name: it belongs
// to no main module, or a symbolic link leads from it out of its module. It is
// "" for a file that may be written.
func (prog *Program) Outside(name string) string {
	h := prog.homes[name]
	if h.why != "" {
		return h.why
	}
	real := resolved(name)
	switch pl := prog.places; {
	case real == "":
		return "the file cannot be found"
	case pl.goroot != "" && inside(pl.goroot, real):
		return "the file belongs to the Go distribution"
	case pl.modcache != "" && inside(pl.modcache, real):
		return "the file lies in the module cache"
	case h.root == "":
		return ""
	}
	root := resolved(h.root)
	if root == "" || !inside(root, real) {
		return "the file lies outside of the module"
	}
	if rel, _ := filepath.Rel(root, real); strings.HasPrefix(filepath.ToSlash(rel), "vendor/") && exists(filepath.Join(root, "vendor", "modules.txt")) {
		return "the file is vendored"
	}
	return ""
}

// resolved returns path with all symbolic links followed; "" if it does not exist.
func resolved(path string) string {
	if path == "" {
		return ""
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	return real
}

// inside reports whether path is dir or lies below it; both are resolved.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
