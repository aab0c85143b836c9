//go:build ignore

// Kernels runs the leak kernels of the Go distribution before and after the
// fixes of all rules, and prints what became of them as a markdown table:
//
//	go run scripts/kernels.go [-run regexp] [-n runs] [-unsafe=false]
//
// The kernels are the programs of the runtime's test of the goroutineleak
// profile: one-liners, six common patterns, and GoKer's real bugs, boiled down.
//
// How to read it: a finding is "at" the leak if it, or a place related to it,
// covers a line that a leaked goroutine stands on, or one in that declaration
// with the same call or a send on the same channel (luck decides which branch
// leaks). "In" is elsewhere in a declaration that leaks (here, or as the
// runtime's test has it), "beside" is elsewhere in the kernel: that may be
// right, but is about something else, or far from where the goroutine hangs.
// Leaks are those of the run with the most; "here" are those in the functions
// that findings are at, waiting for the same thing. Kernels repeat their fault
// up to a thousand times: compare with 0. Only kernels with a fix run again.
//
// The exit code is 1 if fixed kernels do not build, fail, or still leak where a
// finding was fixed, and 2 if this Go has no kernels or no such profile ("go
// run" prints that code and makes it 1).
package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rules"
)

// A kernel is an argument to one of the two programs.
type kernel struct {
	suite, name   string
	flaky         bool     // leaks with some luck, on several processors
	leaks         []string // declarations that leak, as the runtime's test has it
	file          string   // base name, of which there is one
	lines         []string // of it
	end           int      // offset: helpers stand above their kernel, or are alone with it in a file
	renumbered    bool     // a fix changed the number of literals, and so their names
	reports       []report
	at            bool   // one of them is
	before, after sample // after is nil without a fix
}

// A report is a finding. If it is at a leak, that is in function, for reason.
type report struct {
	finding.Finding
	rank, function, reason string // rank is at, in or beside
	inner                  string // the function that waits: function or one that it calls
}

// A sample is the leaked goroutines, run by run.
type sample [][]goroutine

type goroutine struct {
	reason string     // what it waits for
	frames [][]string // function, file and line, after the text of both lines
}

var (
	only   = flag.String("run", "", "only the kernels whose name matches this `regexp`")
	count  = flag.Int("n", 7, "run each kernel `n` times, and up to four times as often until it leaks")
	unsafe = flag.Bool("unsafe", true, "write unsafe fixes, too")
	tmp    string
	code   int

	// The lists of the runtime's test, and its lines: a list, a kernel, the declaration of a leak.
	suites   = map[string]string{"microTests": "One-liners", "patternTestCases": "Common patterns", "gokerTestCases": "GoKer"}
	testLine = regexp.MustCompile("(?m)^(?:\t(\\w+) := \\[\\]testCase|\t\tmake(Flaky)?Test\\(\"(\\w+)\"|\t\t\t`(.+?)(?:\\\\\\.func|\\\\\\(\\.))")

	header    = regexp.MustCompile(`^goroutine \d+ .*?\[(.+) \(leaked\)`)
	operation = regexp.MustCompile(`^[\w.]+(\(| <-)`)
	frame     = regexp.MustCompile(`(?m)^main\.(.+)\(.*\n\t.*?([^/\\]+\.go):(\d+)`)
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("kernels: ")
	flag.Parse()
	ctx := context.Background()
	filter, err := regexp.Compile(*only)
	check(1, err)
	goroot, err := command(ctx, "", "go", "env", "GOROOT").CombinedOutput()
	if err != nil { // GOEXPERIMENT is not known
		check(2, fmt.Errorf("this Go has no goroutineleak profile: %s", goroot))
	}
	runtime := filepath.Join(strings.TrimSpace(string(goroot)), "src", "runtime")
	test, err := os.ReadFile(filepath.Join(runtime, "goroutineleakprofile_test.go"))
	check(2, err)
	tmp, err = os.MkdirTemp("", "kernels")
	check(1, err)
	before, after := filepath.Join(tmp, "before"), filepath.Join(tmp, "after")
	for _, dir := range []string{before, after} {
		check(2, os.CopyFS(dir, os.DirFS(filepath.Join(runtime, "testdata", "testgoroutineleakprofile"))))
		check(1, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module kernels\n\ngo 1.26\n"), 0o666))
	}
	kernels := expected(string(test), before)

	res, err := rewrite.Run(ctx, rewrite.Config{Dir: before, Rules: rules.All(), Unsafe: *unsafe})
	check(1, err)
	if len(res.Skipped)+len(res.Internal) > 0 {
		check(1, fmt.Errorf("not analysed: %v %v", res.Skipped, res.Internal))
	}
	for _, f := range res.Findings {
		if k := owner(kernels, f.Place); k != nil {
			k.reports = append(k.reports, report{Finding: f})
		}
	}
	for _, c := range res.Changes {
		path, err := filepath.Rel(before, c.Path)
		check(1, err)
		check(1, os.WriteFile(filepath.Join(after, path), c.New, 0o666))
		for _, k := range kernels {
			k.renumbered = k.renumbered || k.file == filepath.Base(path) && bytes.Count(c.Old, []byte("func(")) != bytes.Count(c.New, []byte("func("))
		}
	}
	for _, dir := range []string{before, after} {
		if out, err := command(ctx, dir, "go", "build", "-o", "bin/", ".", "./goker").CombinedOutput(); err != nil {
			check(1, fmt.Errorf("the kernels do not build %s the fixes: %s", filepath.Base(dir), out))
		}
	}

	fmt.Println("| kernel | reported | fixed | leaks before | leaks after |\n|---|---|---|---|---|")
	kernels = slices.DeleteFunc(kernels, func(k *kernel) bool { return !filter.MatchString(k.name) })
	for _, k := range kernels {
		k.before = k.run(before)
		k.locate()
		if k.fixed("") != "" {
			k.after = k.run(after)
		}
		if k.fixed("at") != "" && k.after.most(k.here) > 0 {
			fault("%s still leaks where a finding was fixed", k.name)
		}
		k.print()
	}
	for _, suite := range []string{"One-liners", "Common patterns", "GoKer"} {
		summarize(suite, kernels)
	}
	os.RemoveAll(tmp)
	os.Exit(code)
}

// fault notes a fault of a fix, for the end of the program.
func fault(format string, args ...any) {
	log.Printf(format, args...)
	code = 1
}

// check ends the program if there is an error.
func check(code int, err error) {
	if err != nil {
		os.RemoveAll(tmp)
		log.Print(err)
		os.Exit(code)
	}
}

func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOEXPERIMENT=goroutineleakprofile", "GOWORK=off")
	return cmd
}

