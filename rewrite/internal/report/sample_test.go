package report

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

const blocking = `package pkg

func Fetch(stop chan bool) int {
	/* 𝄞ü */ ch := make(chan int)
	go func() {
		ch <- 1
	}()
	select {
	case v := <-ch:
		return v
	case <-stop:
		return 0
	}
}

func Get(u string) (*Response, error) {
	resp, err := get(u)
	if err != nil {
		return nil, err
	}
	return nil, read(resp)
}
`

var pages = []Rule{
	{"bodyclose", "Bodies that are not closed.\n\n# Why it leaks\n\nThe connection stays,\nand two goroutines (*T).\n\n# Example\n\n\t resp := get()\n\t+defer resp.Body.Close()\n\n# Fix safety\n\nClosing twice is harmless.\n"},
	{"blockingsend", "Sends that block for ever.\n\n# Why it leaks\n\nNobody is left who could receive.\n\n# Fix safety\n\nThe send returns at once.\n"},
}

// tree is a directory with a package, on which findings tell of real text.
type tree struct {
	t   *testing.T
	dir string
	run Run
}

// sample returns a tree with two rules in one file, one of them also in a test
// with CRLF, whose names and messages are as odd as can be.
func sample(t *testing.T) *tree {
	t.Helper()
	s := &tree{t: t, dir: t.TempDir(), run: Run{Packages: 1}}
	odd := "pkg/größe, 1%.go"
	s.write(odd, blocking)
	s.write("pkg/b_test.go", strings.ReplaceAll(blocking, "\n", "\r\n"))
	s.add("blockingsend", odd, "Fetch", "ch <- 1", "send on `ch` blocks | <b>forever</b>: @octocat, #12", "make(chan int)", "make(chan int, 1)", "Buffer ch so the sender cannot block")
	f := &s.run.Findings[0]
	f.Category = "Timeout"
	f.Related = []finding.Related{
		{Place: s.place(odd, "make(chan int)"), Message: "the channel is made here"},
		{Place: s.place(odd, "go func"), Message: "the goroutine starts here"},
		{Place: s.place(odd, "return 0"), Message: "the receiver returns here"},
	}
	s.add("bodyclose", odd, "Get", "get(u)", "resp.Body is never closed", "\treturn nil, read", "\tdefer resp.Body.Close()\n\treturn nil, read", "Defer closing the response body")
	s.add("blockingsend", "pkg/b_test.go", "Fetch", "ch <- 1", "send on ch blocks forever", "make(chan int)", "make(chan int, 1)", "Buffer ch so the sender cannot block")
	s.finish()
	return s
}

func (s *tree) write(name, text string) {
	s.t.Helper()
	path := s.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *tree) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// place returns where text stands in a file.
func (s *tree) place(name, text string) finding.Place {
	s.t.Helper()
	src, err := os.ReadFile(s.path(name))
	i := bytes.Index(src, []byte(text))
	if err != nil || i < 0 {
		s.t.Fatalf("no %q in %s: %v", text, name, err)
	}
	before := src[:i]
	p := finding.Place{Path: s.path(name), Line: bytes.Count(before, []byte("\n")) + 1, Offset: i, EndOffset: i + len(text)}
	p.Column = i - bytes.LastIndexByte(before, '\n')
	p.EndLine, p.EndColumn = p.Line, p.Column+len(text)
	return p
}

// add adds a finding at one text whose fix replaces another one.
func (s *tree) add(rule, name, function, at, message, old, replacement, fix string) {
	e := s.place(name, old)
	s.run.Findings = append(s.run.Findings, finding.Finding{
		Rule: rule, Package: "m/pkg", Function: function, Place: s.place(name, at), Message: message,
		Applicability: finding.Safe, Outcome: finding.Outcome{Status: finding.Fixable},
		Fix: &finding.Fix{Message: fix, Edits: []finding.Edit{{Path: e.Path, Start: e.Offset, End: e.EndOffset, New: replacement}}},
	})
}

// finish sorts the findings and plans the changes.
func (s *tree) finish() {
	s.t.Helper()
	finding.Sort(s.run.Findings)
	s.run.Changes = nil
	changes := map[string]*finding.FileChange{}
	edits := map[string][]finding.Edit{}
	for _, f := range s.run.Findings {
		if f.Status != finding.Fixable {
			continue
		}
		c := changes[f.Place.Path]
		if c == nil {
			old, err := os.ReadFile(f.Place.Path)
			if err != nil {
				s.t.Fatal(err)
			}
			c = &finding.FileChange{Path: f.Place.Path, Old: old, Package: f.Package}
			changes[f.Place.Path] = c
		}
		c.Findings = append(c.Findings, f)
		edits[c.Path] = append(edits[c.Path], f.Fix.Edits...)
	}
	for path, c := range changes {
		var ok bool
		if c.New, ok = applied(c.Old, edits[path]); !ok {
			s.t.Fatal("the edits of the sample do not fit")
		}
		s.run.Changes = append(s.run.Changes, *c)
	}
}

func (s *tree) options() Options {
	return Options{Dir: s.dir, Rules: pages, Version: "v1.2.3"}
}

func (s *tree) format(name string) string { return render(s.t, name, s.run, s.options()) }

func render(t *testing.T, name string, run Run, opt Options) string {
	t.Helper()
	var buf bytes.Buffer
	if err := Format(name)(&buf, run, opt); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return buf.String()
}

// many returns n findings whose files do not exist, of all kinds.
func many(n int) Run {
	run := Run{Packages: 3}
	for i := range n {
		f := finding.Finding{
			Rule: pages[i%2].Name, Package: "m/pkg", Function: "F", Place: place(fmt.Sprintf("pkg/x%d.go", i%7), i+1),
			Message: "m", Applicability: finding.Safe, Outcome: finding.Outcome{Status: statuses[i%len(statuses)]},
		}
		if i%3 == 0 {
			f.Place = place("pkg/x_test.go", i+1)
		}
		run.Findings = append(run.Findings, f)
	}
	finding.Sort(run.Findings)
	return run
}

// TestEveryFormat holds what is asked of each format for machines.
func TestEveryFormat(t *testing.T) {
	s := sample(t)
	failed := Run{Err: errors.New("no go.mod\nin 100% of /tmp/\x1b[31m"), Skipped: all.Skipped}
	for _, name := range Formats() {
		t.Run(name, func(t *testing.T) {
			for _, run := range []Run{s.run, all, many(300), {}, failed} {
				opt := s.options()
				first, again := render(t, name, run, opt), render(t, name, run, opt)
				if first != again {
					t.Error("two runs differ")
				}
				opt.Color = true
				if Machine(name) && render(t, name, run, opt) != first {
					t.Error("colour in a format for machines")
				}
				if strings.Contains(first, "\x1b") {
					t.Errorf("an escape of a terminal in\n%s", first)
				}
				if !Accounts(name) {
					continue
				}
				for _, p := range problems(run) {
					if word := strings.Fields(p)[0]; !strings.Contains(first, word) {
						t.Errorf("does not tell of %q:\n%s", p, first)
					}
				}
			}
		})
	}
}
