//go:build ignore

// Kernels runs the leak kernels of the Go distribution before and after the
// fixes of all rules, and prints what became of them as a markdown table:
//
//	go run scripts/kernels.go [-run regexp] [-n runs] [-unsafe=false]
//
// The kernels are the programs of the runtime's test of the goroutineleak
// profile: one-liners, six common patterns, and GoKer's real bugs, boiled down.
//
// How to read the table: a finding is "at" the leak if it, or a place related
// to it, covers a line that a leaked goroutine stands on. "In" is elsewhere in
// a declaration that leaks (as seen here, or as the runtime's test has it) and
// "beside" is elsewhere in the kernel: such a finding may be right, but it is
// about something else, or far from where the goroutine hangs. Leaks are those
// of the run with the most of them; "here" are those in the functions that
// findings are at, waiting for the same thing. Kernels repeat their fault up to
// a thousand times, with some luck: compare the numbers with 0, not with each
// other. Only kernels with a fix run again.
//
// The exit code is 1 if the fixed kernels do not build, if one of them fails,
// or if one still leaks where a finding was fixed, and 2 if this Go has no
// kernels or no such profile ("go run" prints the code and exits with 1).
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
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
	end           int      // offset: the helpers of a kernel stand above its entry
	renumbered    bool     // a fix changed the number of literals, and so their names
	reports       []report // those at a leak first
	before, after sample   // after is nil without a fix
}

// A report is a finding. If it is at a leak, that is in function, for reason.
type report struct {
	finding.Finding
	rank, function, reason string // rank is at, in or beside
}

// A sample is the stacks of the leaked goroutines, run by run.
type sample [][]string

var (
	only   = flag.String("run", "", "only the kernels whose name matches this `regexp`")
	count  = flag.Int("n", 7, "run each kernel `n` times, and up to four times as often until it leaks")
	unsafe = flag.Bool("unsafe", true, "write unsafe fixes, too")
	tmp    string
	faulty bool

	// The lists of the runtime's test, and its lines: a list, a kernel, the declaration of a leak.
	suites   = map[string]string{"microTests": "One-liners", "patternTestCases": "Common patterns", "gokerTestCases": "GoKer"}
	testLine = regexp.MustCompile("(?m)^(?:\t(\\w+) := \\[\\]testCase|\t\tmake(Flaky)?Test\\(\"(\\w+)\"|\t\t\t`(.+?)(?:\\\\\\.func|\\\\\\(\\.))")

	// What a leaked goroutine waits for; function, file and line of a frame.
	header = regexp.MustCompile(`^goroutine \d+ .*?\[(.+) \(leaked\)`)
	frame  = regexp.MustCompile(`(?m)^main\.(.+)\(.*\n\t.*?([^/\\]+\.go):(\d+)`)
)

func main() {
	log.SetFlags(0)
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
	defer os.RemoveAll(tmp)
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
		fmt.Println(k.row())
	}
	for _, suite := range []string{"One-liners", "Common patterns", "GoKer"} {
		summarize(suite, slices.DeleteFunc(slices.Clone(kernels), func(k *kernel) bool { return k.suite != suite }))
	}
	if faulty {
		check(1, errors.New("see above"))
	}
}

func fault(format string, args ...any) {
	log.Printf("kernels: "+format, args...)
	faulty = true
}

// check ends the program if there is an error.
func check(code int, err error) {
	if err != nil {
		os.RemoveAll(tmp)
		log.Print("kernels: ", err)
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
				k.file, k.end = filepath.Base(path), i+bytes.Index(text[i:], []byte("\n}\n"))
				if k.suite == "GoKer" { // alone in its file
					k.end = len(text)
				}
			}
		}
	}
	return out
}

// owner returns the kernel that a place is in, or nil.
func owner(kernels []*kernel, p finding.Place) (k *kernel) {
	for _, c := range kernels {
		if c.file == filepath.Base(p.Path) && p.Offset < c.end && (k == nil || c.end < k.end) {
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
	for i := 0; i < *count || i < 4**count && s.most(nil) == 0; i++ {
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
		var leaked []string
		for stack := range strings.SplitSeq(string(out), "\n\n") {
			if header.MatchString(stack) {
				stack, _, _ = strings.Cut(stack, "\ncreated by ")
				leaked = append(leaked, stack)
			}
		}
		s = append(s, leaked)
	}
	return s
}

// most counts the stacks of a kind in the run with the most of them.
func (s sample) most(of func(stack string) bool) (most int) {
	for _, leaked := range s {
		n := 0
		for _, stack := range leaked {
			if of == nil || of(stack) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// here reports whether a stack is a leak that a finding is at.
func (k *kernel) here(stack string) bool {
	for _, m := range frame.FindAllStringSubmatch(stack, -1) {
		for _, r := range k.reports {
			same := r.function == m[1] || k.renumbered && declaration(r.function) == declaration(m[1])
			if same && r.reason == header.FindStringSubmatch(stack)[1] {
				return true
			}
		}
	}
	return false
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
			for _, stack := range slices.Concat(k.before...) {
				for _, m := range frame.FindAllStringSubmatch(stack, -1) {
					line, _ := strconv.Atoi(m[3])
					switch {
					case r.rank == "at":
					case m[2] == filepath.Base(p.Path) && p.Line <= line && line <= p.EndLine:
						r.rank, r.function, r.reason = "at", m[1], header.FindStringSubmatch(stack)[1]
					case declaration(m[1]) == r.Function:
						r.rank = "in"
					}
				}
			}
		}
	}
	slices.SortStableFunc(k.reports, func(a, b report) int { return strings.Compare(a.rank, b.rank) })
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

func (k *kernel) row() string {
	var reported []string
	for _, r := range k.reports {
		text := fmt.Sprintf("%s:%d, %s, %s", r.Rule, r.Place.Line, r.Applicability, r.rank)
		if r.rank == "at" {
			text += fmt.Sprintf(" `%s` [%s]", r.function, r.reason)
		}
		reported = append(reported, text)
	}
	cells := []string{k.name, strings.Join(reported, "<br>"), k.fixed("")}
	for _, s := range []sample{k.before, k.after} {
		text := ""
		if s != nil {
			text = strconv.Itoa(s.most(nil))
		}
		if s != nil && k.rank() == "at" {
			text += fmt.Sprintf(" (%d here)", s.most(k.here))
		}
		cells = append(cells, text)
	}
	for i := range cells {
		cells[i] = cmp.Or(cells[i], "-")
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// rank returns that of the nearest report, or "".
func (k *kernel) rank() string {
	if len(k.reports) == 0 {
		return ""
	}
	return k.reports[0].rank
}

func summarize(suite string, kernels []*kernel) {
	n := map[string]int{}
	for _, k := range kernels {
		place := "elsewhere"
		if k.rank() == "at" {
			place = "at"
		}
		if k.rank() != "" {
			n[place]++
		}
		if k.after != nil {
			n[place+" fixed"]++
		}
		if k.after != nil && k.before.most(k.here) > 0 && k.after.most(k.here) == 0 {
			n["stopped"]++
		}
		if k.after != nil && k.before.most(nil) > 0 && k.after.most(nil) == 0 {
			n[place+" clean"]++
		}
	}
	fmt.Printf("\n%s: %d of %d kernels reported at the leaking goroutine, %d fixed, of which %d stop leaking there and %d at all; %d reported elsewhere only, %d fixed, of which %d stop leaking.\n",
		suite, n["at"], len(kernels), n["at fixed"], n["stopped"], n["at clean"], n["elsewhere"], n["elsewhere fixed"], n["elsewhere clean"])
}
