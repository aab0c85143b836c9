package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

var testRules = []rule.Rule{
	{Name: "bodyclose", Doc: "Finds bodies that are not closed.\n\n## What it does\n\nMore.\n"},
	{Name: "lostcancel", Doc: "Finds lost cancels.\n"},
}

// run runs the program on an engine that returns res and err.
func run(t *testing.T, res *rewrite.Result, err error, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	p := &program{
		IO:    IO{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errOut},
		rules: testRules,
		engine: func(context.Context, rewrite.Config) (*rewrite.Result, error) {
			return res, err
		},
	}
	code = p.main(t.Context())
	return code, out.String(), errOut.String()
}

// oneChange returns a directory with a file, and the result that changes it.
func oneChange(t *testing.T) (dir string, res *rewrite.Result) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, "a.go")
	if err := os.WriteFile(path, []byte("package a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := finding.Finding{
		Rule: "bodyclose", Package: "m", Message: "leaks", Applicability: finding.Safe, Outcome: finding.Outcome{Status: finding.Fixable},
		Place: finding.Place{Path: path, Line: 1, Column: 1},
	}
	return dir, &rewrite.Result{
		Packages: 1,
		Findings: []finding.Finding{f},
		Changes: []finding.FileChange{{
			Path: path, Package: "m", Old: []byte("package a\n"), New: []byte("package b\n"), Findings: []finding.Finding{f},
		}},
	}
}

func TestExitCodes(t *testing.T) {
	with := func(status finding.Status) *rewrite.Result {
		return &rewrite.Result{Packages: 1, Findings: []finding.Finding{{Rule: "lostcancel", Message: "m", Outcome: finding.Outcome{Status: status}, Applicability: finding.Unsafe}}}
	}
	tests := []struct {
		name   string
		res    *rewrite.Result
		err    error
		args   string
		code   int
		stderr string // a part of standard error; all of it when empty
	}{
		{"clean", &rewrite.Result{Packages: 1}, nil, "", 0, ""},
		{"clean write", &rewrite.Result{Packages: 1}, nil, "-w", 0, ""},
		{"no fix", with(finding.NoFix), nil, "", 1, "1 finding in 1 package: 1 without a fix\n"},
		{"no fix write", with(finding.NoFix), nil, "-w", 1, "without a fix"},
		{"unsafe hidden", with(finding.UnsafeHidden), nil, "", 1, "1 with an unsafe fix (lostcancel; use -unsafe)\n"},
		{"unsafe hidden write", with(finding.UnsafeHidden), nil, "-w", 1, "use -unsafe"},
		{"suppressed", with("suppressed"), nil, "", 0, "1 suppressed"},
		{"baselined write", with("baselined"), nil, "-w", 0, "1 baselined"},
		{"exit-zero", with(finding.NoFix), nil, "-exit-zero", 0, "1 without a fix"},
		{"quiet", with(finding.NoFix), nil, "-q", 1, ""},
		{"skipped", &rewrite.Result{Packages: 1, Skipped: []finding.Skipped{{Package: "p", Reason: "r"}}}, nil, "-exit-zero", 2, "skipped p: r\n0 findings in 1 package; incomplete: 1 skipped\n"},
		{"internal", &rewrite.Result{Packages: 1, Internal: []error{errors.New("rule x panicked")}}, nil, "", 2, "goroutinefix: rule x panicked\n0 findings in 1 package; incomplete\n"},
		{"internal quiet", &rewrite.Result{Packages: 1, Internal: []error{errors.New("rule x panicked")}}, nil, "-q", 2, "goroutinefix: rule x panicked\n"},
		{"failed", nil, errors.New("no go.mod"), "", 2, "goroutinefix: no go.mod\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := run(t, tt.res, tt.err, strings.Fields(tt.args)...)
			if code != tt.code || stdout != "" {
				t.Errorf("exit code %d, stdout %q; want %d and nothing", code, stdout, tt.code)
			}
			if tt.stderr == "" && stderr != "" || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("stderr %q, want %q", stderr, tt.stderr)
			}
			// A machine format says the same by its exit code, and is there always.
			code, stdout, _ = run(t, tt.res, tt.err, append(strings.Fields(tt.args), "-format=json")...)
			if code != tt.code || !strings.HasPrefix(stdout, `{"schema":1,`) || strings.Count(stdout, "\n") != 1 {
				t.Errorf("json: exit code %d, want %d; stdout %s", code, tt.code, stdout)
			}
		})
	}
}