// expected reads the kernels from the runtime's test and looks for their entries in dir.
func expected(test, dir string) (out []*kernel) {
	suite := ""
	for _, m := range testLine.FindAllStringSubmatch(test, -1) {
		switch list, flaky, name, leak := m[1], m[2], m[3], m[4]; {
		case list != "":
			suite = suites[list]
		case suite == "": // stress tests
		case name != "":
			out = append(out, &kernel{suite: suite, name: name, flaky: flaky != ""})
		default:
			k := out[len(out)-1]
			k.leaks = append(k.leaks, strings.ReplaceAll(leak, `\`, ""))
		}
	}
	top, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	goker, _ := filepath.Glob(filepath.Join(dir, "goker", "*.go"))
	for _, path := range append(top, goker...) {
		text, err := os.ReadFile(path)
		check(1, err)
		for _, k := range out {
			if i := bytes.Index(text, []byte("\nfunc "+k.name+"()")); i >= 0 {
				k.file, k.lines, k.end = filepath.Base(path), strings.Split(string(text), "\n"), i+bytes.Index(text[i:], []byte("\n}\n"))
			}
		}
	}
	return out
}

// owner returns the kernel that a place is in, or nil.
func owner(kernels []*kernel, p finding.Place) (k *kernel) {
	for _, c := range kernels {
		if c.file == filepath.Base(p.Path) && (p.Offset < c.end || c.suite == "GoKer") && (k == nil || c.end < k.end) {
			k = c
		}
	}
	return k
}

// run runs the kernel's program in dir several times.
func (k *kernel) run(dir string) (s sample) {
	program := "kernels"
	if k.suite == "GoKer" {
		program = "goker"
	}
	for i := 0; i < *count || i < 4**count && s.most(every) == 0; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		cmd := command(ctx, dir, filepath.Join(dir, "bin", program), k.name)
		cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1")
		if !k.flaky {
			cmd.Env = append(cmd.Env, "GOMAXPROCS=1") // as the runtime's test has it
		}
		out, err := cmd.Output()
		cancel()
		if err != nil {
			fault("%s fails %s the fixes: %v", k.name, filepath.Base(dir), err)
		}
		var leaked []goroutine
		for text := range strings.SplitSeq(string(out), "\n\n") {
			stack, _, _ := strings.Cut(text, "\ncreated by ")
			if m := header.FindStringSubmatch(stack); m != nil {
				leaked = append(leaked, goroutine{m[1], frame.FindAllStringSubmatch(stack, -1)})
			}
		}
		s = append(s, leaked)
	}
	return s
}

// most counts the goroutines of a kind in the run with the most of them.
func (s sample) most(of func(goroutine) bool) (most int) {
	for _, leaked := range s {
		n := 0
		for _, g := range leaked {
			if of(g) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func every(goroutine) bool { return true }

// here reports whether a goroutine leaks where a finding is at.
func (k *kernel) here(g goroutine) bool {
	return slices.ContainsFunc(k.reports, func(r report) bool {
		return r.rank == "at" && r.reason == g.reason && len(g.frames) > 0 && k.same(g.frames[0][1], r.inner) && slices.ContainsFunc(g.frames, func(f []string) bool {
			return k.same(f[1], r.function)
		})
	})
}

// same reports whether two functions are the same one, also after the fixes.
func (k *kernel) same(a, b string) bool {
	return a == b || k.renumbered && declaration(a) == declaration(b)
}

// declaration returns the name of the declaration that a function in a stack belongs to.
func declaration(function string) string {
	function, _, _ = strings.Cut(function, ".func")
	return function
}

// locate ranks the reports, once there are leaks to compare them with.
func (k *kernel) locate() {
	for i := range k.reports {
		r := &k.reports[i]
		r.rank = "beside"
		if slices.Contains(k.leaks, r.Function) {
			r.rank = "in"
		}
		places := []finding.Place{r.Place}
		for _, other := range r.Related {
			places = append(places, other.Place)
		}
		for _, p := range places {
			for _, g := range slices.Concat(k.before...) {
				for _, f := range g.frames {
					switch line, _ := strconv.Atoi(f[3]); {
					case r.rank == "at":
					case f[2] != k.file || f[2] != filepath.Base(p.Path):
					case p.Line <= line && line <= p.EndLine, declaration(f[1]) == r.Function && k.operation(line) != "" && k.operation(line) == k.operation(p.Line):
						k.at, r.rank, r.function, r.inner, r.reason = true, "at", f[1], g.frames[0][1], g.reason
					case declaration(f[1]) == r.Function:
						r.rank = "in"
					}
				}
			}
		}
	}
}

// operation returns what a line begins with: a call without its arguments, or a send without its value.
func (k *kernel) operation(line int) string {
	return operation.FindString(strings.TrimSpace(k.lines[line-1]))
}

// fixed returns the applicabilities of the fixes of a rank; "" is any.
func (k *kernel) fixed(rank string) string {
	var out []string
	for _, r := range k.reports {
		if r.Status == finding.Fixable && (rank == "" || r.rank == rank) {
			out = append(out, string(r.Applicability))
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

// print prints the row of a kernel.
func (k *kernel) print() {
	var reported []string
	for _, r := range k.reports {
		text := fmt.Sprintf("%s:%d, %s, %s", r.Rule, r.Place.Line, r.Applicability, r.rank)
		if r.rank == "at" {
			text += fmt.Sprintf(" `%s` [%s]", r.function, r.reason)
		}
		reported = append(reported, text)
	}
	leaks := func(s sample) string {
		switch {
		case s == nil:
			return "-"
		case k.at:
			return fmt.Sprintf("%d (%d here)", s.most(every), s.most(k.here))
		}
		return strconv.Itoa(s.most(every))
	}
	fmt.Printf("| %s | %s | %s | %s | %s |\n", k.name, cmp.Or(strings.Join(reported, "<br>"), "-"), cmp.Or(k.fixed(""), "-"), leaks(k.before), leaks(k.after))
}

func summarize(suite string, kernels []*kernel) {
	var all, at, fixed, stopped, clean, elsewhere int
	for _, k := range kernels {
		if k.suite != suite {
			continue
		}
		all++
		if k.at {
			at++
		} else if len(k.reports) > 0 {
			elsewhere++
		}
		if k.fixed("at") != "" {
			fixed++
			if k.after.most(k.here) == 0 {
				stopped++
			}
			if k.after.most(every) == 0 {
				clean++
			}
		}
	}
	fmt.Printf("\n%s: %d of %d kernels reported at the leaking goroutine, %d fixed, of which %d stop leaking there (%d leak nothing any more); %d reported only elsewhere.\n",
		suite, at, all, fixed, stopped, clean, elsewhere)
}
