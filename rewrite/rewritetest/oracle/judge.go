package oracle

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle/gen"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle/rt"
)

// The kinds of failures.
const (
	WrongFix   = "wrong safe fix"   // the function does something that it could not do before
	NotMended  = "leak not mended"  // what the finding named leaks after its fix
	Build      = "does not compile" // after a fix
	FalseAlarm = "false alarm"      // the function leaks on no path
	NotSilent  = "second run"       // finds more to fix
	Unsafe     = "wrong unsafe fix" // the function panics or hangs where it did not
	UnsafeLeak = "leak not mended by an unsafe fix"
	Internal   = "internal error" // of the analysis
)

// A Failure is something that the oracle holds against the rules.
type Failure struct {
	Kind     string
	Rule     string // of the finding; "" if several had fixes
	Seed     uint64
	Function int // its number within the seed
	Tree     *gen.Node
	Detail   string
	Source   string   // as generated
	Fixed    string   // after the fix in question, or ""
	Report   string   // what was found
	subjects []string // values that it is about
}

// Key tells what has to stay the same while a failure is shrunk.
func (f *Failure) Key() string { return f.Kind + " " + f.Rule }

// confirmed reports whether a finding was seen to be so on some path.
func (u *unit) confirmed(f finding.Finding) bool {
	subject := u.subject(f, before)
	reached := false // what is not run proves nothing
	for _, o := range u.outcomes[before] {
		through := o.End != "hang" && len(o.Left) == 0
		reached = reached || kindOf(f.Rule) == "go" && (!waitable.MatchString(subject) || slices.Contains(o.Made, subject)) || through && slices.Contains(o.Made, subject) ||
			through && slices.ContainsFunc(o.Opened, func(site int) bool { return fmt.Sprint("resp", site) == subject })
		if kindOf(f.Rule) == "go" {
			if o.End == "hang" || blunder(o) || o.Early || len(o.Left) > 0 {
				return true
			}
			continue
		}
		if o.Ctxs = o.CtxsAtEnd; !ordinary(o) && !strings.HasPrefix(o.End, "panic") {
			continue // the process has ended
		}
		leaks := u.leaks(o)
		for _, site := range o.Peaks {
			leaks = append(leaks, fmt.Sprint("resp", site))
		}
		leaks = append(leaks, o.CtxPeaks...)
		for _, l := range leaks {
			if l == subject || subject == "" && strings.HasPrefix(l, kindOf(f.Rule)) {
				return true
			}
		}
	}
	memory := false // a response that was made from a string: nothing leaks
	u.tree.Each(func(n *gen.Node) {
		memory = memory || n.Kind == "resp" && n.Opt[0] == gen.FromMemory && fmt.Sprint("resp", n.ID) == subject
	})
	return !memory && (!reached || kindOf(f.Rule) != "go" && u.unreturned(f.Place.Line))
}

// unreturned reports whether a return statement of the function after a line is one
// that no run has come to: what is left there, nobody has seen.
func (u *unit) unreturned(line int) bool {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", u.src[before], parser.SkipObjectResolution)
	if err != nil {
		return true
	}
	return slices.ContainsFunc(returns(file), func(r *ast.ReturnStmt) bool {
		at := fset.Position(r.Pos()).Line
		return at > line && !slices.ContainsFunc(u.outcomes[before], func(o rt.Outcome) bool { return o.Return == at })
	})
}

// cut reports whether a unit has more paths than were run.
func (u *unit) cut() bool {
	return slices.ContainsFunc(u.outcomes[before], func(o rt.Outcome) bool { return o.More || o.Runaway })
}

