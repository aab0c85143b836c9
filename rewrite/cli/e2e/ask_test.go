//go:build !windows

package e2e_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

const twoLeaks = `package m

import "net/http"

func one(url string) (int, error) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

func two(url string) (int, error) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}
`

// askFiles are the files of the module that TestAsk runs on.
func askFiles(t *testing.T) string {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26\n", "a.go": twoLeaks, "b/b.go": strings.Replace(twoLeaks, "package m", "package b", 1),
		// An editor that closes with a word to the log.
		"editor.sh": "sed -i 's/defer resp.Body.Close()/defer func() { println(\"closed\"); resp.Body.Close() }()/' \"$1\"\n",
		"break.sh":  "sed -i 's/defer resp.Body.Close()/defer nothing()/' \"$1\"\n",
		"undo.sh":   "sed -i '/defer resp.Body.Close()/d' \"$1\"\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestAsk types answers on a pseudo-terminal.
func TestAsk(t *testing.T) {
	bin := program(t)
	tests := []struct {
		name, answers string // a letter for each question
		editor        string
		fixed         string // a1, a2, b1, b2: the functions with a fix
		code          int
		says          string
		short         bool // in the short form, too
	}{
		{"all", "yyyy", "", "a1 a2 b1 b2", 0, "4 fixed", false},
		{"some", "ynny", "", "a1 b2", 1, "2 fixable, 2 fixed", false},
		{"none", "nnnn", "", "", 1, "4 fixable", false},
		{"file", "ad", "", "a1 a2", 1, "2 fixable, 2 fixed", false},
		{"quit", "yq", "", "a1", 1, "3 fixable, 1 fixed", false},
		{"end of input", "y\x04", "", "a1", 1, "1 fixed", false},
		{"interrupt", "y\x03", "", "", 2, "interrupted, nothing was written", true},
		{"help", "?xyq", "", "a1", 1, "q - quit", false},
		{"edit", "eynn", "editor.sh", "a1* a2", 1, "2 fixable, 2 fixed", true},
		{"edit that does not compile", "eyq", "break.sh", "a2", 1, "fix dropped, would not compile: the result does not compile: undefined: nothing", false},
		{"edit that undoes", "enq", "undo.sh", "", 1, "the file is as it was before the fix", false},
		{"edit that fails", "enq", "none.sh", "", 1, "edit: run sh ", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !tt.short {
				longform.Only(t, "one more dialogue")
			}
			t.Parallel()
			dir := askFiles(t)
			cmd := exec.Command(bin, "-i", "./...")
			cmd.Dir = dir
			cmd.Env = append(append(os.Environ(), memo(t, dir)...), "GIT_EDITOR=sh "+filepath.Join(dir, tt.editor), "TERM=xterm", "NO_COLOR=")
			tty, err := pty.Start(cmd)
			if err != nil {
				t.Fatal(err)
			}
			defer tty.Close()
			screen, code := converse(t, cmd, tty, tt.answers)
			if code != tt.code || !strings.Contains(screen, tt.says) {
				t.Errorf("exit code %d, want %d, and on the screen no %q:\n%s", code, tt.code, tt.says, screen)
			}
			if !strings.Contains(screen, "\x1b[32m+\tdefer resp.Body.Close()\x1b[m") || !strings.Contains(screen, "a.go:10:2: returns here without closing it") {
				t.Errorf("no hunk in colour, or no why:\n%s", screen)
			}
			if got := fixedFunctions(t, dir); got != tt.fixed {
				t.Errorf("fixed %q, want %q\n%s", got, tt.fixed, screen)
			}
		})
	}
}

// TestHostileCodeOnTerminal shows code that drives a terminal on one, without
// and with colours.
func TestHostileCodeOnTerminal(t *testing.T) {
	bin, dir := program(t), t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26\n",
		"a.go":   strings.ReplaceAll(twoLeaks, "return 0, err\n", "return 0, err // \x1b[2K\u202e\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tests := []string{"-i", "-d -color=never"} // none writes
	if longform.Wanted() {
		tests = append(tests, "-i -color=never", "-d")
	}
	for _, args := range tests {
		t.Run(args, func(t *testing.T) {
			cmd := exec.Command(bin, strings.Fields(args)...)
			cmd.Dir = dir
			cmd.Env = append(append(os.Environ(), memo(t, dir)...), "TERM=xterm", "NO_COLOR=")
			tty, err := pty.Start(cmd)
			if err != nil {
				t.Fatal(err)
			}
			defer tty.Close()
			answers := ""
			if strings.HasPrefix(args, "-i") {
				answers = "q"
			}
			screen, code := converse(t, cmd, tty, answers)
			if code != 1 || !strings.Contains(screen, `return 0, err // \x1b[2K\u202e`+"\r\n") {
				t.Errorf("exit code %d:\n%q", code, screen)
			}
		})
	}
}

// converse answers each question with one letter and returns all that was
// shown, and the exit code.
func converse(t *testing.T, cmd *exec.Cmd, tty *os.File, answers string) (screen string, code int) {
	timeout := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer timeout.Stop()
	var all, unread bytes.Buffer
	buf := make([]byte, 4096)
	for {
		n, err := tty.Read(buf)
		all.Write(buf[:n])
		unread.Write(buf[:n])
		if strings.HasSuffix(unread.String(), "[y,n,q,a,d,e,?]? ") {
			unread.Reset()
			if answers == "" {
				t.Errorf("one question too many:\n%s", all.String())
				_ = cmd.Process.Kill()
				break
			}
			answer := answers[:1] + "\n"
			if answers[0] < ' ' { // end of input, interrupt
				answer = answers[:1]
			}
			if _, err := io.WriteString(tty, answer); err != nil {
				t.Fatal(err)
			}
			answers = answers[1:]
		}
		if err != nil { // the program has ended
			break
		}
	}
	if answers != "" {
		t.Errorf("%q was not asked for", answers)
	}
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return all.String(), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return all.String(), 0
}

// fixedFunctions names the functions that have a fix, with * for an edited one.
func fixedFunctions(t *testing.T, dir string) string {
	var names []string
	for _, name := range []string{"a", "b"} {
		path := filepath.Join(dir, "a.go")
		if name == "b" {
			path = filepath.Join(dir, "b", "b.go")
		}
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, fn := range strings.Split(string(src), "\nfunc ")[1:] {
			switch {
			case strings.Contains(fn, "defer resp.Body.Close()"):
				names = append(names, name+string(rune('1'+i)))
			case strings.Contains(fn, "println"):
				names = append(names, name+string(rune('1'+i))+"*")
			}
		}
	}
	return strings.Join(names, " ")
}