// TestWriteFailure changes the file after it was analysed.
func TestWriteFailure(t *testing.T) {
	dir, res := oneChange(t)
	path := res.Changes[0].Path
	if err := os.WriteFile(path, []byte("package c\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := run(t, res, nil, "-C", dir, "-w", "-l")
	if code != 2 || stdout != "" || !strings.Contains(stderr, "a.go: changed since analysis\n") || !strings.Contains(stderr, "(bodyclose, safe fix)") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if got, _ := os.ReadFile(path); string(got) != "package c\n" {
		t.Errorf("the file holds %q", got)
	}
}

func TestWrite(t *testing.T) {
	dir, res := oneChange(t)
	code, stdout, stderr := run(t, res, nil, "-C", dir, "-w", "-l")
	if code != 0 || stdout != "a.go\n" || stderr != "a.go:1:1: leaks (bodyclose, fixed)\n1 finding in 1 package: 1 fixed\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if res.Findings[0].Status != finding.Fixable {
		t.Error("the result of the engine was changed")
	}
}

// TestMarkFixed has a fix that reaches into two files, one of them not written.
func TestMarkFixed(t *testing.T) {
	fs := []finding.Finding{{Rule: "a", Outcome: finding.Outcome{Status: finding.Fixable}}, {Rule: "b", Outcome: finding.Outcome{Status: finding.Fixable}}, {Rule: "c", Outcome: finding.Outcome{Status: finding.NoFix}}}
	changes := []finding.FileChange{
		{Path: "x", Findings: []finding.Finding{fs[0], fs[1]}},
		{Path: "y", Findings: []finding.Finding{fs[1]}},
	}
	done := markFixed(fs, changes, []string{"x"})
	if len(done) != 1 || done[0].Path != "x" {
		t.Errorf("done %v", done)
	}
	if fs[0].Status != finding.Fixed || fs[1].Status != finding.Fixable || fs[2].Status != finding.NoFix {
		t.Errorf("statuses %s, %s, %s", fs[0].Status, fs[1].Status, fs[2].Status)
	}
}

func TestInterrupted(t *testing.T) {
	dir, res := oneChange(t)
	ctx, cancel := context.WithCancel(t.Context())
	var out, errOut bytes.Buffer
	p := &program{
		IO:    IO{Args: []string{"-C", dir, "-w", "-format=json"}, Stdout: &out, Stderr: &errOut},
		rules: testRules,
		engine: func(context.Context, rewrite.Config) (*rewrite.Result, error) {
			cancel()
			return res, nil
		},
	}
	if code := p.main(ctx); code != 2 || !strings.Contains(errOut.String(), "goroutinefix: interrupted") || !strings.Contains(out.String(), `"error":"interrupted`) {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out.String(), errOut.String())
	}
	if got, _ := os.ReadFile(res.Changes[0].Path); string(got) != "package a\n" {
		t.Errorf("the file holds %q", got)
	}
}

// TestInterruptedEngine has an engine that nothing stops, as a rule on a large package.
func TestInterruptedEngine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	var out, errOut bytes.Buffer
	p := &program{
		IO:    IO{Args: []string{"-C", t.TempDir(), "-w", "-no-cache"}, Stdout: &out, Stderr: &errOut},
		rules: testRules,
		engine: func(context.Context, rewrite.Config) (*rewrite.Result, error) {
			cancel()
			<-release
			return nil, nil
		},
	}
	start := time.Now()
	if code := p.main(ctx); code != 2 || !strings.Contains(errOut.String(), "goroutinefix: interrupted") {
		t.Errorf("exit code %d, stderr %q", code, errOut.String())
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the interrupt took %s", took)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestStdoutFails(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		dir, res := oneChange(t)
		var errOut bytes.Buffer
		p := &program{
			IO:     IO{Args: []string{"-C", dir, "-format", format}, Stdout: fullDisk{}, Stderr: &errOut},
			rules:  testRules,
			engine: func(context.Context, rewrite.Config) (*rewrite.Result, error) { return res, nil },
		}
		if code := p.main(t.Context()); code != 2 || !strings.Contains(errOut.String(), "goroutinefix: write standard output: no space left on device\n") {
			t.Errorf("%s: exit code %d, stderr %q", format, code, errOut.String())
		}
	}
}

// TestConfig checks what the flags make of the configuration of the engine.
func TestConfig(t *testing.T) {
	dir := t.TempDir()
	var got rewrite.Config
	p := &program{
		IO:    IO{Args: strings.Fields("-skip bodyclose ./a -tests=false --tags x,y b.go -mod vendor -j 3 -unsafe -check -C " + dir), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}},
		rules: testRules,
		engine: func(_ context.Context, cfg rewrite.Config) (*rewrite.Result, error) {
			got = cfg
			return &rewrite.Result{}, nil
		},
	}
	if code := p.main(t.Context()); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if got.Dir != dir || !slices.Equal(got.Patterns, []string{"./a", "b.go"}) || len(got.Rules) != 1 || got.Rules[0].Name != "lostcancel" ||
		got.Tests || got.Tags != "x,y" || got.Mod != "vendor" || got.Jobs != 3 || !got.Unsafe || !got.NoFix || got.Debugf != nil {
		t.Errorf("got %+v", got)
	}
}

