//go:build unix

package e2e_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
	"go.yaml.in/yaml/v3"
)

// action is what action.yml says, as far as a runner needs it here.
type action struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Using string
		Steps []struct {
			Name, If, Uses, Shell, Run string
			Env, With                  map[string]string
		}
	}
}

const actionLeak = `package a

import "net/http"

// Status returns the status of url.
func Status(url string) (int, error) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}
`

// TestAction runs the steps of action.yml as GitHub's runner does, but for the
// installation and for other people's actions, which it only takes down.
func TestAction(t *testing.T) {
	longform.Only(t, "the action in all its modes")
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatalf("the action runs in bash: %v", err)
	}
	tests := []struct {
		mode     string
		packages string
		uses     string
		code     int
		file     string // what a step leaves, and
		holds    string // what is in it or printed
	}{
		{"check", "", "", 1, "", "::warning file=a/a.go,line=7,endLine=7,col=15,endColumn=28,title=bodyclose (safe fix)::resp.Body is never closed"},
		{"check", "./b", "", 0, "", "no findings in 1 package"},
		{"check", "./none", "", 2, "", "::error title=goroutinefix::"},
		{"suggest", "", "reviewdog/action-setup@v1", 0, "reviewdog.stdin", `"suggestions":[{"range":{"start":{"line":11},"end":{"line":11}},"text":"\tdefer resp.Body.Close()\n\treturn resp.StatusCode, nil"}]`},
		{"sarif", "", "github/codeql-action/upload-sarif@v4", 0, "goroutinefix.sarif", `"ruleId":"bodyclose"`},
		{"sarif", "./none", "github/codeql-action/upload-sarif@v4", 2, "goroutinefix.sarif", `"executionSuccessful":false`},
	}
	for _, tt := range tests {
		t.Run(tt.mode+tt.packages, func(t *testing.T) {
			r := newRunner(t, bash, map[string]string{"mode": tt.mode, "packages": tt.packages, "version": "v1.2.3"})
			code, out := r.steps()
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if got := strings.Join(r.uses, " "); got != tt.uses {
				t.Errorf("uses %q, want %q", got, tt.uses)
			}
			if tt.file != "" {
				out = read(t, filepath.Join(r.dir, tt.file))
			}
			if !strings.Contains(out, tt.holds) {
				t.Errorf("lacks %s:\n%s", tt.holds, out)
			}
			if got := read(t, filepath.Join(r.dir, "installed")); got != "install github.com/goroutinefix/goroutinefix@v1.2.3\n" {
				t.Errorf("go %s", got)
			}
		})
	}
}

// runner is a job of GitHub Actions whose work directory is a repository.
type runner struct {
	t         *testing.T
	bash, dir string
	action    action
	inputs    map[string]string
	env       []string
	uses      []string // actions that were called
}

func newRunner(t *testing.T, bash string, inputs map[string]string) *runner {
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{t: t, bash: bash, dir: t.TempDir(), inputs: inputs}
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(root, "action.yml"))), &r.action); err != nil {
		t.Fatal(err)
	}
	for name, in := range r.action.Inputs {
		if inputs[name] == "" {
			inputs[name] = in.Default
		}
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	self, err := exec.LookPath("goroutinefix")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(r.dir, "go.mod"):  "module example.com/m\n\ngo 1.26\n",
		filepath.Join(r.dir, "a/a.go"):  actionLeak,
		filepath.Join(r.dir, "b/b.go"):  "package b\n",
		filepath.Join(bin, "go"):        "#!/bin/sh\nif [ \"$1\" = install ]; then echo \"$@\" >installed; exit; fi\nexec " + goCommand + " \"$@\"\n",
		filepath.Join(bin, "reviewdog"): "#!/bin/sh\ncat >reviewdog.stdin\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	r.env = append(os.Environ(), goEnv(t, "GOCACHE", "GOMODCACHE")...)
	r.env = append(r.env, "GOPATH="+t.TempDir(), "GITHUB_ACTION_PATH="+root, "GITHUB_STEP_SUMMARY="+filepath.Join(bin, "summary"),
		"PATH="+bin+string(filepath.ListSeparator)+filepath.Dir(self)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return r
}

var (
	expression = regexp.MustCompile(`\$\{\{ *([a-z.-]+) *\}\}`)
	modeIs     = regexp.MustCompile(`inputs\.mode == '([a-z]+)'`)
)

// steps runs the steps and returns the exit code of the job and what they print.
func (r *runner) steps() (code int, out string) {
	for _, s := range r.action.Runs.Steps {
		if m := modeIs.FindStringSubmatch(s.If); s.If != "" && (m == nil || m[1] != r.inputs["mode"]) {
			continue
		}
		if code != 0 && !strings.Contains(s.If, "!cancelled()") {
			continue
		}
		if s.Uses != "" {
			r.uses = append(r.uses, s.Uses)
			if f, ok := s.With["sarif_file"]; ok {
				read(r.t, filepath.Join(r.dir, f))
			}
			continue
		}
		if s.Shell != "bash" {
			r.t.Fatalf("step %q: shell %q", s.Name, s.Shell)
		}
		cmd := exec.Command(r.bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		cmd.Dir, cmd.Env = r.dir, slices.Clone(r.env)
		for name, value := range s.Env {
			value = expression.ReplaceAllStringFunc(value, func(e string) string {
				return r.inputs[strings.TrimPrefix(expression.FindStringSubmatch(e)[1], "inputs.")]
			})
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		text, err := cmd.CombinedOutput()
		out += string(text)
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			code = exit.ExitCode()
		} else if err != nil {
			r.t.Fatal(err)
		}
	}
	return code, out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
