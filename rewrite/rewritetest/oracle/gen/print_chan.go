package gen

import (
	"fmt"
	"strings"
)

// channel: a channel, and in its block what follows. Options: capacity (5 is a
// nil channel), element, what a loop of senders ranges over.
func (p *printer) channel(n *Node) {
	follows := p.capture(func() { p.kids(n, 0) })
	ch, xs := fmt.Sprintf("ch%d", n.ID), fmt.Sprintf("xs%d", n.ID)
	if n.Opt[0] == 3 || strings.Contains(follows, xs) || strings.Contains(follows, "todo"+xs) {
		p.container(n, xs, follows)
	}
	room := [...]string{"", ", 1", ", 2", ", len(" + xs + ")", ", 0", ""}[n.Opt[0]]
	if n.Opt[0] == 3 && n.Opt[2] == 6 {
		room = ", " + xs
	}
	switch {
	case !strings.Contains(follows, ch):
	case n.Opt[0] == 5: // nobody makes it
		p.f("var %s chan %s", ch, element(n))
	default:
		p.f("%s := make(chan %s%s)", ch, element(n), room)
	}
	p.b.WriteString(follows)
}

func element(n *Node) string {
	if n == nil {
		return "int"
	}
	return [...]string{"int", "error", "struct{}"}[n.Opt[1]]
}

func (p *printer) value(ch int) string {
	return map[string]string{"int": "1", "error": "errors.New(\"v\")", "struct{}": "struct{}{}"}[element(p.nodes[ch])]
}

// last is a value that says that no other follows.
func (p *printer) last(ch int) string {
	return map[string]string{"int": "0", "error": "nil", "struct{}": "struct{}{}"}[element(p.nodes[ch])]
}

// container declares what senders are started for, which holds something in the
// beginning, and another name for it if what follows uses one.
func (p *printer) container(n *Node, xs, follows string) {
	named := p.name("set", n.ID)
	switch n.Opt[2] {
	case 0:
		p.f("%s := e.Items(%d)", xs, n.ID)
	case 1:
		p.f("%s := []string{\"a\", \"b\"}", xs)
	case 2:
		p.f("%s := [...]string{\"a\", \"b\"}", xs)
	case 3:
		p.f("%s := map[string]int{\"a\": 1}", xs)
	case 4:
		p.declare("type %s map[string]bool\n\nfunc (s %s) add(x string) { s[x] = true }", named, named)
		p.f("%s := %s{\"a\": true}", xs, named)
	case 5:
		p.declare("type %s []string\n\nfunc (s *%s) add(x string) { *s = append(*s, x) }", named, named)
		p.f("%s := %s{\"a\"}", xs, named)
	case 6:
		p.f("%s := len(e.Items(%d))", xs, n.ID)
	case 7:
		p.f("%s := map[string]int{\"a\": 1}", xs)
		if strings.Contains(follows, "all"+xs) {
			p.f("all%s := %s", xs, xs)
		}
	default:
		p.f("%s := map[string]int{\"a\": 1}", xs)
		if strings.Contains(follows, "in"+xs) {
			p.f("in%s := struct{ m map[string]int }{%s}", xs, xs)
		}
	}
}

// grow changes the container of a channel after the channel is made.
func (p *printer) grow(ch *Node, xs string) {
	each := fmt.Sprintf("for _, x := range e.Items(%d) {\n%%s\n}", ch.ID)
	switch ch.Opt[2] {
	case 3:
		p.f(each, xs+"[x]++")
	case 4, 5:
		p.f(each, xs+".add(x)")
	case 6:
		if ch.Opt[0] == 4 { // the bound changes
			p.f("%s++", xs)
		}
	case 7:
		p.f(each, "all"+xs+"[x] = 2")
	case 8:
		p.f(each, "in"+xs+".m[x] = 2")
	}
}

// fan starts a sender for each element of the container. Options: how the
// goroutine is started, whether by a goto again, what follows the send.
func (p *printer) fan(n *Node) {
	ch := p.nodes[n.Ref]
	if ch == nil {
		return
	}
	xs := fmt.Sprintf("xs%d", n.Ref)
	if n.Opt[0] < 2 {
		p.grow(ch, xs)
	}
	if n.Opt[1] > 0 {
		p.f("again%d:", n.ID)
	}
	p.loop(n.ID, "for range "+xs, func() { p.sender(n, 0, 0, n.Opt[2]) })
	if n.Opt[1] > 0 {
		p.f("if e.Ask(%d) {\ngoto again%d\n}", n.ID, n.ID)
	}
}

