package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

// cacheModule is a module in which what is found in one package depends on
// another: close.Body closes what it gets, keep.Body does not, and the tests of
// base import its user.
var cacheModule = map[string]string{
	"go.mod":     "module example.com/m\n\ngo 1.26\n\nrequire example.com/dep v0.0.0\n\nreplace example.com/dep => ./dep\n",
	"dep/go.mod": "module example.com/dep\n\ngo 1.26\n",
	"dep/dep.go": "package dep\n\nfunc N() int { return 1 }\n",
	"base/b.go":  "package base\n\nimport \"net/http\"\n\n// Done is done with r.\nfunc Done(r *http.Response) {\n\tdefer r.Body.Close()\n\tprintln(1)\n}\n",
	"base/b_test.go": "package base\n\nimport (\n\t\"net/http\"\n\t\"testing\"\n\n\t\"example.com/m/far\"\n)\n\n" +
		"func TestDone(t *testing.T) {\n\tr, err := http.Get(far.URL())\n\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n\tDone(r)\n}\n",
	"far/f.go": "package far\n\nfunc URL() string { return \"http://localhost\" }\n",
	"far/f_test.go": "package far\n\nimport (\n\t\"net/http\"\n\t\"testing\"\n\n\t\"example.com/m/base\"\n)\n\n" +
		"func TestURL(t *testing.T) {\n\tr, err := http.Get(URL())\n\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n\tbase.Done(r)\n}\n",
	"leaf/l.go": "package leaf\n\nimport (\n\t\"net/http\"\n\n\t\"example.com/dep\"\n\t\"example.com/m/base\"\n)\n\n" +
		"func Get(url string) error {\n\tr, err := http.Get(url)\n\tif err != nil {\n\t\treturn err\n\t}\n\tbase.Done(r)\n\treturn nil\n}\n\n" +
		"func Leak(url string) (int, error) {\n\tr, err := http.Get(url)\n\tif err != nil {\n\t\treturn 0, err\n\t}\n\treturn r.StatusCode + dep.N(), nil\n}\n",
	"alone/a.go": "package alone\n\nfunc F() int {\n\tch := make(chan int)\n\tgo func() { ch <- 1 }()\n\treturn 0\n}\n",
}

// cacheRun is a tree and a cache to run the program with.
type cacheRun struct {
	t               *testing.T
	bin, dir, cache string
	env             []string
}

// run returns all that a run prints, and its exit code.
func (c *cacheRun) run(args ...string) string {
	cmd := exec.Command(c.bin, args...)
	cmd.Dir = c.dir
	cmd.Env = append(append(os.Environ(), c.env...), "XDG_CACHE_HOME="+c.cache, "HOME="+c.cache, "LocalAppData="+c.cache,
		"GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=off")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the code is a part of the result
	// A hint repeats the arguments, which are not the same without the cache.
	said := strings.ReplaceAll(errs.String(), " -no-cache", "")
	return fmt.Sprintf("%sstderr:\n%sexit code %d\n", &out, said, cmd.ProcessState.ExitCode())
}

var fromCache = regexp.MustCompile(`(\d+) of (\d+) packages known from the cache`)

// known returns how many packages a run took from the cache, and of how many:
// their findings, then the fixes of those that have some. Document is what the run
// prints on standard output.
func (c *cacheRun) known(args ...string) (packages, document string) {
	c.t.Helper()
	document, said, _ := strings.Cut(c.run(append(args, "-v")...), "stderr:\n")
	var all []string
	for _, m := range fromCache.FindAllStringSubmatch(said, -1) {
		all = append(all, m[1]+"/"+m[2])
	}
	return strings.Join(all, " "), document
}

func (c *cacheRun) write(name, text string) {
	c.t.Helper()
	name = filepath.Join(c.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		c.t.Fatal(err)
	}
}

// edit replaces a text that a file holds.
func (c *cacheRun) edit(name, old, now string) {
	c.t.Helper()
	src, err := os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(name)))
	if err != nil {
		c.t.Fatal(err)
	}
	if !strings.Contains(string(src), old) {
		c.t.Fatalf("%s does not hold %q", name, old)
	}
	c.write(name, strings.Replace(string(src), old, now, 1))
}

