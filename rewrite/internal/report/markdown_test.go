package report

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

func TestMarkdown(t *testing.T) {
	s := sample(t)
	got := s.format("markdown")
	for _, want := range []string{
		"# Fix 3 goroutine leaks\n\n3 findings in 1 package: 3 fixable.\n",
		"\n## blockingsend\n\nSends that block for ever.\n\n**Why it leaks.** Nobody is left who could receive.\n",
		"\n<details><summary>Fix safety</summary>\n\nThe send returns at once.\n\n</details>\n",
		"\n### `pkg/größe, 1%.go:6` in `Fetch`\n\nsend on \\`ch\\` blocks \\| &lt;b&gt;forever&lt;/b&gt;: @<!-- -->octocat, #<!-- -->12.\n",
		"\n1. `pkg/größe, 1%.go:4` the channel is made here: `/* 𝄞ü */ ch := make(chan int)`\n2. `pkg/größe, 1%.go:5` the goroutine starts here: `go func() {`\n" +
			"3. `pkg/größe, 1%.go:6` **reported here**: `ch <- 1`\n4. `pkg/größe, 1%.go:12` the receiver returns here: `return 0`\n",
		"\n**Fix** (safe): Buffer ch so the sender cannot block.\n",
		"\n<details><summary>Diff</summary>\n\n```diff\n@@ -1,7 +1,7 @@\n package pkg\n \n func Fetch(stop chan bool) int {\n-\t/* 𝄞ü */ ch := make(chan int)\n+\t/* 𝄞ü */ ch := make(chan int, 1)\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks\n%s\ngot\n%s", want, got)
		}
	}
	if strings.Contains(got, "Not changed here") {
		t.Error("a table without rows")
	}
	if strings.Index(got, "## bodyclose") > strings.Index(got, "## blockingsend") {
		t.Error("rules are not in their order")
	}

	// Without changes nothing is said to be fixed.
	s.run.Changes = nil
	got = s.format("markdown")
	if !strings.HasPrefix(got, "# Goroutine leaks: 3 findings\n") || strings.Contains(got, "**Fix**") || strings.Count(got, "\n| `") != 3 {
		t.Errorf("got\n%s", got)
	}
	got = render(t, "markdown", Run{Err: fmt.Errorf("no <go.mod>")}, Options{Dir: wd})
	if got != "# Goroutine leaks: the analysis is incomplete\n\n**Incomplete:**\n\n- no &lt;go.mod&gt;\n" {
		t.Errorf("got\n%s", got)
	}
}

// TestMarkdownUnsafe has a fix that was asked for with -unsafe.
func TestMarkdownUnsafe(t *testing.T) {
	s := sample(t)
	s.run.Findings[1].Applicability = finding.Unsafe
	s.finish()
	if got := s.format("markdown"); !strings.Contains(got, "**Fix** (unsafe): ") || !strings.Contains(got, "please look at it") {
		t.Errorf("got\n%s", got)
	}
}

var moreLine = regexp.MustCompile(`(?m)^and (\d+) more`)

// TestMarkdownLimit checks that a text of any size is one that GitHub takes,
// and that it accounts for every finding.
func TestMarkdownLimit(t *testing.T) {
	for _, n := range []int{5, 300, 3000} {
		s := sample(t)
		for i := range n {
			f := s.run.Findings[i%2]
			f.Place.Line += i
			if i%5 == 0 {
				f.Status, f.Reason = finding.NoFix, "r"
			}
			s.run.Findings = append(s.run.Findings, f)
		}
		got := s.format("markdown")
		if len(got) > 65536 {
			t.Errorf("%d findings: %d bytes", n, len(got))
		}
		more := 0
		if m := moreLine.FindStringSubmatch(got); m != nil {
			fmt.Sscan(m[1], &more)
		}
		if sum := strings.Count(got, "\n### ") + strings.Count(got, "\n| `") + more; sum != len(s.run.Findings) {
			t.Errorf("accounts for %d findings, want %d:\n%s", sum, len(s.run.Findings), got[len(got)-300:])
		}
		if n == 3000 && more == 0 || n == 5 && more > 0 {
			t.Errorf("%d findings: %d more", n, more)
		}
		if strings.Count(got, "<details>") != strings.Count(got, "</details>") || strings.Count(got, "\n```")%2 != 0 {
			t.Error("something was left open")
		}
	}
	var run Run
	for i := range 5000 {
		run.Skipped = append(run.Skipped, finding.Skipped{Package: fmt.Sprint("example.com/package/", i), Reason: strings.Repeat("long ", 20)})
	}
	if got := render(t, "markdown", run, Options{Dir: wd}); len(got) > 65536 || !strings.Contains(got, "- and ") {
		t.Errorf("%d bytes", len(got))
	}
}

func TestMarkdownEscapes(t *testing.T) {
	tests := []struct{ in, text, code string }{
		{"a_b*c", `a\_b\*c`, "`a_b*c`"},
		{"x\ny", "x y", "`x y`"},
		{"`a``b", "\\`a\\`\\`b", "``` `a``b ```"},
		{"see https://x.y/a_b#c.", "see https://x.y/a_b#c.", "`see https://x.y/a_b#c.`"},
		{"user@host a @ b", "user@<!-- -->host a @ b", "`user@host a @ b`"},
		{"<!-- & -->", "&lt;!-- &amp; --&gt;", "`<!-- & -->`"},
		{"[a](b)", `\[a\](b)`, "`[a](b)`"},
		{`a\b`, `a\\b`, "`a\\b`"},
		// What starts a heading, a list or a line, and an address with markup.
		{"# a", `\# a`, "`# a`"},
		{"- a", `\- a`, "`- a`"},
		{"+ a", `\+ a`, "`+ a`"},
		{"12. a", `12\. a`, "`12. a`"},
		{"3) a", `3\) a`, "`3) a`"},
		{"--- a", `\--- a`, "`--- a`"},
		{"https://x/[a](b) | c", `https://x/\[a\](b) \| c`, "`https://x/[a](b) | c`"},
		{"", "", ""},
	}
	for _, tt := range tests {
		if got := mdText(tt.in); got != tt.text {
			t.Errorf("mdText(%q) = %q, want %q", tt.in, got, tt.text)
		}
		if got := mdCode(tt.in); got != tt.code {
			t.Errorf("mdCode(%q) = %q, want %q", tt.in, got, tt.code)
		}
	}
	if got := mdCell(mdText("a|b") + mdCode("c|d")); got != "a\\|b`c\\|d`" {
		t.Errorf("cell %s", got)
	}
	if got := mdFence("diff", "a ```` b"); got != "`````diff\na ```` b\n`````\n" {
		t.Errorf("fence %q", got)
	}
}
