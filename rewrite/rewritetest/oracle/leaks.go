package oracle

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle/rt"
)

// kindOf says what a rule is about: a body, a context, or goroutines.
func kindOf(rule string) string {
	switch rule {
	case "bodyclose":
		return "resp"
	case "lostcancel":
		return "ctx"
	}
	return "go"
}

var named = regexp.MustCompile(`\b(resp|ctx|cancel|ch|wg|done|svc|mu|eg)(\d+)\b`)

// names returns the values that a text speaks of, such as "ctx3".
func names(text string) (out []string) {
	for _, m := range named.FindAllStringSubmatch(text, -1) {
		if m[1] == "cancel" {
			m[1] = "ctx"
		}
		out = append(out, m[1]+m[2])
	}
	return out
}

// lines returns the text of a position "unit00012:34" of a variant; that of a
// select has its cases, too.
func (u *unit) line(variant int, at string) string {
	_, number, _ := strings.Cut(at, ":")
	n := 0
	fmt.Sscan(number, &n)
	all := strings.Split(string(u.src[variant]), "\n")
	if n < 1 || n > len(all) {
		return ""
	}
	text := all[n-1]
	if strings.HasSuffix(text, "select {") {
		indent := text[:len(text)-len(strings.TrimLeft(text, "\t"))]
		for _, l := range all[n:] {
			if strings.HasPrefix(l, indent+"}") {
				break
			}
			if strings.HasPrefix(l, indent+"case") {
				text += " " + l
			}
		}
	}
	return text
}

// leaks returns what an outcome has left: "resp3", "ctx4", "go:ch5".
func (u *unit) leaks(o rt.Outcome) (out []string) {
	for _, site := range o.Bodies {
		out = append(out, fmt.Sprint("resp", site))
	}
	out = append(out, o.Ctxs...)
	for _, at := range o.Left {
		out = append(out, "go:"+u.owner(o.Variant, at))
	}
	return out
}

// owner returns the first value that the lines of a stack speak of, with what
// is done to a channel: "ch3 send".
func (u *unit) owner(variant int, stack string) string {
	for _, at := range strings.Fields(stack) {
		line := u.line(variant, at)
		for _, name := range names(line) {
			if !strings.HasPrefix(name, "ch") {
				return name
			}
			op := " receive"
			if strings.Contains(line, name+" <- ") {
				op = " send"
			}
			if strings.Contains(line, "case") {
				op += " in a select"
			}
			return name + op
		}
	}
	return "?"
}

// excused reports whether something else that is left on a path keeps the fix for a
// value from what it does: the goroutine that would release the value, or one that a
// group counts.
func (u *unit) excused(rule, subject string, o rt.Outcome) bool {
	switch {
	case kindOf(rule) != "go" || rule == "missingstop":
		return u.stuck(subject, o)
	case strings.HasPrefix(rule, "waitgroup"):
		return slices.ContainsFunc(o.Left, func(stack string) bool { return u.owner(o.Variant, stack) != subject })
	}
	return false
}

// stuck reports whether the goroutine that has made a response, a context or a
// value waits for ever, before it comes to the release. An unsafe fix may leave the
// release to any goroutine that uses the value.
func (u *unit) stuck(subject string, o rt.Outcome) bool {
	if len(o.Left) == 0 {
		return false
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", u.src[o.Variant], parser.SkipObjectResolution)
	if err != nil {
		return true
	}
	line := func(p token.Pos) int { return fset.Position(p).Line }
	var bodies [][2]int // lines of what goroutines run, the innermost last
	ast.Inspect(file, func(n ast.Node) bool {
		var call *ast.CallExpr
		switch n := n.(type) {
		case *ast.GoStmt:
			call = n.Call
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Go" && len(n.Args) == 1 {
				call = &ast.CallExpr{Fun: n.Args[0]}
			}
		case *ast.FuncDecl:
			if strings.HasPrefix(n.Name.Name, "produce") {
				bodies = append(bodies, [2]int{line(n.Pos()), line(n.End())})
			}
		}
		if call != nil {
			if lit, ok := call.Fun.(*ast.FuncLit); ok {
				bodies = append(bodies, [2]int{line(lit.Pos()), line(lit.End())})
			}
		}
		return true
	})
	goroutine := func(line int) (in int) {
		for i, b := range bodies {
			if b[0] <= line && line <= b[1] {
				in = i + 1
			}
		}
		return in
	}
	releases := regexp.MustCompile(`\b` + subject + `\b[^=]*=[^=]`)
	if o.Variant == unsafe {
		releases = regexp.MustCompile(`\b` + subject + `\b`)
	}
	for i, text := range strings.Split(string(u.src[o.Variant]), "\n") {
		if !releases.MatchString(text) {
			continue
		}
		for _, stack := range o.Left {
			frames := strings.Fields(stack)
			if len(frames) == 0 {
				continue
			}
			_, number, _ := strings.Cut(frames[len(frames)-1], ":") // where the goroutine began
			if at, err := strconv.Atoi(number); err == nil && goroutine(at) == goroutine(i+1) {
				return true
			}
		}
	}
	return false
}

// about reports whether a leak is what a rule speaks of when it names subject.
func about(rule, subject, leak string) bool {
	leak, goroutine := strings.CutPrefix(leak, "go:")
	leak, op, _ := strings.Cut(leak, " ")
	switch {
	case leak != subject || goroutine != (kindOf(rule) == "go"):
		return false
	case rule == "blockingsend":
		return !strings.HasPrefix(op, "receive")
	case rule == "blockingreceive":
		return !strings.HasPrefix(op, "send")
	}
	return true
}

// ordinary reports whether a function has come to its end: what a panic leaves
// is no leak that counts, and the end of the process leaves nothing.
func ordinary(o rt.Outcome) bool {
	return !strings.HasPrefix(o.End, "panic") && !strings.Contains(o.End, "crash") && !strings.Contains(o.End, "exit ")
}

// ended reports whether a function has come to its end and done all that it
// does on the way out.
func ended(o rt.Outcome) bool { return ordinary(o) && o.End != "hang" }

// blunder reports whether an operation of the language has ended a function:
// generated panics are named.
func blunder(o rt.Outcome) bool { return unnamed.MatchString(o.End) }

var unnamed = regexp.MustCompile(`(?:panic|crash): (?:[^p]|p[^\d])`)

var requested = regexp.MustCompile(`e\.URL\((\d+)\)`)

// subject returns the value that a finding is about, or "".
func (u *unit) subject(f finding.Finding, variant int) string {
	kind := kindOf(f.Rule)
	texts := []string{f.Message, u.line(variant, fmt.Sprint(":", f.Place.Line))}
	for _, r := range f.Related {
		texts = append(texts, u.line(variant, fmt.Sprint(":", r.Line)))
	}
	for _, text := range texts {
		for _, name := range names(text) {
			if kind == "go" || strings.HasPrefix(name, kind) {
				return name
			}
		}
		if kind == "resp" {
			if m := requested.FindStringSubmatch(text); m != nil {
				return "resp" + m[1]
			}
		}
	}
	return ""
}

// class is "resp", "ctx" or "go".
func class(leak string) string {
	kind, _, _ := strings.Cut(leak, ":")
	return strings.TrimRight(kind, "0123456789")
}
