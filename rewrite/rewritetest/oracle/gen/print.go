package gen

import (
	"cmp"
	"fmt"
	"go/format"
	"regexp"
	"slices"
	"strings"
)

// A printer writes the source of one unit: the function of a tree and the
// declarations that it needs.
type printer struct {
	b     *strings.Builder
	unit  int
	nodes map[int]*Node
	decls []string
	bare  bool     // in a literal: return has no results
	back  string   // how to return from a literal; "" for a plain return
	loops []string // labels of the enclosing loops, innermost last
}

// Source returns the file of unit i with the function of a tree.
func Source(i int, root *Node) ([]byte, error) {
	p := &printer{b: new(strings.Builder), unit: i, nodes: map[int]*Node{}}
	root.Each(func(n *Node) { p.nodes[n.ID] = n })
	p.function(root)
	text := p.b.String() + "\n" + strings.Join(p.decls, "\n\n")
	var imports strings.Builder
	for _, path := range []string{"bufio", "context", "errors", "fmt", "golang.org/x/sync/errgroup", "io", "log", "net/http", "net/url", "os", "strings", "sync", "time"} {
		if regexp.MustCompile(`\b` + path[strings.LastIndexByte(path, '/')+1:] + `\.`).MatchString(text) {
			fmt.Fprintf(&imports, "%q\n", path)
		}
	}
	src, err := format.Source(fmt.Appendf(nil, "package units\n\nimport (\n%s\n\"oracle.test/rt\"\n)\n\n%s", imports.String(), text))
	if err != nil {
		return nil, fmt.Errorf("print %s: %w\n%s", root, err, text)
	}
	return src, nil
}

func (p *printer) f(text string, args ...any) { fmt.Fprintf(p.b, text+"\n", args...) }

// capture returns what f prints.
func (p *printer) capture(f func()) string {
	outer := p.b
	p.b = new(strings.Builder)
	f()
	text := p.b.String()
	p.b = outer
	return text
}

// name returns the name of a declaration of the package.
func (p *printer) name(what string, id int) string { return fmt.Sprintf("%s%dx%d", what, p.unit, id) }

// declare adds a declaration, once.
func (p *printer) declare(text string, args ...any) {
	if text = fmt.Sprintf(text, args...); !slices.Contains(p.decls, text) {
		p.decls = append(p.decls, text)
	}
}

const signature = "(e *rt.E, ctx context.Context, c *http.Client)"

// function prints the function itself: a function, a method or a generic one
// with a function that calls it. Options: kind, named results, last return.
func (p *printer) function(n *Node) {
	results := "(int, error)"
	if n.Opt[1] > 0 {
		results = "(n int, err error)"
	}
	entry := fmt.Sprintf("func F%d%s (int, error) {\n", p.unit, signature)
	switch n.Opt[0] {
	case 1:
		p.f("%s return %s{c}.run(e, ctx, c)\n}\n", entry, p.name("service", 0))
		p.declare("type %s struct { client *http.Client }", p.name("service", 0))
		p.f("func (s %s) run%s %s {", p.name("service", 0), signature, results)
	case 2:
		p.f("%s return %s(e, ctx, c, 1)\n}\n", entry, p.name("generic", 0))
		p.f("func %s[T any](e *rt.E, ctx context.Context, c *http.Client, t T) %s {", p.name("generic", 0), results)
	default:
		p.f("func F%d%s %s {", p.unit, signature, results)
	}
	if n.Opt[1] == 0 {
		p.f("n := 0")
	}
	p.block(n.Kids[0])
	switch {
	case n.Opt[1] > 0 && n.Opt[2] > 0:
		p.f("return")
	default:
		p.f("return n, nil")
	}
	p.f("}")
}

func (p *printer) block(nodes []*Node) {
	for _, n := range nodes {
		p.stmt(n)
	}
}

// kids prints a block of n, if it has it.
func (p *printer) kids(n *Node, i int) {
	if i < len(n.Kids) {
		p.block(n.Kids[i])
	}
}

// literal prints a function literal with the statements that f prints.
func (p *printer) literal(before, after string, f func()) {
	bare, loops, back := p.bare, p.loops, p.back
	p.bare, p.loops, p.back = true, nil, ""
	p.f("%sfunc() {", before)
	f()
	p.f("}%s", after)
	p.bare, p.loops, p.back = bare, loops, back
}

// leave returns from the function, with an error that says where.
func (p *printer) leave(id int) { p.fail(fmt.Sprintf("errors.New(\"x%d\")", id)) }

// fail returns from the function with an error, or from a literal.
func (p *printer) fail(err string) {
	if p.bare {
		p.f(cmp.Or(p.back, "return"))
	} else {
		p.f("return n, %s", err)
	}
}

// loop prints a loop, with a label if something in it names it.
func (p *printer) loop(id int, head string, f func()) {
	label := fmt.Sprintf("loop%d", id)
	p.loops = append(p.loops, label)
	body := p.capture(f)
	p.loops = p.loops[:len(p.loops)-1]
	if strings.Contains(body, " "+label+"\n") {
		p.f("%s:", label)
	}
	p.f("%s {\n%s}", head, body)
}

