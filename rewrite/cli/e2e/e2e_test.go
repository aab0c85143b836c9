// Package e2e_test runs the program as its users do: the one that "go build" makes of
// main.go, on modules of their own.
package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

// root is the directory of the module.
var root = filepath.Join("..", "..", "..")

func TestMain(m *testing.M) {
	testscript.Main(built{m}, map[string]func(){"goroutinefix-panics": withPanics})
}

// built are the tests of the program, which is built first.
type built struct{ tests *testing.M }

// Run builds the program where scripts and tests find their commands, which is first
// in PATH, and runs the tests.
func (b built) Run() int {
	bin := filepath.Join(filepath.SplitList(os.Getenv("PATH"))[0], "goroutinefix")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", bin, ".")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build goroutinefix: %v\n%s", err, out)
		return 1
	}
	return b.tests.Run()
}

// TestScripts runs the program as its users do. Scripts find goroutinefix,
// the go command and git, see no network and none of the user's configuration.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Abs(filepath.Join(root, "scripts"))
	if err != nil {
		t.Fatal(err)
	}
	env := goEnv(t, "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOROOT")
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(append(e.Vars, env...), memo(t, e.WorkDir)...)
			e.Vars = append(e.Vars,
				// Where goroutinefix is, for a PATH without anything else.
				"BIN="+filepath.SplitList(os.Getenv("PATH"))[0],
				"SCRIPTS="+scripts,
				"GOPROXY=off", "GOTOOLCHAIN=local", "GOENV=off", "GOWORK=",
				// Each script starts with an empty cache, and leaves nothing behind.
				"HOME="+filepath.Join(e.WorkDir, ".home"), "XDG_CACHE_HOME="+filepath.Join(e.WorkDir, ".home", "cache"),
				"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull,
				"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com",
				"GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com",
				// Above the work directory there may be a repository.
				"GIT_CEILING_DIRECTORIES="+filepath.Dir(e.WorkDir))
			return nil
		},
		// What is after it is part of the long form.
		Condition: func(cond string) (bool, error) {
			if cond != "long" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return longform.Wanted(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"adds":     adds,
			"exits":    exits,
			"generate": generate,
			"mangle":   mangle,
			"rename":   rename,
		},
	})
}

// memo returns the variables with which programs that work on dir find a go command
// that remembers what it was asked, see its source, and that need not build again
// elsewhere what it has built in another directory. In the long form it is the real
// one.
func memo(t *testing.T, dir string) []string {
	t.Helper()
	if longform.Wanted() {
		return nil
	}
	made, err := gomemo()
	if err != nil {
		t.Fatal(err)
	}
	return append(made, "GOMEMO_WORK="+dir)
}

// gomemo builds it, beside the program, which is removed after the tests.
var gomemo = sync.OnceValues(func() ([]string, error) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return nil, err
	}
	bin, err := exec.LookPath("goroutinefix")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(filepath.Dir(bin), "memo")
	store := filepath.Join(dir, "answers")
	if err := os.MkdirAll(store, 0o777); err != nil {
		return nil, err
	}
	cmd := exec.Command(goCommand, "build", "-o", filepath.Join(dir, filepath.Base(goCommand)), ".")
	cmd.Dir = filepath.Join("testdata", "gomemo")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build gomemo: %w\n%s", err, out)
	}
	flags, err := exec.Command(goCommand, "env", "GOFLAGS").Output()
	if err != nil {
		return nil, err
	}
	path := "PATH=" + dir + string(filepath.ListSeparator) + os.Getenv("PATH")
	return []string{"GOMEMO_GO=" + goCommand, "GOMEMO_STORE=" + store, path,
		"GOFLAGS=" + strings.TrimSpace(strings.TrimSpace(string(flags))+" -trimpath")}[:4:4], nil
})

// program returns the path of the program, for go commands to call.
func program(t *testing.T) string {
	t.Helper()
	bin, err := exec.LookPath("goroutinefix")
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// exits runs a command and checks its exit code: "exits 2 goroutinefix ./...".
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%s: %v", strings.Join(args[1:], " "), err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// rename moves a file to a name written as a Go string without its quotes, for
// names that a script cannot hold.
func rename(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: rename file name")
	}
	name, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.Rename(ts.MkAbs(args[0]), ts.MkAbs(name)))
}

// goEnv returns NAME=VALUE for variables of the go command: scripts have
// another home directory, from which they would be derived.
func goEnv(t *testing.T, names ...string) []string {
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	values := strings.Split(string(out), "\n")
	var env []string
	for i, n := range names {
		env = append(env, n+"="+strings.TrimSuffix(values[i], "\r"))
	}
	return env
}