func newCacheRun(t *testing.T) *cacheRun {
	if testing.Short() {
		t.Skip("runs the program often")
	}
	c := &cacheRun{t: t, bin: program(t), dir: t.TempDir(), cache: t.TempDir(), env: goEnv(t, "GOCACHE", "GOMODCACHE")}
	c.env = append(append(c.env, "GOFLAGS="), memo(t, c.dir)...)
	for name, text := range cacheModule {
		c.write(name, text)
	}
	return c
}

// TestCache wants the same bytes with and without the cache over a history of
// edits, and nothing analysed that did not have to be.
func TestCache(t *testing.T) {
	c := newCacheRun(t)
	flags := []string{"-format=json", "-o=github=" + os.DevNull}
	runs := 1
	if longform.Wanted() {
		runs = 2
	}
	for _, step := range []struct {
		long  bool // only in the long form
		name  string
		edit  func()
		known string // packages known before the step's first run, out of how many; "" not to look
		want  string // what the result holds
		not   string // and does not hold
	}{
		{name: "first run", known: "0/4 0/2", want: `"function":"Leak"`, not: `"function":"Get"`},
		{long: true, name: "nothing", known: "4/4 2/2"},
		{long: true, name: "touch", known: "4/4 2/2", edit: func() { c.edit("alone/a.go", "package", "package") }},
		{long: true, name: "edit a comment of a leaf", known: "3/4 1/2", edit: func() { c.edit("leaf/l.go", "package leaf", "// Package leaf is one.\npackage leaf") }},
		{long: true, name: "edit the body of a leaf", known: "3/4 1/2", edit: func() { c.edit("alone/a.go", "return 0", "return 1") }},
		{long: true, name: "edit a body at the base, facts unchanged", known: "3/4 2/2", edit: func() { c.edit("base/b.go", "println(1)", "println(2)") }},
		{name: "edit a body at the base, facts changed", edit: func() { c.edit("base/b.go", "defer r.Body.Close()", "_ = r.Body") }, want: `"function":"Get"`},
		{name: "and back", known: "4/4 2/2", edit: func() { c.edit("base/b.go", "_ = r.Body", "defer r.Body.Close()") }, not: `"function":"Get"`},
		{long: true, name: "change a signature", edit: func() {
			c.edit("base/b.go", "func Done(r *http.Response) {", "func Done(r *http.Response, _ ...int) {")
		}},
		{long: true, name: "suppress", edit: func() {
			c.edit("alone/a.go", "\tgo func", "\t//goroutinefix:ignore blockingsend it is a test\n\tgo func")
		}},
		{long: true, name: "add a file", edit: func() {
			c.write("alone/b.go", "package alone\n\nfunc G() {\n\tch := make(chan int)\n\tgo func() { ch <- 1 }()\n}\n")
		}, want: `"function":"G"`},
		{long: true, name: "add a file for a tag", edit: func() {
			c.write("alone/c.go", "//go:build special\n\npackage alone\n\nfunc H() {\n\tch := make(chan int)\n\tgo func() { ch <- 1 }()\n}\n")
		}, not: `"function":"H"`},
		{long: true, name: "set the tag", edit: func() { flags = append(flags, "-tags=special") }, want: `"function":"H"`},
		{long: true, name: "unset the tag", known: "4/4 2/2", edit: func() { flags = flags[:len(flags)-1] }, not: `"function":"H"`},
		{long: true, name: "change a dependency", edit: func() {
			c.edit("dep/dep.go", "func N() int { return 1 }", "func N() int { return 2 }\n\n// M is new.\nfunc M() {}")
		}},
		{long: true, name: "unsafe fixes", known: "4/4 0/2", edit: func() { flags = append(flags, "-unsafe") }},
		{long: true, name: "one rule", edit: func() { flags = append(flags, "-rules=bodyclose") }, not: `"rule":"blockingsend"`},
		{long: true, name: "all rules again", known: "4/4 2/2", edit: func() { flags = flags[:len(flags)-2] }},
		{long: true, name: "no tests", edit: func() { flags = append(flags, "-tests=false") }},
		{long: true, name: "one file", edit: func() { flags = append(flags[:2:2], "alone/a.go") }, not: `"function":"G"`},
		{long: true, name: "a language that is older", edit: func() { flags = flags[:2]; c.edit("go.mod", "go 1.26", "go 1.21") }},
		{name: "a type error", edit: func() { c.edit("base/b.go", "r.Body.Close()", "r.Nobody") }, want: "exit code 2"},
		{long: true, name: "mended", edit: func() { c.edit("base/b.go", "r.Nobody", "r.Body.Close()") }},
		{long: true, name: "remove a file", edit: func() {
			if err := os.Remove(filepath.Join(c.dir, "alone", "b.go")); err != nil {
				t.Fatal(err)
			}
		}, not: `"function":"G"`},
		{long: true, name: "write the fixes", edit: func() { c.run("-w", "-q") }, not: `"function":"Leak"`},
	} {
		if step.long && !longform.Wanted() {
			continue
		}
		if step.edit != nil {
			step.edit()
		}
		want, first := c.run(append(flags, "-no-cache")...), 0
		if step.known != "" {
			known, document := c.known(flags...)
			if known != step.known {
				t.Errorf("%s: %s packages were known, want %s", step.name, known, step.known)
			}
			if want, _, _ := strings.Cut(want, "stderr:\n"); document != want {
				t.Errorf("%s, with the cache and -v:\n%s\nwithout it:\n%s", step.name, document, want)
			}
			if !longform.Wanted() {
				first = runs // that was the run with the cache
			}
		}
		for i := first; i < runs; i++ {
			if got := c.run(flags...); got != want {
				t.Errorf("%s, run %d with the cache:\n%s\nwithout it:\n%s", step.name, i+1, got, want)
			}
		}
		if !strings.Contains(want, step.want) || step.not != "" && strings.Contains(want, step.not) {
			t.Errorf("%s: want %q and not %q in\n%s", step.name, step.want, step.not, want)
		}
	}
}

