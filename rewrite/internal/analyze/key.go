package analyze

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/cache"
	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/godebug"
)

// key returns the hash of everything that the result of n depends on: this
// program, the rules and their settings, the files of the package, the types of
// what it imports and the facts about that. The nodes that n needs must be done.
func (a *Analysis) key(n *node) (cache.ID, error) {
	p, k := n.pkg, a.job.Cache.Key("package")
	k.Add(strconv.FormatBool(n.rules), strconv.FormatBool(n.plain))
	if n.rules {
		opt := a.job.Options
		for _, r := range a.job.Rules {
			k.Add(r.Name)
		}
		k.Add(opt.Known...)
		k.Add(strconv.FormatBool(opt.NoFix), strconv.FormatBool(opt.DepsAnalyzed == nil || opt.DepsAnalyzed(p.PkgPath)))
	}
	k.Add(p.ID, p.PkgPath, p.Name, p.ForTest, fmt.Sprint(a.job.Program.Sizes()))
	if m := p.Module; m != nil {
		k.Add(m.Path, m.Version, m.GoVersion, strconv.FormatBool(godebug.AsyncTimersIn(m.GoMod)))
	}
	for _, name := range p.CompiledGoFiles {
		sum, err := a.job.Program.Digest(name)
		if err != nil {
			return cache.ID{}, err
		}
		outside := ""
		if a.job.Options.Outside != nil {
			outside = a.job.Options.Outside(name)
		}
		k.Add(name, string(sum[:]), outside)
	}
	// Files that the build leaves out may use the fields of its types, and call
	// its functions.
	k.Add(p.OtherFiles...)
	for _, name := range p.IgnoredFiles {
		src, err := os.ReadFile(name)
		if err != nil {
			return cache.ID{}, err
		}
		k.Add(name, string(src))
	}
	if err := addNeighbours(k, p); err != nil {
		return cache.ID{}, err
	}
	for _, path := range slices.Sorted(maps.Keys(p.Imports)) {
		id, err := a.exports.id(p.Imports[path])
		if err != nil {
			return cache.ID{}, err
		}
		k.Add(path, p.Imports[path].ID, id)
	}
	k.Add(a.exports.released(p))
	for _, v := range n.views {
		sum := v.sum()
		k.Add(v.path, string(sum[:]))
	}
	return k.ID(), nil
}

// addNeighbours adds to k the files beside p that are of the same package, but
// not of this build of it.
func addNeighbours(k *cache.Key, p *packages.Package) error {
	list, err := callers.Neighbours(p.CompiledGoFiles)
	if err != nil {
		return err
	}
	for _, name := range list {
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, _ := parser.ParseFile(token.NewFileSet(), name, src, parser.PackageClauseOnly)
		if file != nil && file.Name.Name != p.Name && p.Name != "main" {
			continue // sees exported names only; of a program it may be the one user of those
		}
		k.Add(name, string(src))
	}
	return nil
}

// exportIDs identifies the export data of packages.
type exportIDs struct {
	mu   sync.Mutex
	ids  map[*packages.Package]string
	deep map[*packages.Package]string // see released
}

// released returns what identifies the dependencies outside of the main modules
// that p imports, directly or by way of the main modules: what their functions
// do may matter. What such a dependency imports is part of what was built of it.
func (x *exportIDs) released(p *packages.Package) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.releasedBelow(p)
}

func (x *exportIDs) releasedBelow(p *packages.Package) string {
	if id, ok := x.deep[p]; ok {
		return id
	}
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(p.Imports)) {
		dep := p.Imports[path]
		if dep.Module == nil {
			continue // the standard library, which the tables are about
		}
		base := filepath.Base(dep.ExportFile)
		if !dep.Module.Main {
			fmt.Fprintln(h, path, dep.Module.Path, dep.Module.Version, base)
		}
		if dep.Module.Main || !addressed.MatchString(base) {
			fmt.Fprintln(h, path, x.releasedBelow(dep))
		}
	}
	x.deep[p] = string(h.Sum(nil))
	return x.deep[p]
}

// addressed is the name of a file in the go command's cache, which holds the
// hash of what is in it.
var addressed = regexp.MustCompile(`^[0-9a-f]{64}-d$`)

// id returns what identifies the types of p: the hash of its export data. For
// a dependency outside of the main modules, which hardly ever changes, the
// name of the file in the go command's cache will do. That one changes also if
// only machine code does.
func (x *exportIDs) id(p *packages.Package) (string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if id, ok := x.ids[p]; ok {
		return id, nil
	}
	id := p.PkgPath // unsafe has no file
	if p.ExportFile == "" && p.PkgPath != "unsafe" {
		return "", errors.New("no export data for " + p.PkgPath)
	}
	local := p.Module != nil && p.Module.Version == ""
	switch base := filepath.Base(p.ExportFile); {
	case p.ExportFile == "":
	case !local && addressed.MatchString(base):
		id = base
	default:
		var err error
		if id, err = exportSum(p.ExportFile); err != nil {
			return "", err
		}
	}
	x.ids[p] = id
	return id, nil
}

// exportSum returns the hash of the export data in a file.
func exportSum(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	r, err := gcexportdata.NewReader(f)
	if err != nil {
		return "", fmt.Errorf("read export data of %s: %w", name, err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return "", err
	}
	return string(sum.Sum(nil)), nil
}
