//go:build unix

package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

// TestReadme runs what the README shows of a terminal, each block in a fresh
// clone of a repository that has fixtures/stock in it.
func TestReadme(t *testing.T) {
	longform.Only(t, "each block of the README in a clone")
	for _, need := range []string{"bash", "git"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Fatalf("the README runs in a shell, on a repository: %v", err)
		}
	}
	blocks := regexp.MustCompile("(?ms)^```(diff|console)\n(.*?)^```$").FindAllStringSubmatch(read(t, filepath.Join(root, "README.md")), -1)
	kinds := map[string]int{}
	for _, b := range blocks {
		kind, text := b[1], b[2]
		kinds[kind]++
		if kind == "console" && kinds[kind] > 1 && !longform.Wanted() {
			continue // one of them runs go vet, which reads all that the module depends on
		}
		dir := shop(t)
		if kind == "diff" {
			if got := bash(t, dir, "goroutinefix -q ./..."); got != text {
				t.Errorf("the diff is now\n%s", got)
			}
			demonstrates(t, text)
			continue
		}
		got := ""
		for _, command := range regexp.MustCompile(`(?m)^\$ .*\n`).FindAllString(text, -1) {
			got += command + bash(t, dir, strings.TrimPrefix(command, "$ "))
		}
		if strings.Contains(text, "go vet") {
			got, text = sorted(got), sorted(text) // it prints the analyzers in any order
		}
		if got != text {
			t.Errorf("the terminal shows\n%s\nthe README\n%s", got, text)
		}
	}
	config := regexp.MustCompile("(?ms)^```yaml\n(skip:.*?)^```$").FindStringSubmatch(read(t, filepath.Join(root, "README.md")))
	if config == nil {
		t.Fatal("no configuration")
	}
	dir := shop(t)
	if err := os.WriteFile(filepath.Join(dir, ".goroutinefix.yaml"), []byte(config[1]), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := bash(t, dir, "goroutinefix config verify"); !strings.HasSuffix(got, ": ok\n") {
		t.Errorf("the configuration: %s", got)
	}
	if kinds["diff"] != 1 || kinds["console"] < 6 {
		t.Errorf("blocks: %v", kinds)
	}
}

// demonstrates wants the first command of the README to show the same diff of the
// file in this repository.
func demonstrates(t *testing.T, diff string) {
	m := regexp.MustCompile(`(?m)^go run \. (-C fixtures \./\S+) `).FindStringSubmatch(read(t, filepath.Join(root, "README.md")))
	if m == nil {
		t.Fatal("no command to try")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	got := bash(t, root, "goroutinefix -q "+m[1])
	if got = strings.ReplaceAll(got, "fixtures/stock/", "stock/"); got != diff {
		t.Errorf("goroutinefix -q %s shows\n%s", m[1], got)
	}
}

func sorted(text string) string {
	return strings.Join(slices.Sorted(strings.Lines(text)), "")
}

// shop returns a repository in which a branch has left origin/main.
func shop(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range map[string]string{
		"go.mod":         "module example.com/shop\n\ngo 1.26\n",
		"stock/stock.go": read(t, filepath.Join(root, "fixtures", "stock", "stock.go")),
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	bash(t, dir, `git init -q && git add . && git commit -qm base && git update-ref refs/remotes/origin/main HEAD &&
		echo 'A shop.' >README && git add . && git commit -qm readme`)
	return dir
}

// bash returns what a command shows on a terminal, whatever its exit code.
func bash(t *testing.T, dir, command string) string {
	t.Helper()
	cmd := exec.Command("bash", "--noprofile", "--norc", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "XDG_CACHE_HOME="+t.TempDir(),
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com")
	cmd.Env = append(append(cmd.Env, goEnv(t, "GOCACHE", "GOMODCACHE")...), memo(t, dir)...)
	out, err := cmd.CombinedOutput()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return string(out)
}