func TestCommands(t *testing.T) {
	code, stdout, _ := run(t, nil, nil, "rules")
	if want := "bodyclose   Finds bodies that are not closed.\nlostcancel  Finds lost cancels.\n"; code != 0 || stdout != want {
		t.Errorf("rules: %d, %q", code, stdout)
	}
	code, stdout, _ = run(t, nil, nil, "explain", "bodyclose")
	if want := "Finds bodies that are not closed.\n\n## What it does\n\nMore.\n"; code != 0 || stdout != want {
		t.Errorf("explain: %d, %q", code, stdout)
	}
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"}}}
	info.Main.Version = "v1.2.3"
	if got := versionLine(info); !strings.HasPrefix(got, "goroutinefix v1.2.3 abc 2026-01-02T03:04:05Z modified go1.") {
		t.Errorf("version: %s", got)
	}
}

func TestArrange(t *testing.T) {
	commands := (&program{}).commands()
	tests := []struct{ args, want, err string }{
		{"", "--", ""},
		{"./... -w", "-w -- ./...", ""},
		{"a -rules x b --tags=y c", "-rules x --tags=y -- a b c", ""},
		{"-C d explain x -y", "-C d explain x -y", ""},
		{"a explain", "-- a explain", ""},
		{"suppress -rules x ./... -reason y -w", "-rules x -w suppress -reason y -- ./...", ""},
		{"-C d baseline -o f", "-C d baseline -o f --", ""},
		{"suppress explain", "suppress -- explain", ""},
		{"suppress -x", "", `unknown flag -x; run "goroutinefix -h" for all flags`},
		{"baseline -o", "", "flag -o needs a value"},
		{"-- explain -w", "-- ./explain -w", ""},
		{"- a", "-- - a", ""},
		{"a -h", "help", ""},
		{"--help", "help", ""},
		{"-o", "", "flag -o needs a value"},
		{"-chekc", "", `unknown flag -chekc (did you mean -check?); run "goroutinefix -h" for all flags`},
		{"-z=1", "", `unknown flag -z; run "goroutinefix -h" for all flags`},
	}
	for _, tt := range tests {
		got, err := arrange(strings.Fields(tt.args), flags(), commands)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if strings.Join(got, " ") != tt.want || text != tt.err {
			t.Errorf("arrange(%s) = %q, %q; want %q, %q", tt.args, got, text, tt.want, tt.err)
		}
	}
}

func TestFormatOf(t *testing.T) {
	for args, want := range map[string]string{
		"": "", "-format=json": "json", "--format json -x": "json", "a -format": "", "-- -format=json": "", "format=json": "",
	} {
		if got := formatOf(strings.Fields(args)); got != want {
			t.Errorf("formatOf(%s) = %q, want %q", args, got, want)
		}
	}
}

func TestColors(t *testing.T) {
	tests := []struct {
		when, env string
		want      bool
	}{
		{"always", "NO_COLOR=1 TERM=dumb", true},
		{"never", "CLICOLOR_FORCE=1", false},
		{"auto", "", false},
		{"auto", "CLICOLOR_FORCE=1", true},
		{"auto", "CLICOLOR_FORCE=1 TERM=dumb", true},
		{"auto", "CLICOLOR_FORCE=0", false},
		{"auto", "CLICOLOR_FORCE=1 NO_COLOR=1", false},
	}
	for _, tt := range tests {
		getenv := func(name string) string {
			for _, kv := range strings.Fields(tt.env) {
				if v, ok := strings.CutPrefix(kv, name+"="); ok {
					return v
				}
			}
			return ""
		}
		if got := colors(tt.when, &bytes.Buffer{}, getenv); got != tt.want {
			t.Errorf("colors(%s, %s) = %v, want %v", tt.when, tt.env, got, tt.want)
		}
	}
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var buf bytes.Buffer
		p := newProgress(&buf, true, time.Second, time.Second)
		p.update("loading packages", 0, 0)
		time.Sleep(900 * time.Millisecond)
		p.mu.Lock()
		if buf.Len() > 0 {
			t.Errorf("a short run printed %q", buf.String())
		}
		p.mu.Unlock()
		time.Sleep(1200 * time.Millisecond)
		p.update("fixing", 3, 12)
		time.Sleep(time.Second)
		p.printf("note %d", 1)
		time.Sleep(2 * time.Second)
		p.update("fixing", 4, 12)
		time.Sleep(time.Second)
		p.end()
		const want = "goroutinefix: loading packages\r\x1b[Kgoroutinefix: loading packages, 2s\r\x1b[Kgoroutinefix: fixing 3/12 packages\r\x1b[Knote 1\n" +
			"goroutinefix: fixing 3/12 packages\r\x1b[Kgoroutinefix: fixing 3/12 packages, about 9s left\r\x1b[K" +
			"goroutinefix: fixing 4/12 packages, about 8s left\r\x1b[K"
		if buf.String() != want {
			t.Errorf("got %q, want %q", buf.String(), want)
		}

		buf.Reset()
		p = newProgress(&buf, false, 0, time.Millisecond)
		p.update("fixing", 3, 12)
		time.Sleep(time.Second)
		p.end()
		if buf.Len() > 0 {
			t.Errorf("without a terminal it printed %q", buf.String())
		}
	})
}