// failures judges a unit.
func (u *unit) failures() (out []Failure) {
	fail := func(kind, rule string, variant int, detail string, args ...any) {
		f := Failure{Kind: kind, Rule: rule, Function: u.id, Tree: u.tree, Detail: fmt.Sprintf(detail, args...), Source: string(u.src[before])}
		for _, x := range u.found[before] {
			if kind != FalseAlarm || x.Rule == rule {
				f.subjects = append(f.subjects, u.subject(x, before))
			}
		}
		if variant != before {
			f.Fixed = string(u.src[variant])
		}
		for _, x := range u.found[before] {
			f.Report += fmt.Sprintf("%d: %s: %s (%s) %s\n", x.Place.Line, x.Rule, x.Message, x.Applicability, x.Reason)
		}
		for _, have := range out {
			if have.Key() == f.Key() {
				return
			}
		}
		out = append(out, f)
	}
	for _, text := range u.faults {
		fail(Internal, "", before, "%s", text)
	}
	if u.broken[before] != "" {
		return out
	}
	if !u.cut() && !slices.ContainsFunc(u.outcomes[before], blunder) {
		for _, f := range u.found[before] {
			if !u.confirmed(f) {
				fail(FalseAlarm, f.Rule, before, "line %d: %s", f.Place.Line, f.Message)
			}
		}
	}
	for v := safe; v < variants; v++ {
		if u.src[v] == nil {
			continue
		}
		fixed := u.fixed(v)
		rule := strings.Join(slices.Sorted(maps.Keys(fixed)), "+")
		if u.broken[v] != "" {
			fail(Build, rule, v, "%s", u.broken[v])
			continue
		}
		for _, f := range u.found[v] {
			fail(NotSilent, f.Rule, v, "line %d: %s (%s)", f.Place.Line, f.Message, f.Applicability)
		}
		for rule, subjects := range fixed {
			if rule == "waitgroupadd" {
				continue // it is about a Wait that returns too early
			}
			for _, o := range u.outcomes[v] {
				for _, l := range u.leaks(o) {
					if ended(o) && slices.ContainsFunc(subjects, func(s string) bool {
						if rule == "endlessgoroutine" && slices.Contains(o.Ctxs, s) {
							return false // it listens now to what nobody ends
						}
						return about(rule, s, l) && !u.excused(rule, s, o)
					}) {
						kind := NotMended
						if v == unsafe {
							kind = UnsafeLeak
						}
						fail(kind, rule, v, "%s on path %q", l, o.Path)
					}
				}
			}
		}
		for _, d := range u.differences(v) {
			switch {
			case v == safe:
				fail(WrongFix, rule, v, "%s", d)
			case slices.ContainsFunc(u.outcomes[before], blunder):
			case strings.Contains(d, "now panics") || strings.Contains(d, "now hangs"):
				fail(Unsafe, rule, v, "%s", d)
			}
		}
	}
	return out
}

// fixed returns the rules whose fixes are in a variant, with the values that
// their findings are about.
func (u *unit) fixed(variant int) map[string][]string {
	out := map[string][]string{}
	list := u.found[before]
	if variant == unsafe {
		list = u.planned
	}
	for _, f := range list {
		if f.Status != finding.Fixable {
			continue
		}
		out[f.Rule] = append(out[f.Rule], u.subject(f, before))
	}
	return out
}

// signature is what can be observed of an outcome.
func signature(o rt.Outcome) string {
	if !ordinary(o) && !strings.HasPrefix(o.End, "panic") {
		o.Others = nil // the end of the process cuts them off anywhere
	}
	return fmt.Sprintf("%s | %s | %s | %s | %s", o.End, strings.Join(o.Main, "; "), strings.Join(o.Others, " || "), strings.Join(o.After, "; "), strings.Join(o.Uploads, "; "))
}

// differences says what a variant does, path by path, that the function did
// not do before in any schedule.
func (u *unit) differences(variant int) (out []string) {
	could := map[string][]rt.Outcome{}
	for _, o := range u.outcomes[before] {
		could[o.Path] = append(could[o.Path], o)
	}
	cuts := map[string]bool{} // uploads that the author cuts off, too
	for _, o := range u.outcomes[before] {
		for _, up := range o.Uploads {
			if site, cut := strings.CutSuffix(up, " cut off: true"); cut {
				cuts[site] = true
			}
		}
	}
	for _, o := range u.outcomes[variant] {
		was := could[o.Path]
		if timeouts.MatchString(o.Path) {
			// What is ready when the time is up may come first or not, and then
			// what comes after the time-out is not asked.
			asked := strings.Fields(timeouts.ReplaceAllString(o.Path, ""))
			for path, outs := range could {
				if !timeouts.MatchString(path) && !slices.ContainsFunc(strings.Fields(path), func(c string) bool { return !slices.Contains(asked, c) }) {
					was = append(slices.Clip(was), outs...)
				}
			}
		}
		if len(could[o.Path]) == 0 || o.Runaway || slices.ContainsFunc(was, blunder) || misused(o) && u.addsAnywhere() {
			continue
		}
		if raced(was, o) || slices.ContainsFunc(was, func(w rt.Outcome) bool { return allowed(w, o, cuts) }) {
			if l := u.newLeak(was, o); l != "" {
				out = append(out, fmt.Sprintf("on path %q %s is left now", o.Path, l))
			}
			continue
		}
		now := ""
		hangs := func(w rt.Outcome) bool { return w.End == "hang" }
		if !ordinary(o) && !slices.ContainsFunc(was, func(w rt.Outcome) bool { return !ordinary(w) || hangs(w) }) {
			now = ", now panics"
		}
		if hangs(o) && !slices.ContainsFunc(was, hangs) {
			now = ", now hangs"
		}
		out = append(out, fmt.Sprintf("on path %q (mode %d)%s:\nbefore %s\nafter  %s", o.Path, o.Mode, now, signature(was[0]), signature(o)))
	}
	return out
}

