package report

import (
	"html/template"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

func TestHTML(t *testing.T) {
	s := sample(t)
	got := s.format("html")
	for _, want := range []string{
		"<title>goroutinefix: 3 findings</title>",
		"send on `ch` blocks | &lt;b&gt;forever&lt;/b&gt;: @octocat, #12",
		`<td class="gone">	<i class="c">/* 𝄞ü */</i> ch := make(<i class="k">chan</i> int)</td>`,
		`<td class="added">	<i class="c">/* 𝄞ü */</i> ch := make(<i class="k">chan</i> int, <i class="n">1</i>)</td>`,
		`<li>the channel is made here <code class="dim">pkg/größe, 1%.go:4:21</code>`,
		"<p>Nobody is left who could receive.</p>",
		`<option value="Timeout">Timeout (1)</option>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %s", want)
		}
	}
	if strings.Contains(got, "<b>forever") || strings.Contains(got, "http://") || regexp.MustCompile(`(src|href)="[^#]`).MatchString(got) {
		t.Error("something is not escaped, or comes from elsewhere")
	}
	if n := strings.Count(got, "<article "); n != len(s.run.Findings) {
		t.Errorf("%d findings on the page", n)
	}
	if n := strings.Count(render(t, "html", all, Options{Dir: wd}), "<article "); n != len(all.Findings) {
		t.Errorf("%d findings on the page", n)
	}
}

// TestHTMLLimit has more findings than get a diff.
func TestHTMLLimit(t *testing.T) {
	s := sample(t)
	for i := range maxPageDiffs {
		f := s.run.Findings[0]
		f.Place.Line += i
		s.run.Findings = append(s.run.Findings, f)
	}
	got := s.format("html")
	if n, diffs := strings.Count(got, "<article "), strings.Count(got, `<table class="diff">`); n != maxPageDiffs+3 || diffs != maxPageDiffs {
		t.Errorf("%d findings, %d diffs", n, diffs)
	}
	if !strings.Contains(got, "The page shows the first 2000 diffs only") {
		t.Error("does not say that it leaves diffs out")
	}
}

func TestHighlight(t *testing.T) {
	tests := []struct {
		src  string
		want []template.HTML
	}{
		{"", []template.HTML{""}},
		{"func F() // <x>\r\n", []template.HTML{`<i class="k">func</i> F() <i class="c">// &lt;x&gt;</i>`, ""}},
		{"a := `b\r\nc` + '\\''\n", []template.HTML{"a := <i class=\"s\">`b</i>", `<i class="s">c` + "`</i> + <i class=\"s\">&#39;\\&#39;&#39;</i>", ""}},
		{"/* a\n\nb */ x", []template.HTML{`<i class="c">/* a</i>`, "", `<i class="c">b */</i> x`}},
		{"\"open\nx & 1", []template.HTML{`<i class="s">&#34;open</i>`, `x &amp; <i class="n">1</i>`}},
		{"ü\xff \x00 if", []template.HTML{"ü\\xff \\x00 <i class=\"k\">if</i>"}},
	}
	for _, tt := range tests {
		got := highlighted([]byte(tt.src))
		if len(got) != len(tt.want) {
			t.Errorf("%q: %q", tt.src, got)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%q: line %d is %q, want %q", tt.src, i+1, got[i], tt.want[i])
			}
		}
	}
}

// TestHTMLInBrowser opens the page, as it is and filtered by its address.
func TestHTMLInBrowser(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("needs chromium")
	}
	s := sample(t)
	s.run.Findings[0].Applicability, s.run.Findings[0].Status = finding.Unsafe, finding.UnsafeHidden
	page := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(page, []byte(s.format("html")), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		hash, shown     string
		visible, hidden int
	}{
		{"", "3 of 3 shown", 3, 0},
		{"#rule=blockingsend&safety=unsafe", "1 of 3 shown", 1, 2},
		{"#category=Timeout&safety=unsafe", "0 of 3 shown", 0, 3},
	}
	article := regexp.MustCompile(`<article [^>]*>`)
	for _, tt := range tests {
		dom := dump(t, browser, "file://"+filepath.ToSlash(page)+tt.hash)
		visible, hidden := 0, 0
		for _, a := range article.FindAllString(dom, -1) {
			if strings.Contains(a, ` hidden=""`) {
				hidden++
			} else {
				visible++
			}
		}
		if !strings.Contains(dom, ">"+tt.shown+"</output>") || visible != tt.visible || hidden != tt.hidden {
			t.Errorf("%s: %d visible, %d hidden, want %d, %d and %q", tt.hash, visible, hidden, tt.visible, tt.hidden, tt.shown)
		}
	}
}

// dump returns what a browser makes of a page.
func dump(t *testing.T, browser, url string) string {
	t.Helper()
	cmd := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(), "--dump-dom", url)
	cmd.WaitDelay = 10 * time.Second
	timer := time.AfterFunc(3*time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("needs a browser that starts: %s: %v", browser, err)
	}
	return string(out)
}