// sender starts a goroutine that sends.
func (p *printer) sender(n *Node, named, form, after int) {
	ch := fmt.Sprintf("ch%d", n.Ref)
	if named == 1 {
		p.declare("func %s(e *rt.E, %s chan<- %s) {\n%s}", p.name("produce", n.ID), ch, element(p.nodes[n.Ref]), p.capture(func() {
			bare, loops, back := p.bare, p.loops, p.back
			p.bare, p.loops, p.back = true, nil, ""
			p.sends(n, form, after)
			p.bare, p.loops, p.back = bare, loops, back
		}))
		p.f("go %s(e, %s)", p.name("produce", n.ID), ch)
		return
	}
	p.literal("go ", "()", func() { p.sends(n, form, after) })
}

func (p *printer) sends(n *Node, form, after int) {
	ch, v := fmt.Sprintf("ch%d", n.Ref), p.value(n.Ref)
	switch after {
	case 3:
		p.f("defer close(%s)", ch)
	case 4:
		p.f("defer e.Log(\"sender%d ends\")", n.ID)
	}
	p.f("e.Log(\"g%d\")", n.ID)
	p.kids(n, 0)
	switch form {
	case 0:
		p.f("%s <- %s", ch, v)
	case 1:
		p.f("if e.Ask(%d) {\n%s <- %s\n}\n%s <- %s", n.ID, ch, v, ch, v)
	case 2:
		p.f("%s <- %s\n%s <- %s", ch, v, ch, v)
	case 3:
		p.f("select {\ncase %s <- %s:\ndefault:\ne.Log(\"full\")\n}", ch, v)
	case 4:
		p.f("select {\ncase %s <- %s:\ncase <-ctx.Done():\n}", ch, v)
	case 5:
		p.f("for e.Ask(%d) {\n%s <- %s\n}", n.ID, ch, v)
	case 8: // the last one says so
		p.f("for e.Ask(%d) {\n%s <- %s\n}\n%s <- %s", n.ID, ch, v, ch, p.last(n.Ref))
	case 6: // an error ends it
		p.f("if e.Ask(%d) {\n%s <- %s\nreturn\n}\n%s <- %s", n.ID, ch, v, ch, v)
	default:
		p.f("for range xs%d {\n%s <- %s\n}", n.Ref, ch, v)
	}
	switch after {
	case 1:
		p.f("e.Log(\"sent%d\")", n.ID)
	case 2:
		p.f("close(%s)", ch)
	}
}

// send: options: where (a goroutine, the function itself, a named goroutine),
// what is sent, what follows.
func (p *printer) send(n *Node) {
	form := n.Opt[1]
	if n.Opt[0] == 2 && (form == 7 || form == 4) {
		form = 0 // it does not see the function's variables
	}
	switch n.Opt[0] {
	case 0:
		p.sender(n, 0, form, n.Opt[2])
	case 1:
		ch, v := fmt.Sprintf("ch%d", n.Ref), p.value(n.Ref)
		if form == 3 {
			p.f("select {\ncase %s <- %s:\ndefault:\ne.Log(\"full\")\n}", ch, v)
		} else {
			p.f("%s <- %s", ch, v)
		}
	default:
		p.sender(n, 1, form, n.Opt[2])
	}
}

// recv: options: a goroutine does it, how.
func (p *printer) recv(n *Node) {
	body := func() {
		ch, v := fmt.Sprintf("ch%d", n.Ref), fmt.Sprintf("v%d", n.ID)
		got := func() { p.f("e.Log(\"got\", %s)", v); p.kids(n, 0) }
		switch n.Opt[1] {
		case 0:
			p.f("<-%s", ch)
		case 1:
			p.f("%s := <-%s\ne.Log(\"got\", %s)", v, ch, v)
		case 2:
			p.loop(n.ID, fmt.Sprintf("for %s := range %s", v, ch), got)
		case 3:
			p.f("select {\ncase %s := <-%s:\ne.Log(\"got\", %s)\ndefault:\ne.Log(\"none\")", v, ch, v)
			p.kids(n, 0)
			p.f("}")
		case 4:
			p.f("select {\ncase %s := <-%s:\ne.Log(\"got\", %s)\ncase <-ctx.Done():", v, ch, v)
			p.leave(n.ID)
			p.f("}")
		case 5:
			p.f("select {\ncase %s := <-%s:\ne.Log(\"got\", %s)\ncase <-time.After(time.Second):\ne.Log(\"late\")", v, ch, v)
			p.kids(n, 0)
			p.f("}")
		case 6:
			p.loop(n.ID, fmt.Sprintf("for range xs%d", n.Ref), func() { p.f("%s := <-%s", v, ch); got() })
		case 7:
			p.loop(n.ID, "for range 2", func() { p.f("%s := <-%s", v, ch); got() })
		case 9: // until the last one
			p.loop(n.ID, fmt.Sprintf("for %s := range %s", v, ch), func() {
				got()
				p.f("if %s == %s {", v, p.last(n.Ref))
				p.leave(n.ID)
				p.f("}")
			})
		case 10: // until all have come
			p.f("k%d := 0", n.ID)
			p.loop(n.ID, fmt.Sprintf("for %s := range %s", v, ch), func() {
				got()
				all := fmt.Sprintf("len(xs%d)", n.Ref)
				if ch := p.nodes[n.Ref]; ch != nil && ch.Opt[2] == 6 {
					all = fmt.Sprintf("xs%d", n.Ref)
				}
				p.f("if k%d++; k%d == %s {\nbreak\n}", n.ID, n.ID, all)
			})
		case 8:
			p.f("if %s, ok := <-%s; ok {\ne.Log(\"got\", %s)", v, ch, v)
			p.kids(n, 0)
			p.f("}")
		default:
			p.f("if e.Ask(%d) {\n<-%s\n}", n.ID, ch)
		}
	}
	if n.Opt[0] == 0 {
		body()
		return
	}
	p.literal("go ", "()", func() { p.f("e.Log(\"g%d\")", n.ID); body(); p.f("e.Log(\"received%d\")", n.ID) })
}

