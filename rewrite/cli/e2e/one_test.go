package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

// reported is a finding as far as it must not depend on what was named.
type reported struct {
	Path, Message, Applicability, Reason string
	Line, Column                         int
}

// ownCache lets the runs of a test keep results of their own, and share what the
// go command has built.
func ownCache(t *testing.T) {
	t.Helper()
	for _, e := range append(goEnv(t, "GOCACHE"), "XDG_CACHE_HOME="+t.TempDir()) {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
}

// findings returns what a run finds in args, by file.
func findings(t *testing.T, bin, dir string, args ...string) map[string][]reported {
	t.Helper()
	cmd := exec.Command(bin, append([]string{"-check", "-format=json"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), memo(t, dir)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 {
		t.Fatalf("goroutinefix %q: %v\n%s", args, err, &stderr)
	}
	var doc struct{ Findings []reported }
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	by := map[string][]reported{}
	for _, f := range doc.Findings {
		by[f.Path] = append(by[f.Path], f)
	}
	return by
}

// same wants a run on some packages or files to find what a run on all of them
// finds there.
func same(t *testing.T, what string, all, got map[string][]reported, files ...string) {
	t.Helper()
	for _, file := range files {
		if !slices.Equal(all[file], got[file]) {
			t.Errorf("%s: %s: found %v, with all packages %v", what, file, got[file], all[file])
		}
		delete(got, file)
	}
	if len(got) > 0 {
		t.Errorf("%s: found something elsewhere: %v", what, got)
	}
}

// TestOneAsAll wants each package and each file alone to get what it gets in a
// run on everything, with a cache and without.
func TestOneAsAll(t *testing.T) {
	ownCache(t)
	bin, dir := program(t), t.TempDir()
	for name, text := range layered {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	all := findings(t, bin, dir, "-no-cache", "./...")
	if len(all["top/top.go"]) != 5 || len(all["top/top_test.go"]) != 1 {
		t.Fatalf("found %v", all)
	}
	for name := range layered {
		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "work/") {
			continue
		}
		if !longform.Wanted() && name != "top/top.go" {
			continue
		}
		same(t, "alone", all, findings(t, bin, dir, name), name)
		if longform.Wanted() {
			same(t, "without a cache", all, findings(t, bin, dir, "-no-cache", name), name)
		}
	}
	for _, pkg := range []string{"top", "middle", "bottom"} {
		if !longform.Wanted() && pkg != "top" {
			continue
		}
		var files []string
		for name := range layered {
			if filepath.Dir(name) == pkg {
				files = append(files, name)
			}
		}
		same(t, "package", all, findings(t, bin, dir, "-no-cache", "./"+pkg), files...)
	}
	// A module of the workspace is looked into as one's own is.
	member := findings(t, bin, filepath.Join(dir, "work", "one"), "-no-cache", "one.go")
	if len(member["one.go"]) != 1 || member["one.go"][0].Applicability != "none" {
		t.Errorf("in a workspace: %v", member)
	}
}

// TestFixturesOneAsAll is TestOneAsAll for the fixtures, each package of which
// is run alone.
func TestFixturesOneAsAll(t *testing.T) {
	longform.Only(t, "TestOneAsAll for all fixtures")
	bin := program(t)
	dir, err := filepath.Abs(filepath.Join(root, "fixtures"))
	if err != nil {
		t.Fatal(err)
	}
	ownCache(t)
	all := findings(t, bin, dir, "./...")
	if len(all) < 50 {
		t.Fatalf("found something in %d files only", len(all))
	}
	packages := map[string][]string{}
	for file := range all {
		packages[filepath.Dir(file)] = append(packages[filepath.Dir(file)], file)
	}
	for pkg, files := range packages {
		same(t, "package", all, findings(t, bin, dir, "-no-cache", "./"+pkg), files...)
		same(t, "file", all, findings(t, bin, dir, files[0]), files[0])
	}
}

// layered is a module whose top package hangs on what the others do, in facts of
// several kinds.
var layered = map[string]string{
	"go.mod": "module layered.test/m\n\ngo 1.26\n",
	"bottom/bottom.go": `package bottom

import (
	"context"
	"io"
	"net/http"
	"os"
	"time"
)

var out = make(chan error, 1)

func Later(ctx context.Context, text string) error {
	go func() { out <- ctx.Err() }()
	return nil
}

func Now(ctx context.Context, text string) error { return ctx.Err() }

func Must(err error) {
	if err != nil {
		os.Exit(1)
	}
}

func Drain(resp *http.Response) {
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func Limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Second)
}
`,
	"middle/middle.go": `package middle

import (
	"context"
	"net/http"

	"layered.test/m/bottom"
)

func Later(ctx context.Context, text string) error { return bottom.Later(ctx, text) }

func Now(ctx context.Context, text string) error { return bottom.Now(ctx, text) }

func Drain(resp *http.Response) { bottom.Drain(resp) }

type Loop struct{ done chan bool }

func (l *Loop) Start() {
	l.done = make(chan bool)
	go func() { <-l.done }()
}

func (l *Loop) Stop() { close(l.done) }
`,
	"middle/middle_test.go": "package middle_test\n\nimport \"layered.test/m/top\"\n\nvar _ = top.Get\n",
	"top/top.go": `package top

import (
	"context"
	"net/http"
	"time"

	"layered.test/m/bottom"
	"layered.test/m/middle"
)

func Queued() error {
	ctx, _ := context.WithTimeout(context.Background(), time.Second)
	return middle.Later(ctx, "x")
}

func AtOnce() error {
	ctx, _ := context.WithTimeout(context.Background(), time.Second)
	return middle.Now(ctx, "x")
}

func Get(url string) int {
	resp, err := http.Get(url)
	bottom.Must(err)
	if resp.StatusCode > 299 {
		return 0
	}
	middle.Drain(resp)
	return 1
}

func Wrapped(ctx context.Context) error {
	ctx, _ = bottom.Limited(ctx)
	return middle.Now(ctx, "y")
}

func Started() {
	l := new(middle.Loop)
	l.Start()
}
`,
	"top/top_test.go": `package top_test

import (
	"context"
	"testing"

	"layered.test/m/middle"
)

func TestLater(t *testing.T) {
	ctx, _ := context.WithCancel(context.Background())
	if err := middle.Later(ctx, "z"); err != nil {
		t.Fatal(err)
	}
}
`,
	"work/go.work":    "go 1.26\n\nuse (\n\t./one\n\t./two\n)\n",
	"work/one/go.mod": "module layered.test/one\n\ngo 1.26\n\nrequire layered.test/two v0.0.0\n",
	"work/one/one.go": "package one\n\nimport (\n\t\"context\"\n\n\t\"layered.test/two\"\n)\n\nfunc One() error {\n\tctx, _ := context.WithCancel(context.Background())\n\treturn two.Later(ctx)\n}\n",
	"work/two/go.mod": "module layered.test/two\n\ngo 1.26\n",
	"work/two/two.go": "package two\n\nimport \"context\"\n\nfunc Later(ctx context.Context) error {\n\tgo func() { <-ctx.Done() }()\n\treturn nil\n}\n",
}
