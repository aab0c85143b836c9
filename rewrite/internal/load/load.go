// Package load turns package patterns and file names into packages, names what
// could not be loaded, and type-checks one package at a time. What a package
// imports is read from the export data that the go command has built.
package load

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// Config says what to load.
type Config struct {
	Dir      string // working directory, absolute
	Patterns []string
	Tests    bool
	Tags     string // comma separated
	Mod      string // value of -mod
	Env      []string
	// MayExclude says that it is no error if the build leaves out all that is
	// named, because there is another one.
	MayExclude bool
}

// Program is what was loaded.
type Program struct {
	Fset     *token.FileSet
	Packages []*packages.Package // one per set of files, widest test variant, sorted by ID, without syntax
	Skipped  []finding.Skipped
	// Only, if not nil, holds the files that were named as arguments:
	// findings elsewhere in their packages are not wanted.
	Only map[string]bool

	// Dirs are the directories of all packages that exist, also of broken ones.
	Dirs []string

	mu      sync.Mutex
	files   map[string]*[sha256.Size]byte // the files of the packages, with their hashes once they were read
	exports *exports
	sizes   types.Sizes
	homes   map[string]home // file -> what it belongs to
	places  places
	plain   map[Identity]*packages.Package
	below   []*packages.Package // see Below
	unknown string              // why the first pattern that names no package does not
	broken  int                 // number of packages that exist and were skipped
}

// mode asks for what the go command knows of the named packages and their
// dependencies. Syntax and types are for [Program.Check]. The sizes of types are
// asked for because the go command then fails where it cannot work at all.
const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
	packages.NeedDeps | packages.NeedExportFile | packages.NeedTypesSizes | packages.NeedModule | packages.NeedForTest

// Load loads what cfg names. It fails only if nothing can be loaded at all;
// packages that are broken are in Skipped, the rest in Packages.
func Load(ctx context.Context, cfg Config) (*Program, error) {
	groups, only, skipped, err := group(cfg)
	if err != nil {
		return nil, err
	}
	prog := &Program{Fset: token.NewFileSet(), Only: only, Skipped: skipped, files: map[string]*[sha256.Size]byte{}, homes: map[string]home{}, plain: map[Identity]*packages.Package{}}
	env := goEnv(ctx, cfg, "GOARCH", "GOROOT", "GOMODCACHE")
	prog.exports, prog.sizes = newExports(prog.Fset), sizes(env[0])
	prog.places = newPlaces(cfg.Dir, env[1], env[2])
	for _, g := range groups {
		pkgs, err := prog.load(ctx, cfg, g)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if len(groups) == 1 {
				return nil, err
			}
			prog.skip(strings.Join(g.patterns, " "), err.Error())
			continue
		}
		prog.add(pkgs)
	}
	excluded := slices.ContainsFunc(prog.Skipped, func(s finding.Skipped) bool { return s.Excluded })
	if len(prog.Packages) == 0 && prog.unknown != "" && prog.broken == 0 && !(cfg.MayExclude && excluded) {
		return nil, fmt.Errorf("load packages: %s", prog.unknown)
	}
	if len(prog.Packages) == 0 && len(prog.Skipped) == 0 {
		return nil, fmt.Errorf("load %s: matched no packages", strings.Join(cfg.Patterns, " "))
	}
	for name := range only {
		if !prog.hasFile(name) && !prog.skippedFile(name) {
			prog.Skipped = append(prog.Skipped, finding.Skipped{Package: name, Excluded: true,
				Reason: "no package contains the file in this build configuration (build constraints, or -tests=false)"})
		}
	}
	slices.SortFunc(prog.Packages, func(a, b *packages.Package) int { return cmp.Compare(a.ID, b.ID) })
	prog.sortSkipped()
	return prog, nil
}

func (prog *Program) sortSkipped() {
	slices.SortFunc(prog.Skipped, func(a, b finding.Skipped) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Reason, b.Reason))
	})
	prog.Skipped = slices.Compact(prog.Skipped)
}

