package analyze

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
)

// loaded loads a module of files by their names.
func loaded(t *testing.T, files map[string]string, patterns ...string) *load.Program {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	prog, err := load.Load(t.Context(), load.Config{Dir: dir, Patterns: patterns, Tests: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(prog.Skipped) > 0 {
		t.Fatalf("skipped %v", prog.Skipped)
	}
	return prog
}

// imports returns a file that imports packages of the module m.
func imports(pkg string, paths ...string) string {
	text := "package " + pkg + "\n"
	for _, p := range paths {
		text += "\nimport _ \"m/" + p + "\"\n"
	}
	return text
}

const goMod = "module m\n\ngo 1.26\n"

// ids returns the order of a graph, and checks that each node stands after
// what it needs.
func ids(t *testing.T, g *graph) (list []string) {
	t.Helper()
	done := map[*node]bool{}
	for _, n := range g.order {
		for _, m := range n.needs {
			if !done[m] {
				t.Errorf("%s comes before %s, which it needs", n.pkg.ID, m.pkg.ID)
			}
		}
		if n.open != len(n.needs) {
			t.Errorf("%s waits for %d of %d", n.pkg.ID, n.open, len(n.needs))
		}
		done[n] = true
		list = append(list, n.pkg.ID)
	}
	return list
}

func TestGraphOrder(t *testing.T) {
	prog := loaded(t, map[string]string{
		"go.mod": goMod, "a/a.go": imports("a", "b", "c"), "b/b.go": imports("b", "z"), "c/c.go": imports("c", "z"), "z/z.go": imports("z"),
		"z/x_test.go": imports("z_test", "a", "z"),
	}, "./...")
	got := ids(t, newGraph(prog, prog.Packages))
	if want := []string{"m/z", "m/b", "m/c", "m/a", "m/z_test [m/z.test]"}; !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
	// What nobody needs is left out, and what is only needed runs no rules.
	part := slices.DeleteFunc(slices.Clone(prog.Packages), func(p *packages.Package) bool { return p.PkgPath != "m/b" })
	g := newGraph(prog, part)
	if got, want := ids(t, g), []string{"m/z", "m/b"}; !slices.Equal(got, want) {
		t.Errorf("order of a part %q, want %q", got, want)
	}
	if g.order[0].rules || !g.order[1].rules {
		t.Error("want the rules to run on m/b alone")
	}
}

// TestGraphCircle wants one package of a circle of tests to be analysed once
// more, without its tests.
func TestGraphCircle(t *testing.T) {
	prog := loaded(t, map[string]string{
		"go.mod": goMod, "a/a.go": imports("a"), "b/b.go": imports("b"), "c/c.go": imports("c"),
		"a/a_test.go": imports("a", "b"), "b/b_test.go": imports("b", "c"), "c/c_test.go": imports("c", "a"),
	}, "./...")
	g := newGraph(prog, prog.Packages)
	got := ids(t, g)
	for _, want := range []string{"m/a [m/a.test]", "m/b [m/b.test]", "m/c [m/c.test]", "m/a"} {
		if i := slices.Index(got, want); i < 0 {
			t.Errorf("%s is not in %q", want, got)
		} else if rules := g.order[i].rules; rules != strings.Contains(want, ".test") {
			t.Errorf("%s: rules run: %t", want, rules)
		}
	}
	if len(got) != 4 {
		t.Errorf("order %q", got)
	}
}

// TestGraphViews wants an external test to see a package with its test files,
// and another package to see it without them.
func TestGraphViews(t *testing.T) {
	prog := loaded(t, map[string]string{
		"go.mod": goMod, "a/a.go": imports("a"), "a/export_test.go": imports("a"), "a/x_test.go": imports("a_test", "a"), "b/b.go": imports("b", "a"),
	}, "./...")
	g := newGraph(prog, prog.Packages)
	ids(t, g)
	wide := map[string]bool{"m/a_test": true, "m/b": false}
	for _, n := range g.order {
		want, ok := wide[n.pkg.PkgPath]
		if !ok {
			continue
		}
		if len(n.views) != 1 || n.views[0].path != "m/a" || n.views[0].wide != want {
			t.Errorf("%s sees %+v", n.pkg.ID, n.views)
		} else if !n.views[0].node.plain {
			t.Errorf("nobody asks for what m/b sees of m/a")
		}
		delete(wide, n.pkg.PkgPath)
	}
	if len(wide) > 0 {
		t.Errorf("not analysed: %v", wide)
	}
}

// TestGraphTwins wants packages of two modules with the same path to be two
// nodes, of which each sees its own imports.
func TestGraphTwins(t *testing.T) {
	prog := loaded(t, map[string]string{
		"one/go.mod": goMod, "one/a/a.go": imports("a", "b"), "one/b/b.go": imports("b"),
		"two/go.mod": goMod, "two/a/a.go": imports("a", "b"), "two/b/b.go": imports("b"),
	}, "./one/...", "./two/...")
	g := newGraph(prog, prog.Packages)
	if got, want := ids(t, g), []string{"m/b", "m/a", "m/b", "m/a"}; !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
	for _, n := range g.order {
		for _, v := range n.views {
			if filepath.Dir(v.node.pkg.Dir) != filepath.Dir(n.pkg.Dir) {
				t.Errorf("%s sees %s", n.pkg.Dir, v.node.pkg.Dir)
			}
		}
	}
}
