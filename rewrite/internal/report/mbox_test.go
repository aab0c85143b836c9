package report

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// git runs git in a directory, without the user's configuration.
func git(t *testing.T, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s\ninput:\n%s", strings.Join(args, " "), err, out, stdin)
	}
	return string(out)
}

// commit puts the sample into a new repository.
func (s *tree) commit() {
	s.t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		s.t.Skip("needs git")
	}
	s.t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	s.t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for _, k := range []string{"AUTHOR", "COMMITTER"} {
		s.t.Setenv("GIT_"+k+"_NAME", `Ö. Test`)
		s.t.Setenv("GIT_"+k+"_EMAIL", "t@example.com")
	}
	git(s.t, s.dir, "", "init", "-q")
	git(s.t, s.dir, "", "add", ".")
	git(s.t, s.dir, "", "commit", "-q", "-m", "base")
}

// am applies the series with git am, checks that the last state is the one
// that was planned, and returns the messages, the last commit first.
func (s *tree) am(flags ...string) []string {
	s.t.Helper()
	git(s.t, s.dir, s.format("mbox"), append([]string{"am", "-q"}, flags...)...)
	for _, c := range s.run.Changes {
		if got, err := os.ReadFile(c.Path); err != nil || !bytes.Equal(got, c.New) {
			s.t.Errorf("%s holds %v\n%q\nwant\n%q", c.Path, err, got, c.New)
		}
	}
	messages := strings.Split(git(s.t, s.dir, "", "log", "--format=%an <%ae>%n%B%x00", "HEAD"), "\x00\n")
	messages = messages[:len(messages)-2] // the base, and nothing after it
	for _, m := range messages {
		lines := strings.Split(m, "\n")
		if lines[0] != `Ö. Test <t@example.com>` {
			s.t.Errorf("author %s", lines[0])
		}
		if n := utf8.RuneCountInString(lines[1]); n > maxSubject || n == 0 || lines[2] != "" {
			s.t.Errorf("subject %q, then %q", lines[1], lines[2])
		}
	}
	return messages
}

func TestMbox(t *testing.T) {
	s := sample(t)
	s.commit()
	messages := s.am()
	if len(messages) != 2 {
		t.Fatalf("%d commits", len(messages))
	}
	// The rules come in their order; log shows the last one first.
	const body = `Ö. Test <t@example.com>
pkg: defer closing the response body

The connection stays,
and two goroutines (*T).

* pkg/größe, 1%.go:17: resp.Body is never closed (bodyclose)
  Defer closing the response body (safe)

Lines are those before this series. "goroutinefix explain bodyclose"
says why the fix can be trusted.
`
	if messages[1] != body {
		t.Errorf("got\n%s\nwant\n%s", messages[1], body)
	}
	if want := "pkg: buffer ch so the sender cannot block\n\nNobody is left who could receive.\n\n* pkg/b_test.go:6: send on ch"; !strings.Contains(messages[0], want) {
		t.Errorf("got\n%s", messages[0])
	}
	if want := "\n  line 4: the channel is made here\n  line 5: the goroutine starts here\n"; !strings.Contains(messages[0], want) {
		t.Errorf("got\n%s", messages[0])
	}
	// Between the two, only the first rule's fix is there.
	middle := git(t, s.dir, "", "show", "HEAD~:./pkg/größe, 1%.go")
	if !strings.Contains(middle, "defer resp.Body.Close()") || strings.Contains(middle, "make(chan int, 1)") {
		t.Errorf("in the middle there is\n%s", middle)
	}
}

// TestMboxMoved applies a commit where lines have moved since.
func TestMboxMoved(t *testing.T) {
	s := sample(t)
	for i := range s.run.Findings {
		s.run.Findings[i].Function = "Both"
	}
	s.finish()
	s.commit()
	doc := s.format("mbox")
	s.write("pkg/größe, 1%.go", "// Package pkg has a comment now.\n"+blocking)
	git(t, s.dir, "", "commit", "-q", "-am", "move")
	git(t, s.dir, doc, "am", "-q", "--3way")
	got, err := os.ReadFile(s.path("pkg/größe, 1%.go"))
	if err != nil || !bytes.HasPrefix(got, []byte("// Package pkg")) || !bytes.Contains(got, []byte("make(chan int, 1)")) {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestMboxTogether has two rules in one function, which cannot be told apart.
func TestMboxTogether(t *testing.T) {
	s := sample(t)
	for i := range s.run.Findings {
		s.run.Findings[i].Function = "Both"
	}
	s.finish()
	s.commit()
	messages := s.am()
	if len(messages) != 1 || !strings.Contains(messages[0], "\npkg: fix 3 goroutine leaks (bodyclose, blockingsend)\n") ||
		!strings.Contains(messages[0], "The connection stays,") || !strings.Contains(messages[0], "Nobody is left") {
		t.Errorf("got %q", messages)
	}
}

// TestMboxRecomputed has a change that is not the sum of its fixes, as when
// one was computed again on the result of another.
func TestMboxRecomputed(t *testing.T) {
	s := sample(t)
	for i := range s.run.Changes {
		c := &s.run.Changes[i]
		c.New = bytes.Replace(c.New, []byte("make(chan int, 1)"), []byte("make(chan int, 1+0)"), 1)
	}
	s.commit()
	if messages := s.am(); len(messages) != 1 {
		t.Errorf("got %q", messages)
	}
}

func TestMboxNothing(t *testing.T) {
	if got := render(t, "mbox", Run{Findings: all.Findings}, Options{Dir: wd}); got != "" {
		t.Errorf("got %s", got)
	}
}

func TestSubject(t *testing.T) {
	fix := func(message, path string) finding.Finding {
		return finding.Finding{Package: "example.com/m", Place: place(path, 1), Fix: &finding.Fix{Message: message}}
	}
	long := strings.Repeat("long/", 12) + "pkg/x.go"
	tests := []struct {
		fixed []finding.Finding
		want  string
	}{
		{[]finding.Finding{fix("Defer it", "a/b/x.go")}, "a/b: defer it"},
		{[]finding.Finding{fix("Defer it", "x.go")}, "m: defer it"},
		{[]finding.Finding{fix("Buffer it; the work goes on", "a/x.go")}, "a: buffer it"},
		{[]finding.Finding{fix("Defer it", "a/x.go"), fix("Defer it", "a/y.go")}, "a: defer it"},
		{[]finding.Finding{fix("Defer it", "a/x.go"), fix("Close it", "a/y.go")}, "a: fix 2 goroutine leaks (r)"},
		{[]finding.Finding{fix("Defer it", long)}, "pkg: defer it"},
		{[]finding.Finding{fix("Öffne "+strings.Repeat("ä ", 50), "a/x.go")}, "a: öffne" + strings.Repeat(" ä", 30) + "..."},
		{[]finding.Finding{{Package: "m", Place: place("a/x.go", 1)}}, "a: fix 1 goroutine leak (r)"},
	}
	for _, tt := range tests {
		got := subject([]string{"r"}, tt.fixed, Options{Dir: wd})
		if got != tt.want || utf8.RuneCountInString(got) > 72 {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