// Drop moves a package that turned out not to type-check to the skipped ones.
func (prog *Program) Drop(p *packages.Package, reason string) {
	prog.mu.Lock()
	defer prog.mu.Unlock()
	prog.Packages = slices.DeleteFunc(slices.Clone(prog.Packages), func(q *packages.Package) bool { return q == p })
	prog.skip(p.ID, reason)
	prog.sortSkipped()
	prog.broken++
}

func (prog *Program) skip(pkg, reason string) {
	prog.Skipped = append(prog.Skipped, finding.Skipped{
		Package: pkg, Reason: firstLine(reason),
		Excluded: strings.Contains(reason, "build constraints exclude all Go files"),
	})
}

func (prog *Program) hasFile(name string) bool {
	for _, p := range prog.Packages {
		if slices.Contains(p.CompiledGoFiles, name) || slices.Contains(p.GoFiles, name) {
			return true
		}
	}
	return false
}

// skippedFile reports whether the package of a file is already named as skipped.
func (prog *Program) skippedFile(name string) bool {
	dir := filepath.Dir(name)
	return slices.ContainsFunc(prog.Skipped, func(s finding.Skipped) bool { return strings.Contains(s.Reason, dir) })
}

func (prog *Program) load(ctx context.Context, cfg Config, g loadGroup) ([]*packages.Package, error) {
	pc := &packages.Config{Context: ctx, Mode: mode, Dir: g.dir, Tests: cfg.Tests, Env: cfg.Env}
	if cfg.Tags != "" {
		pc.BuildFlags = append(pc.BuildFlags, "-tags="+cfg.Tags)
	}
	if cfg.Mod != "" {
		pc.BuildFlags = append(pc.BuildFlags, "-mod="+cfg.Mod)
	}
	pkgs, err := packages.Load(pc, g.patterns...)
	if err != nil {
		return nil, fmt.Errorf("load packages: %w", oneLine(err))
	}
	return pkgs, nil
}

// goEnv returns values of the go command's variables; "" for those that it does
// not tell.
func goEnv(ctx context.Context, cfg Config, names ...string) []string {
	cmd := exec.CommandContext(ctx, "go", append([]string{"env"}, names...)...)
	cmd.Dir, cmd.Env = cfg.Dir, cfg.Env
	out, _ := cmd.Output()
	values := make([]string, len(names))
	for i, line := range slices.Collect(strings.Lines(string(out))) {
		if i < len(values) {
			values[i] = strings.TrimSpace(line)
		}
	}
	return values
}

// sizes returns the sizes of types in a build for arch. Without an answer of the
// go command they are those of this program's own.
func sizes(arch string) types.Sizes {
	return cmp.Or(types.SizesFor("gc", arch), types.SizesFor("gc", runtime.GOARCH))
}

// oneLine keeps the first line that says something of the go command's message.
func oneLine(err error) error {
	msg := err.Error()
	if i := strings.Index(msg, "stderr: "); i >= 0 {
		msg = msg[i+len("stderr: "):]
	}
	if line := firstLine(msg); line != "" {
		return errors.New(advise(line))
	}
	return err
}

// advise adds to a message about a Go that is too old what can be done.
func advise(msg string) string {
	switch {
	case strings.Contains(msg, "requires newer Go version"): // of the type checker inside of this program
		msg += "; build goroutinefix again with that version of Go"
	case strings.Contains(msg, "requires go >= "): // of the go command
		msg += "; install that version of Go, or set GOTOOLCHAIN=auto"
	}
	return msg
}

// firstLine returns the first line of a message of the go command that says
// something, together with the next one if it ends in a colon.
func firstLine(msg string) string {
	out := ""
	for line := range strings.Lines(msg) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "go: ")
		if line == "" || strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "downloading ") {
			continue
		}
		if out += line; !strings.HasSuffix(out, ":") {
			return out
		}
		out += " "
	}
	return strings.TrimSpace(out)
}

