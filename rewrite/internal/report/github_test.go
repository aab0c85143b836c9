package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// command is a workflow command as the runner reads it.
type command struct {
	name, message string
	properties    map[string]string
}

// parseCommand reads a line as the runner does: up to the next "::" come the
// name and, after a space, properties; escapes are undone last.
func parseCommand(line string) (command, bool) {
	rest, ok := strings.CutPrefix(line, "::")
	if !ok {
		return command{}, false
	}
	head, message, ok := strings.Cut(rest, "::")
	if !ok {
		return command{}, false
	}
	c := command{properties: map[string]string{}}
	undo := strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",")
	name, properties, _ := strings.Cut(head, " ")
	c.name, c.message = name, strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n").Replace(message)
	for p := range strings.SplitSeq(properties, ",") {
		k, v, _ := strings.Cut(p, "=")
		c.properties[k] = undo.Replace(v)
	}
	return c, true
}

func commands(doc string) (list []command, rest string) {
	for line := range strings.Lines(doc) {
		if c, ok := parseCommand(strings.TrimSuffix(line, "\n")); ok {
			list = append(list, c)
		} else {
			rest += line
		}
	}
	return list, rest
}

func TestGitHub(t *testing.T) {
	s := sample(t)
	got, rest := commands(s.format("github"))
	if len(got) != 3 || rest != "3 findings in 1 package: 3 fixable\n" {
		t.Fatalf("%d commands and %q", len(got), rest)
	}
	first := got[0]
	want := map[string]string{"file": "pkg/größe, 1%.go", "line": "6", "endLine": "6", "col": "3", "endColumn": "10", "title": "blockingsend (safe fix)"}
	if fmt.Sprint(first.properties) != fmt.Sprint(want) || first.name != "warning" {
		t.Errorf("got %v, want %v", first, want)
	}
	if m := "send on `ch` blocks | <b>forever</b>: @octocat, #12\npkg/größe, 1%.go:4: the channel is made here\n"; !strings.HasPrefix(first.message, m) {
		t.Errorf("message %q", first.message)
	}
	if !strings.HasSuffix(got[2].properties["file"], "_test.go") {
		t.Error("tests do not come last")
	}

	run := all
	run.Err = fmt.Errorf("write 100%%:\nread-only")
	got, _ = commands(render(t, "github", run, Options{Dir: wd}))
	names := map[string]int{}
	for _, c := range got {
		names[c.name]++
	}
	// All but the fixed, the suppressed and the baselined one; the package and two lines of the error.
	if names["warning"] != len(all.Findings)-3 || names["error"] != 3 {
		t.Errorf("got %v", names)
	}
	multi := all.Findings[0]
	multi.Place.EndLine++
	got, _ = commands(render(t, "github", Run{Findings: []finding.Finding{multi}}, Options{Dir: wd}))
	if _, ok := got[0].properties["col"]; ok || got[0].properties["endLine"] != "43" {
		t.Errorf("got %v", got[0])
	}
}

// TestStepSummary checks that each finding has an annotation that GitHub
// shows, or a line in the summary.
func TestStepSummary(t *testing.T) {
	summarize := func(run Run) string {
		var buf bytes.Buffer
		if err := StepSummary(&buf, run, Options{Dir: wd}); err != nil {
			t.Fatal(err)
		}
		return buf.String()
	}
	for _, run := range []Run{{}, {Findings: all.Findings[:1]}, {Findings: many(11).Findings[:5], Skipped: all.Skipped}} {
		settledOnes := 0
		for i := range run.Findings {
			if settled(&run.Findings[i]) {
				settledOnes++
			}
		}
		if got := strings.Count(summarize(run), "\n| `"); got != settledOnes {
			t.Errorf("%d rows, want %d", got, settledOnes)
		}
	}
	run := many(500)
	open := 0
	for i := range run.Findings {
		if !settled(&run.Findings[i]) {
			open++
		}
	}
	got := summarize(run)
	if rows := strings.Count(got, "\n| `"); rows != len(run.Findings)-maxAnnotations || open < maxAnnotations {
		t.Errorf("%d rows", rows)
	}
	if !strings.HasPrefix(got, "### goroutinefix\n\n500 findings in 3 packages: 46 fixable") {
		t.Errorf("got %.200s", got)
	}
	big := many(20000)
	if got := summarize(big); len(got) > maxSummary+100 || !strings.Contains(got, " more.\n") {
		t.Errorf("%d bytes", len(got))
	}
	var faults Run
	for i := range 12 {
		faults.Skipped = append(faults.Skipped, finding.Skipped{Package: fmt.Sprint("p", i), Reason: "r"})
	}
	if got := summarize(faults); strings.Count(got, "\n- not analysed") != 12 {
		t.Errorf("got %s", got)
	}
}