// done closes a channel. Option: how.
func (p *printer) done(n *Node) {
	switch ch := fmt.Sprintf("ch%d", n.Ref); n.Opt[0] {
	case 0:
		p.f("close(%s)", ch)
	case 1:
		p.f("defer close(%s)", ch)
	default:
		p.f("defer func() {\ne.Log(\"closes%d\")\nclose(%s)\n}()", n.ID, ch)
	}
}

// wg: a WaitGroup, and in its block what follows. Option: the declaration.
func (p *printer) wg(n *Node) {
	follows := p.capture(func() { p.kids(n, 0) })
	if name := fmt.Sprintf("wg%d", n.ID); strings.Contains(follows, name) {
		if n.Opt[0] == 0 {
			p.f("var %s sync.WaitGroup", name)
		} else {
			p.f("%s := new(sync.WaitGroup)", name)
		}
	}
	p.b.WriteString(follows)
}

// work starts goroutines that are waited for. Options: where Add is, how Done
// is called, in a loop or not.
func (p *printer) work(n *Node) {
	wg, items := fmt.Sprintf("wg%d", n.Ref), fmt.Sprintf("items%d", n.ID)
	add, head := n.Opt[0], [...]string{"", "for range " + items, "for range 2", "for range " + items}[n.Opt[2]]
	if n.Opt[2]%2 == 1 {
		p.f("%s := e.Items(%d)", items, n.ID)
	}
	if add == 3 {
		p.f("%s.Add(%s)", wg, [...]string{"1", "len(" + items + ")", "2", "len(" + items + ")"}[n.Opt[2]])
	}
	start := func() {
		if n.Opt[2] == 3 {
			p.f("if e.Ask(%d) {\ncontinue\n}", 500+n.ID)
		}
		if add == 0 {
			p.f("%s.Add(1)", wg)
		}
		before, after := "go ", "()"
		if add == 2 {
			before, after = wg+".Go(", ")"
		}
		p.literal(before, after, func() {
			if add == 1 {
				p.f("%s.Add(1)", wg)
			}
			done := func(text string) {
				if add != 2 {
					p.f(text, wg)
				}
			}
			switch n.Opt[1] {
			case 0:
				done("defer %s.Done()")
			case 3:
				done("defer func() { %s.Done() }()")
			}
			p.f("e.Log(\"w%d\")", n.ID)
			p.kids(n, 0)
			switch n.Opt[1] {
			case 1:
				done("%s.Done()")
			case 2:
				p.f("if e.Ask(%d) {\nreturn\n}\ne.Log(\"worked%d\")", 600+n.ID, n.ID)
				done("%s.Done()")
			case 4:
				done("%s.Done()")
				p.f("e.Log(\"rest%d\")", n.ID)
			}
		})
	}
	if head == "" {
		start()
		return
	}
	p.loop(n.ID, head, start)
}

// wait waits for a WaitGroup. Option: how.
func (p *printer) wait(n *Node) {
	switch wg := fmt.Sprintf("wg%d", n.Ref); n.Opt[0] {
	case 0:
		p.f("%s.Wait()", wg)
	case 1:
		p.f("defer %s.Wait()", wg)
	default:
		p.f("done%d := make(chan struct{})\ngo func() {\n%s.Wait()\nclose(done%d)\n}()", n.ID, wg, n.ID)
		if n.Opt[0] == 2 {
			p.f("<-done%d", n.ID)
		} else {
			p.f("select {\ncase <-done%d:\ncase <-time.After(time.Second):\n", n.ID)
			p.leave(n.ID)
			p.f("}")
		}
	}
}