func (p *printer) stmt(n *Node) {
	switch n.Kind {
	case "log":
		p.log(n)
	case "inc":
		p.f("n += %d", n.ID)
	case "leave":
		p.leaving(n)
	case "if":
		p.branch(n)
	case "loop":
		p.looping(n)
	case "block":
		p.f("{")
		p.kids(n, 0)
		p.f("}")
	case "call":
		p.literal("", "()", func() { p.kids(n, 0) })
	case "defer":
		p.deferring(n)
	case "go":
		p.literal("go ", "()", func() { p.f("e.Log(\"g%d\")", n.ID); p.kids(n, 0) })
	case "resp":
		p.resp(n)
	case "close":
		p.close(n)
	case "read":
		p.read(n)
	case "ctx":
		p.ctx(n)
	case "cancel":
		p.cancel(n)
	case "use":
		p.use(n)
	case "chan":
		p.channel(n)
	case "send":
		p.send(n)
	case "fan":
		p.fan(n)
	case "recv":
		p.recv(n)
	case "done":
		p.done(n)
	case "wg":
		p.wg(n)
	case "work":
		p.work(n)
	case "wait":
		p.wait(n)
	case "tick":
		p.tick(n)
	case "svc":
		p.svc(n)
	case "stop":
		p.stop(n)
	case "put":
		p.put(n)
	case "mutex":
		p.mutex(n)
	case "lock":
		p.lock(n)
	case "group":
		p.group(n)
	case "member":
		p.member(n)
	case "gather":
		p.gather(n)
	default:
		panic("no such node: " + n.Kind)
	}
}

func (p *printer) log(n *Node) {
	if n.Opt[0] == 0 {
		p.f("e.Log(\"e%d\")", n.ID)
		return
	}
	p.declare("func %s(e *rt.E, s string) error {\ne.Log(s)\nif e.Ask(%d) { return errors.New(s) }\nreturn nil\n}", p.name("note", n.ID), n.ID)
	if n.Opt[0] == 1 {
		p.f("e.Log(\"e%d\", %s(e, \"n%d\"))", n.ID, p.name("note", n.ID), n.ID)
		return
	}
	p.f("if err := %s(e, \"n%d\"); err != nil {", p.name("note", n.ID), n.ID)
	p.fail("err")
	p.f("}")
}

// leaving: a branch that leaves what is around it. Options: how, if or switch.
func (p *printer) leaving(n *Node) {
	if n.Opt[1] == 0 {
		p.f("if e.Ask(%d) {", n.ID)
	} else {
		p.f("switch {\ncase e.Ask(%d):", n.ID)
	}
	p.kids(n, 0)
	inner, outer := "", ""
	if len(p.loops) > 0 {
		inner, outer = p.loops[len(p.loops)-1], p.loops[0]
	}
	switch how := n.Opt[0]; {
	case how == 5:
		p.f("panic(\"p%d\")", n.ID)
	case how == 6:
		p.f("os.Exit(%d)", n.ID)
	case how == 7:
		p.f("log.Fatal(\"f%d\")", n.ID)
	case how == 0 || inner == "":
		p.leave(n.ID)
	case how == 1 && n.Opt[1] == 0:
		p.f("break")
	case how == 1:
		p.f("break %s", inner)
	case how == 2:
		p.f("continue")
	case how == 3:
		p.f("break %s", outer)
	default:
		p.f("continue %s", outer)
	}
	p.f("}")
}

func (p *printer) branch(n *Node) {
	var second bool
	switch n.Opt[0] {
	case 0, 1:
		p.f("if e.Ask(%d) {", n.ID)
	case 2:
		p.f("switch e.Ask(%d) {\ncase true:", n.ID)
	case 3:
		p.f("switch {\ncase !e.Ask(%d):\ne.Log(\"no%d\")\ndefault:", n.ID, n.ID)
	}
	p.kids(n, 0)
	second = len(n.Kids) > 1 && len(n.Kids[1]) > 0
	switch {
	case n.Opt[0] < 2 && second:
		p.f("} else {")
		p.kids(n, 1)
	case n.Opt[0] == 2 && second:
		p.f("default:")
		p.kids(n, 1)
	}
	p.f("}")
}

func (p *printer) looping(n *Node) {
	body := func() { p.f("e.Log(\"l%d\")", n.ID); p.kids(n, 0) }
	switch n.Opt[0] {
	case 0:
		p.loop(n.ID, fmt.Sprintf("for e.Ask(%d)", n.ID), body)
	case 1:
		p.loop(n.ID, "for range 2", body)
	case 2:
		p.loop(n.ID, "for i := 0; i < 2; i++", body)
	case 3:
		p.loop(n.ID, fmt.Sprintf("for _, x := range e.Items(%d)", n.ID), func() { p.f("e.Log(\"x%d\", x)", n.ID); p.kids(n, 0) })
	case 4:
		p.loop(n.ID, "for", func() { body(); p.f("if !e.Ask(%d) {\nbreak\n}", n.ID) })
	default:
		p.f("again%d:\n{", n.ID)
		body()
		p.f("}\nif e.Ask(%d) {\ngoto again%d\n}", n.ID, n.ID)
	}
}

// deferring: options: a call, a literal, both within a branch.
func (p *printer) deferring(n *Node) {
	if n.Opt[0] >= 2 {
		p.f("if e.Ask(%d) {", n.ID)
	}
	if n.Opt[0]%2 == 0 {
		p.f("defer e.Log(\"d%d\")", n.ID)
	} else {
		p.literal("defer ", "()", func() { p.f("e.Log(\"d%d\")", n.ID); p.kids(n, 0) })
	}
	if n.Opt[0] >= 2 {
		p.f("}")
	}
}