// timeouts are the answers of a path that end a select by itself.
var timeouts = regexp.MustCompile(` ?\b9\d\d\d\.\d`)

// raced reports whether the goroutines of a function race with each other, and
// each part of an outcome was seen before.
func raced(was []rt.Outcome, o rt.Outcome) bool {
	parts := func(o rt.Outcome) []string {
		return []string{o.End, strings.Join(o.Main, "; "), strings.Join(o.After, "; "), strings.Join(o.Uploads, "; ")}
	}
	seen := map[string]bool{}
	others := map[string]bool{}
	for _, w := range was {
		others[strings.Join(w.Others, " || ")] = true
		for i, part := range parts(w) {
			seen[fmt.Sprint(i, part)] = true
		}
	}
	for i, part := range parts(o) {
		if !seen[fmt.Sprint(i, part)] {
			return false
		}
	}
	return len(others) > 1
}

// alike reports whether several goroutines run the same code.
func alike(seqs []string) bool {
	begins := map[string]bool{}
	for _, seq := range seqs {
		first, _, _ := strings.Cut(seq, "; ")
		if begins[first] {
			return true
		}
		begins[first] = true
	}
	return false
}

// sameEvents reports whether goroutines have done the same all together.
func sameEvents(a, b []string) bool {
	events := func(seqs []string) []string {
		return slices.Sorted(slices.Values(strings.Split(strings.Join(seqs, "; "), "; ")))
	}
	return len(a) == len(b) && slices.Equal(events(a), events(b))
}

// misused reports whether a WaitGroup has noticed that it is misused, which it
// does by luck only.
func misused(o rt.Outcome) bool {
	return strings.Contains(o.End, "sync: ") && strings.Contains(o.End, "WaitGroup")
}

// addsAnywhere reports whether goroutines of a function add to a WaitGroup, so
// that any schedule may be the one in which it notices that.
func (u *unit) addsAnywhere() (adds bool) {
	u.tree.Each(func(n *gen.Node) {
		adds = adds || n.Kind == "work" && n.Opt[0] == 1
		if slices.Contains([]string{"go", "work", "send", "fan", "recv"}, n.Kind) {
			n.Each(func(k *gen.Node) { adds = adds || k != n && k.Kind == "work" })
		}
	})
	return adds
}

// cutAnywhere reports whether another goroutine has ended the process, while the
// function was anywhere.
func cutAnywhere(o rt.Outcome) bool {
	return strings.HasPrefix(o.End, "crash") || strings.HasSuffix(o.End, "in a goroutine")
}

// allowed reports whether the function may do o after a fix, because it could
// do w before. A function that did not come to its end may go on.
func allowed(w, o rt.Outcome, cuts map[string]bool) bool {
	w.Uploads, o.Uploads = uploads(w, cuts), uploads(o, cuts)
	if signature(w) == signature(o) {
		return true
	}
	if alike(w.Others) && sameEvents(w.Others, o.Others) {
		o.Others = w.Others // which of them was answered what is a matter of luck
		if signature(w) == signature(o) {
			return true
		}
	}
	if w.End == o.End && cutAnywhere(o) {
		n := min(len(w.Main), len(o.Main))
		return slices.Equal(w.Main[:n], o.Main[:n])
	}
	return w.End == "hang" && len(o.Main) >= len(w.Main) && slices.Equal(w.Main, o.Main[:len(w.Main)])
}

func uploads(o rt.Outcome, cuts map[string]bool) (out []string) {
	for _, up := range o.Uploads {
		site, _, _ := strings.Cut(up, " cut off")
		if !cuts[site] {
			out = append(out, up)
		}
	}
	return out
}

// newLeak returns what is left after o and never was on the same path before.
func (u *unit) newLeak(was []rt.Outcome, o rt.Outcome) string {
	most, least := map[string]int{}, map[string]int{}
	for i, w := range was {
		n := map[string]int{}
		for _, l := range u.leaks(w) {
			kind := class(l)
			n[kind]++
			most[kind] = max(most[kind], n[kind])
		}
		for _, kind := range []string{"resp", "ctx", "go"} {
			if i == 0 || n[kind] < least[kind] {
				least[kind] = n[kind]
			}
		}
	}
	n := map[string]int{}
	for _, l := range u.leaks(o) {
		kind := class(l)
		if kind == "go" && least[kind] < most[kind] {
			continue // how many get stuck is a matter of luck
		}
		if n[kind]++; n[kind] > most[kind] && ended(o) {
			return l
		}
	}
	return ""
}
