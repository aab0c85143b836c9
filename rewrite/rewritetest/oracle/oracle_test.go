package oracle

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle/gen"
)

// Functions with fixes and findings that are right or wrong in a known way: what
// the oracle says of them is what is wrong.
var cases = []struct {
	name, tree string
	rule, line string   // where the finding is; "" for none
	change     []string // pairs of a text and what the fix makes of it; nil for no fix
	second     bool     // there is another finding after the fix
	want       string   // kind of the failure, or ""
}{
	{
		name: "a close that is right", tree: "func1{resp2{read3->2[3]{} read4->2[1]}}",
		rule: "bodyclose", line: "http.Get", change: []string{"\tif resp2.StatusCode", "\tdefer resp2.Body.Close()\n\tif resp2.StatusCode"},
	},
	{
		name: "a close before the last use", tree: "func1{resp2{read3->2[1]}}",
		rule: "bodyclose", line: "http.Get", change: []string{"\tdata3,", "\tresp2.Body.Close()\n\tdata3,"}, want: WrongFix,
	},
	{
		name: "a cancel that is moved past a nested defer", tree: "func1{ctx2{leave3{} use4->2[12] cancel5->2}}",
		rule: "lostcancel", line: "WithCancel", change: []string{"context.WithCancel(ctx)\n", "context.WithCancel(ctx)\n\tdefer cancel2()\n", "\tdefer cancel2()\n\treturn", "\treturn"},
		want: WrongFix,
	},
	{
		name: "a context that is kept", tree: "func1{ctx2{use3->2[4] cancel4->2[9]}}",
		rule: "lostcancel", line: "WithCancel", change: []string{"context.WithCancel(ctx)\n", "context.WithCancel(ctx)\n\tdefer cancel2()\n"}, want: WrongFix,
	},
	{
		name: "an upload that is cut off", tree: "func1{resp2[4]{read3->2}}",
		rule: "bodyclose", line: "c.Post", change: []string{"\te.Log(\"status\"", "\tdefer resp2.Body.Close()\n\te.Log(\"status\""}, want: WrongFix,
	},
	{
		name: "a deferred Done that hides a crash", tree: "func1{wg2{work3->2[0 2]{leave4[5]{}} wait5->2}}",
		rule: "waitgroupwait", line: "wg2.Done", change: []string{"\t\te.Log(\"w3\")", "\t\tdefer wg2.Done()\n\t\te.Log(\"w3\")"}, want: WrongFix,
	},
	{
		name: "a buffer that is too small", tree: "func1{chan2[0 0 3]{fan3->2 recv4->2}}",
		rule: "blockingsend", line: "ch2 <-", change: []string{"make(chan int)", "make(chan int, len(xs2))"}, want: NotMended,
	},
	{
		name: "a fix that does not compile", tree: "func1{chan2{send3->2{} leave4{} recv5->2}}",
		rule: "blockingsend", line: "ch2 <-", change: []string{"make(chan int)", "make(chan int, room)"}, want: Build,
	},
	{
		name: "a body that is closed", tree: "func1{resp2{close3->2}}", rule: "bodyclose", line: "http.Get", want: FalseAlarm,
	},
	{
		name: "a context that ends by itself", tree: "func1{ctx2[5]{use3->2[7]}}", rule: "lostcancel", line: "WithTimeout", want: FalseAlarm,
	},
	{
		name: "a range that is left on the last value", tree: "func1{chan2{send3->2[0 8 3]{} recv4->2[0 9]{}}}",
		rule: "blockingsend", line: "ch2 <-", want: FalseAlarm,
	},
	{
		name: "more to do after the fix", tree: "func1{chan2{send3->2{} leave4{} recv5->2}}", second: true,
		rule: "blockingsend", line: "ch2 <-", change: []string{"make(chan int)", "make(chan int, 1)"}, want: NotSilent,
	},
	{name: "a leak that nobody finds", tree: "func1{chan2{send3->2{} leave4{} recv5->2}}"},
	{name: "nothing leaks", tree: "func1{ctx2{cancel3->2 use4->2[5]}}"},
}

func TestJudge(t *testing.T) {
	var trees []*gen.Node
	for _, c := range cases {
		tree, err := gen.Parse(c.tree)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		trees = append(trees, tree)
	}
	r, err := run(t.Context(), Config{Trees: trees, Batch: 400, Paths: 64, SafeOnly: true, Logf: t.Logf}, fake)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Broken) > 0 {
		t.Errorf("not judged: %s", r.Broken)
	}
	for i, c := range cases {
		var got []string
		for _, f := range r.Failures {
			if f.Function == i {
				got = append(got, f.Kind)
			}
		}
		if want := strings.Fields(c.want); !slices.Equal(got, []string{c.want}[:min(len(want), 1)]) {
			t.Errorf("%s: judged %q, want %q", c.name, got, c.want)
		}
	}
	if len(r.Misses) != 1 || r.MissedAt["goroutine that waits to send: early return"] != len(cases)-2 {
		t.Errorf("misses: %v", r.Misses)
	}
	t.Logf("\n%s", r)
}

// fake finds and changes what the cases say.
func fake(_ context.Context, dir string, _ bool) (*rewrite.Result, error) {
	res := new(rewrite.Result)
	files, err := filepath.Glob(filepath.Join(dir, "b*", "unit*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		old, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var id int
		fmt.Sscanf(filepath.Base(path), "unit%d.go", &id)
		c := cases[id%1000]
		after := strings.HasPrefix(filepath.Base(dir), "after")
		if c.rule == "" || after && !c.second {
			continue
		}
		f := finding.Finding{Rule: c.rule, Place: finding.Place{Path: path}, Outcome: finding.Outcome{Status: finding.NoFix}, Applicability: finding.None}
		for i, line := range strings.Split(string(old), "\n") {
			if strings.Contains(line, c.line) {
				f.Place.Line, f.Message = i+1, line
			}
		}
		if c.change != nil {
			f.Status, f.Applicability = finding.Fixable, finding.Safe
			res.Changes = append(res.Changes, finding.FileChange{Path: path, Old: old, New: []byte(strings.NewReplacer(c.change...).Replace(string(old)))})
		}
		res.Findings = append(res.Findings, f)
	}
	return res, nil
}