// TestCacheDamaged wants results that are damaged, cut off or not to be read to
// be analysed anew, and a cache that cannot be written to be done without.
func TestCacheDamaged(t *testing.T) {
	longform.Only(t, "each kind of damage")
	c := newCacheRun(t)
	want := c.run("-no-cache")
	damage := map[string]func(name string) error{
		"cut off": func(name string) error { return os.Truncate(name, 1) },
		"emptied": func(name string) error { return os.Truncate(name, 0) },
		"other bytes": func(name string) error {
			data, err := os.ReadFile(name)
			if err != nil || len(data) == 0 {
				return err
			}
			data[len(data)/2] ^= 0xff
			return os.WriteFile(name, data, 0o666)
		},
		"a directory": func(name string) error {
			if err := os.Remove(name); err != nil {
				return err
			}
			return os.Mkdir(name, 0o777)
		},
	}
	for what, f := range damage {
		if got := c.run(); got != want {
			t.Errorf("before %s:\n%s\nwant:\n%s", what, got, want)
		}
		names, err := filepath.Glob(filepath.Join(c.cache, "goroutinefix", "results", "??", "*"))
		if err != nil || len(names) == 0 {
			t.Fatalf("no results: %v", err)
		}
		for _, name := range names {
			if err := f(name); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.run(); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
		}
		if err := os.RemoveAll(c.cache); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(c.cache, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if got := c.run(); got != want {
		t.Errorf("without a cache directory:\n%s\nwant:\n%s", got, want)
	}
}

// TestCacheShared wants runs at the same time not to disturb one another.
func TestCacheShared(t *testing.T) {
	longform.Only(t, "six runs at once: TestTwoRunsAtOnce has two")
	c := newCacheRun(t)
	want := c.run("-no-cache")
	var wg sync.WaitGroup
	got := make([]string, 6)
	for i := range got {
		wg.Go(func() { got[i] = c.run() })
	}
	wg.Wait()
	for i := range got {
		if got[i] != want {
			t.Errorf("run %d:\n%s\nwant:\n%s", i, got[i], want)
		}
	}
}

// TestCacheNeighbours edits files that do not belong to a package, but lie in
// its directory and may call its functions.
func TestCacheNeighbours(t *testing.T) {
	longform.Only(t, "files beside a package")
	work := "import \"sync\"\n\nfunc work(wg *sync.WaitGroup) {\n\twg.Add(1)\n\tdefer wg.Done()\n}\n\n" +
		"func F() {\n\tvar wg sync.WaitGroup\n\tgo work(&wg)\n\twg.Wait()\n}\n"
	for _, test := range []struct{ pkg, file, neighbour string }{
		{"near", "n.go", "n_plan9.go"},
		{"near", "n.go", "_n.go"},
		{"near", "n.go", "n_test.go"},
		{"near_test", "x_test.go", "y_plan9_test.go"},
	} {
		c := newCacheRun(t)
		c.write("near/"+test.file, "package "+test.pkg+"\n\n"+work)
		args := []string{"-tests=" + fmt.Sprint(test.pkg != "near"), "./near"}
		for _, call := range []string{"", "work(nil)", ""} {
			c.write("near/"+test.neighbour, "package "+test.pkg+"\n\nfunc g() { "+call+" }\n")
			want := c.run(append(args, "-no-cache")...)
			if stays := strings.Contains(want, "may call work"); stays != (call != "") {
				t.Errorf("%s with %q:\n%s", test.neighbour, call, want)
			}
			if got := c.run(args...); got != want {
				t.Errorf("%s with %q, with the cache:\n%s\nwithout it:\n%s", test.neighbour, call, got, want)
			}
		}
	}
}

// TestTwinFixes wants the text of a fixed file to be that of today, also if
// another module has a package with the same path and findings.
func TestTwinFixes(t *testing.T) {
	longform.Only(t, "modules with equal findings")
	c := newCacheRun(t)
	for _, dir := range []string{"one", "two"} {
		c.write(dir+"/go.mod", "module example.com/twin\n\ngo 1.26\n")
		c.write(dir+"/a/a.go", "package a\n\nfunc F(n int) int {\n\tch := make(chan int)\n\tgo func() { ch <- 1 }()\n\tif n > 1 {\n\t\treturn 0\n\t}\n\treturn <-ch\n}\n\nfunc G() int { return 1 }\n")
	}
	args := []string{"./one/...", "./two/..."}
	c.run(args...)
	c.edit("two/a/a.go", "return 1", "return 2")
	if got, want := c.run(args...), c.run(append(args, "-no-cache")...); got != want {
		t.Errorf("with the cache:\n%s\nwithout it:\n%s", got, want)
	}
}

// TestTwins wants two modules whose packages have the same paths to be told
// apart: their types, what is known of their functions, and their findings.
func TestTwins(t *testing.T) {
	longform.Only(t, "modules with packages of the same paths")
	c := newCacheRun(t)
	leak := "package alone\n\nfunc %s() {\n\tch := make(chan int)\n\tgo func() { ch <- 1 }()\n}\n"
	for dir, ends := range map[string]string{"one": "defer r.Body.Close()", "two": "_ = r.Body"} {
		name := strings.ToUpper(dir[:1]) + dir[1:]
		c.write(dir+"/go.mod", "module example.com/twin\n\ngo 1.26\n")
		c.write(dir+"/alone/a.go", fmt.Sprintf(leak, name))
		c.write(dir+"/base/b.go", "package base\n\nimport \"net/http\"\n\nfunc Done"+name+"(r *http.Response) { Done(r) }\n\nfunc Done(r *http.Response) { "+ends+" }\n")
		c.write(dir+"/leaf/l.go", "package leaf\n\nimport (\n\t\"net/http\"\n\n\t\"example.com/twin/base\"\n)\n\n"+
			"func Get"+name+"(url string) error {\n\tr, err := http.Get(url)\n\tif err != nil {\n\t\treturn err\n\t}\n\tbase.Done"+name+"(r)\n\treturn nil\n}\n")
	}
	for _, args := range [][]string{{"./one/...", "./two/..."}, {"./two/...", "./one/..."}} {
		args = append(args, "-format=json")
		want := c.run(append(args, "-no-cache")...)
		for _, name := range []string{"One", "Two", "GetTwo"} {
			if !strings.Contains(want, `"function":"`+name+`"`) {
				t.Errorf("%s: nothing found in %s:\n%s", args, name, want)
			}
		}
		if strings.Contains(want, `"GetOne"`) || strings.Contains(want, `"skipped":[{`) {
			t.Errorf("%s: want all analysed and nothing in GetOne:\n%s", args, want)
		}
		for i := range 2 {
			if got := c.run(args...); got != want {
				t.Errorf("%s, run %d with the cache:\n%s\nwithout it:\n%s", args, i+1, got, want)
			}
		}
	}
}
