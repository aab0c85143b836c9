package analyze

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/cache"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rules"
)

// dependent is a module that calls a vendored dependency, whose functions call
// another one.
var dependent = map[string]string{
	"go.mod": "module m\n\ngo 1.26\n\nrequire (\n\tdep.test/a v1.0.0\n\tdep.test/b v1.0.0\n)\n",
	"vendor/modules.txt": `# dep.test/a v1.0.0
## explicit; go 1.26
dep.test/a
# dep.test/b v1.0.0
## explicit; go 1.26
dep.test/b
dep.test/b/c
dep.test/b/d
`,
	"vendor/dep.test/a/a.go": `package a

import (
	"context"

	"dep.test/b"
)

func Done(ctx context.Context) error { return ctx.Err() }

func Kept(ctx context.Context) error { go func() { <-ctx.Done() }(); return nil }

func Below(ctx context.Context) error { return b.Done(ctx) }

func KeptBelow(ctx context.Context) error { return b.Kept(ctx) }

func Deep(ctx context.Context) error { return b.Deep(ctx) }

func Deeper(ctx context.Context) error { return b.Deeper(ctx) }

type Client struct{ next *Client }

func (c *Client) Send(ctx context.Context, text string) error { return Done(ctx) }

func (c *Client) Even(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	return c.Odd(ctx, n-1)
}

func (c *Client) Odd(ctx context.Context, n int) error {
	if n == 1 {
		return nil
	}
	return c.Even(ctx, n-1)
}

type Sender interface{ Send(ctx context.Context, text string) error }

func Assembly(ctx context.Context) error
`,
	"vendor/dep.test/a/a.s": "",
	"vendor/dep.test/b/b.go": `package b

import (
	"context"

	"dep.test/b/c"
)

func Done(ctx context.Context) error { return ctx.Err() }

func Kept(ctx context.Context) error { go func() { <-ctx.Done() }(); return nil }

func Deep(ctx context.Context) error { return c.Deep(ctx) }

func Deeper(ctx context.Context) error { return c.Deeper(ctx) }
`,
	"vendor/dep.test/b/c/c.go": `package c

import (
	"context"

	"dep.test/b/d"
)

func Deep(ctx context.Context) error { return ctx.Err() }

func Deeper(ctx context.Context) error { return d.Done(ctx) }
`,
	"vendor/dep.test/b/d/d.go": "package d\n\nimport \"context\"\n\nfunc Done(ctx context.Context) error { return ctx.Err() }\n",
	"use/use.go":               use("use", ""),
	"again/again.go":           use("again", "_ = new(a.Client).Odd(context.Background(), 1)"),
}

// use returns a package each of whose functions loses a cancel function after
// a call of a dependency, the name of which it has.
func use(pkg, first string) string {
	text := "package " + pkg + "\n\nimport (\n\t\"context\"\n\n\t\"dep.test/a\"\n)\n\nfunc First() { " + first + " }\n"
	for _, call := range []string{"a.Done(ctx)", "a.Kept(ctx)", "a.Below(ctx)", "a.KeptBelow(ctx)", "a.Deep(ctx)", "a.Deeper(ctx)",
		"new(a.Client).Send(ctx, \"\")", "new(a.Client).Even(ctx, 2)", "new(a.Client).Odd(ctx, 2)", "a.Sender(nil).Send(ctx, \"\")", "a.Assembly(ctx)"} {
		name := strings.NewReplacer("(ctx)", "", "a.", "", "new(", "", "Client).", "Client", "Sender(nil).", "Sender", "(ctx, \"\")", "", "(ctx, 2)", "").Replace(call)
		text += "\nfunc " + name + "(parent context.Context) error {\n\tctx, _ := context.WithCancel(parent)\n\treturn " + call + "\n}\n"
	}
	return text
}

// applicabilities returns how each fix can be applied, by package and function.
func applicabilities(t *testing.T, dir string, store *cache.Store, patterns ...string) (map[string]string, *Analysis) {
	t.Helper()
	prog, err := load.Load(t.Context(), load.Config{Dir: dir, Patterns: patterns})
	if err != nil {
		t.Fatal(err)
	}
	if len(prog.Skipped) > 0 {
		t.Fatalf("skipped %v", prog.Skipped)
	}
	all := rules.All()
	lost := all[slices.IndexFunc(all, func(r rule.Rule) bool { return r.Name == "lostcancel" })]
	a, err := Packages(t.Context(), Job{Program: prog, Packages: prog.Packages, Rules: []rule.Rule{lost}, Options: rule.Options{ReadFile: prog.Source}, Cache: store})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Internal) > 0 {
		t.Fatal(a.Internal)
	}
	got := map[string]string{}
	for _, f := range a.Findings {
		got[filepath.Base(f.Package)+"."+f.Function] = string(f.Applicability)
	}
	return got, a
}

// TestReleased wants functions of dependencies to be known as far as they can
// be followed, and the same whatever was asked before, and whether the cache knew.
func TestReleased(t *testing.T) {
	dir := t.TempDir()
	for name, text := range dependent {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		"Done": string(finding.Safe), "Kept": string(finding.Unsafe), "Below": string(finding.Safe), "KeptBelow": string(finding.Unsafe),
		"Deep": string(finding.Safe), "Deeper": string(finding.Unsafe), // too deep
		"ClientSend": string(finding.Safe), "ClientEven": string(finding.Unsafe), "ClientOdd": string(finding.Unsafe), // recursion is unknown
		"SenderSend": string(finding.Unsafe), "Assembly": string(finding.Unsafe),
	}
	check := func(what string, got map[string]string, pkgs ...string) {
		t.Helper()
		for _, pkg := range pkgs {
			for name, w := range want {
				if g := got[pkg+"."+name]; g != w {
					t.Errorf("%s: %s.%s is %q, want %q", what, pkg, name, g, w)
				}
			}
		}
	}
	got, a := applicabilities(t, dir, nil, "./...")
	check("without a cache", got, "use", "again")
	if a.Released != 3 {
		t.Errorf("loaded %d packages of dependencies, want three", a.Released)
	}
	store, err := cache.Open(filepath.Join(t.TempDir(), "results"))
	if err != nil {
		t.Fatal(err)
	}
	got, _ = applicabilities(t, dir, store, "./again")
	check("into the cache", got, "again")
	got, a = applicabilities(t, dir, store, "./use")
	check("dependencies from the cache", got, "use")
	if a.Released != 0 || a.Cached != 0 {
		t.Errorf("loaded %d packages of dependencies that were known, %d results were", a.Released, a.Cached)
	}
	// Another version of the dependency is another dependency.
	name := filepath.Join(dir, "vendor", "dep.test", "b", "b.go")
	if err := os.WriteFile(name, []byte(strings.Replace(dependent["vendor/dep.test/b/b.go"], "{ return ctx.Err() }", "{ go func() { <-ctx.Done() }(); return nil }", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	want["Below"] = string(finding.Unsafe)
	got, _ = applicabilities(t, dir, store, "./...")
	check("after a change", got, "use", "again")
}