// add keeps, of the variants p and p [p.test], the widest healthy one.
func (prog *Program) add(pkgs []*packages.Package) {
	healthy := map[string]*packages.Package{} // by package path and kind
	var order []string
	for _, p := range pkgs {
		if strings.HasSuffix(p.ID, ".test") && p.Name == "main" {
			continue // the generated test main
		}
		if p.ForTest != "" && p.PkgPath != p.ForTest && p.PkgPath != p.ForTest+"_test" {
			continue // a dependency rebuilt for somebody else's test
		}
		if p.Dir != "" {
			prog.Dirs = append(prog.Dirs, p.Dir)
		}
		for _, name := range p.CompiledGoFiles {
			if _, ok := prog.files[name]; !ok {
				prog.files[name] = nil
			}
		}
		if reason := prog.problem(p); reason != "" {
			prog.skip(p.ID, reason)
			if p.Name != "" || len(p.GoFiles) > 0 {
				prog.broken++
			} else if prog.unknown == "" {
				prog.unknown = reason
			}
			continue
		}
		if len(p.CompiledGoFiles) == 0 {
			continue // only files that other configurations build
		}
		for _, name := range slices.Concat(p.CompiledGoFiles, p.GoFiles) {
			prog.homes[name] = homeOf(p)
		}
		if p.ForTest == "" {
			prog.plain[Identify(p)] = p
		}
		old := healthy[p.PkgPath]
		if old == nil {
			order = append(order, p.PkgPath)
		}
		if old == nil || len(p.CompiledGoFiles) > len(old.CompiledGoFiles) || p.ForTest != "" && old.ForTest == "" {
			healthy[p.PkgPath] = p
		}
	}
	for _, path := range order {
		prog.Packages = append(prog.Packages, healthy[path])
	}
}

// problem says in one line why p cannot be analysed, or returns "".
func (prog *Program) problem(p *packages.Package) string {
	if len(p.Errors) == 0 && p.ExportFile != "" || len(p.CompiledGoFiles)+len(p.Errors) == 0 {
		return ""
	}
	broken := slices.ContainsFunc(prog.exports.closure(p), func(dep *packages.Package) bool {
		return len(dep.Errors) > 0 && len(dep.GoFiles) > 0
	})
	for _, dep := range p.Imports {
		// Also if what is wrong has no files, such as an unknown import of dep.
		broken = broken || dep.ExportFile == "" && len(dep.GoFiles) > 0 && dep.PkgPath != "unsafe"
	}
	if len(p.Errors) == 0 && broken {
		return "a package that it imports does not type-check"
	}
	c := prog.Check(p)
	defer prog.Release(c)
	return Problem(c)
}

// Compiles reports whether p is built from the file at path.
func (prog *Program) Compiles(p *packages.Package, path string) bool {
	return slices.Contains(p.GoFiles, path) || slices.Contains(p.CompiledGoFiles, path)
}

// Identity tells packages apart. Two modules may have packages with the same
// path, and a module may be there in two versions.
type Identity struct{ Path, Dir string }

// Identify returns the identity of p, which its variants have in common.
func Identify(p *packages.Package) Identity { return Identity{p.PkgPath, p.Dir} }

// Plain returns the variant of a loaded package without its test files, which is
// what other packages import; nil if there is none.
func (prog *Program) Plain(p *packages.Package) *packages.Package { return prog.plain[Identify(p)] }

func exists(name string) bool { _, err := os.Stat(name); return err == nil }

// Wanted reports whether f lies in what was named: any file, unless single
// files were the arguments.
func (prog *Program) Wanted(f finding.Finding) bool {
	return prog.Names(f.Place.Path)
}

// Names reports whether the file at path is among what was named.
func (prog *Program) Names(path string) bool { return prog.Only == nil || prog.Only[path] }
