package gen

import (
	"fmt"
	"strings"
)

// svc: a value that owns a goroutine, and in its block what follows. Options:
// what starts the goroutine (the constructor, a method), what ends it (a
// channel, a context), how often it may be ended, and whether that is waited for.
func (p *printer) svc(n *Node) {
	follows := p.capture(func() { p.kids(n, 0) })
	typ, made, value := p.name("svc", n.ID), p.name("newSvc", n.ID), fmt.Sprintf("svc%d", n.ID)
	field := value // names the goroutine in a profile
	end, init, quit, stop := "chan struct{}", "make(chan struct{})", "s."+field, "close(s."+field+")"
	if n.Opt[1] > 0 {
		end, init, quit, stop = "context.Context", "", "s."+field+".Done()", "s.cancel()"
	}
	if n.Opt[2] > 0 {
		stop = "s.once.Do(func() { " + stop + " })"
	}
	p.declare("type %s struct {\ne *rt.E\nin chan int\n%s %s\ncancel context.CancelFunc\nonce sync.Once\nended chan struct{}\n}", typ, field, end)
	starts := "e := s.e\ngo s.produce(e)\n"
	setup := fmt.Sprintf("s := &%s{e: e, in: make(chan int), ended: make(chan struct{})}\n", typ)
	if init != "" {
		setup += fmt.Sprintf("s.%s = %s\n", field, init)
	} else {
		setup += fmt.Sprintf("s.%s, s.cancel = context.WithCancel(context.Background())\n", field)
	}
	if n.Opt[0] == 0 {
		p.declare("func %s(e *rt.E) *%s {\n%sgo s.produce(e)\nreturn s\n}", made, typ, setup)
	} else {
		p.declare("func %s(e *rt.E) *%s {\n%sreturn s\n}", made, typ, setup)
		p.declare("func (s *%s) Start() {\n%s}", typ, starts)
	}
	p.declare("func (s *%s) produce(e *rt.E) {\ndefer close(s.ended)\nfor {\nselect {\ncase v := <-s.in:\ne.Log(\"item\", v)\ncase <-%s:\nreturn\n}\n}\n}", typ, quit)
	wait := ""
	if n.Opt[3] > 0 {
		wait = "<-s.ended\n"
	}
	p.declare("func (s *%s) Stop() {\n%s\n%s}", typ, stop, wait)
	p.declare("func (s *%s) Put(v int) { s.in <- v }", typ)
	p.f("%s := %s(e)", value, made)
	if n.Opt[0] > 0 {
		if n.Opt[0] == 2 {
			p.f("if e.Ask(%d) {\n%s.Start()\n}", n.ID, value)
		} else {
			p.f("%s.Start()", value)
		}
	} else if !strings.Contains(follows, value) {
		p.f("e.Log(\"made\", %s != nil)", value)
	}
	p.b.WriteString(follows)
}

// stop ends the goroutine of a value. Option: how.
func (p *printer) stop(n *Node) {
	svc := fmt.Sprintf("svc%d", n.Ref)
	switch n.Opt[0] {
	case 0:
		p.f("defer %s.Stop()", svc)
	case 1:
		p.f("%s.Stop()", svc)
	case 2:
		p.f("defer func() {\n%s.Stop()\ne.Log(\"stopped%d\")\n}()", svc, n.ID)
	case 3:
		p.declare("func %s(s interface{ Stop() }) { s.Stop() }", p.name("halt", n.ID))
		p.f("defer %s(%s)", p.name("halt", n.ID), svc)
	case 4:
		p.f("go func() { %s.Stop() }()", svc)
	case 5:
		p.f("e.Later(%s.Stop)", svc)
	case 6:
		p.f("stop%d := %s.Stop\ndefer stop%d()", n.ID, svc, n.ID)
	default:
		p.f("if e.Ask(%d) {\n%s.Stop()\n}", n.ID, svc)
	}
}

// put uses a value. Option: how.
func (p *printer) put(n *Node) {
	svc := fmt.Sprintf("svc%d", n.Ref)
	switch n.Opt[0] {
	case 0:
		p.f("%s.Put(%d)", svc, n.ID)
	case 1:
		p.f("e.Log(\"put\", %s != nil)", svc)
	case 2: // somebody else stops it
		p.declare("type %s struct{ all []interface{ Stop() } }\n\nfunc (r *%s) stop() {\nfor _, s := range r.all {\ns.Stop()\n}\n}", p.name("registry", n.ID), p.name("registry", n.ID))
		p.f("registry%d := &%s{}\nregistry%d.all = append(registry%d.all, %s)\ne.Later(registry%d.stop)", n.ID, p.name("registry", n.ID), n.ID, n.ID, svc, n.ID)
	default:
		p.f("go func() {\ne.Log(\"g%d\")\n%s.Put(%d)\n}()", n.ID, svc, n.ID)
	}
}

// mutex: a mutex, and in its block what follows. Option: the declaration.
func (p *printer) mutex(n *Node) {
	follows := p.capture(func() { p.kids(n, 0) })
	if name := fmt.Sprintf("mu%d", n.ID); strings.Contains(follows, name) {
		if n.Opt[0] == 0 {
			p.f("var %s sync.Mutex", name)
		} else {
			p.f("%s := new(sync.Mutex)", name)
		}
	}
	p.b.WriteString(follows)
}

// lock does something under a mutex. Option: where and until when.
func (p *printer) lock(n *Node) {
	mu := fmt.Sprintf("mu%d", n.Ref)
	switch n.Opt[0] {
	case 0:
		p.f("%s.Lock()", mu)
		p.kids(n, 0)
		p.f("%s.Unlock()", mu)
	case 1:
		p.literal("", "()", func() {
			p.f("%s.Lock()\ndefer %s.Unlock()", mu, mu)
			p.kids(n, 0)
		})
	case 2:
		p.literal("go ", "()", func() {
			p.f("e.Log(\"g%d\")\n%s.Lock()\ndefer %s.Unlock()", n.ID, mu, mu)
			p.kids(n, 0)
		})
	default: // it lets go before it is through
		p.literal("go ", "()", func() {
			p.f("e.Log(\"g%d\")\n%s.Lock()\ne.Log(\"locked%d\")\n%s.Unlock()", n.ID, mu, n.ID, mu)
			p.kids(n, 0)
		})
	}
}

// group: an errgroup with the context that it makes, and in its block what
// follows. Option: with a context or without; Ref is its parent.
func (p *printer) group(n *Node) {
	follows := p.capture(func() { p.kids(n, 0) })
	g, ctx := fmt.Sprintf("eg%d", n.ID), fmt.Sprintf("ctx%d", n.ID)
	parent := "ctx"
	if n.Ref != 0 {
		parent = fmt.Sprintf("ctx%d", n.Ref)
	}
	if !strings.Contains(follows, g) {
		follows += fmt.Sprintf("e.Log(\"group\", %s.Wait())\n", g)
	}
	if strings.Contains(follows, ctx) || n.Opt[0] == 0 {
		if !strings.Contains(follows, ctx) {
			ctx = "_"
		}
		p.f("%s, %s := errgroup.WithContext(%s)", g, ctx, parent)
	} else {
		p.f("var %s errgroup.Group", g)
	}
	p.b.WriteString(follows)
}

// member starts a goroutine of a group. Option: what it returns.
func (p *printer) member(n *Node) {
	bare, loops, back := p.bare, p.loops, p.back
	p.bare, p.loops, p.back = true, nil, "return nil"
	p.f("eg%d.Go(func() error {\ne.Log(\"m%d\")", n.Ref, n.ID)
	p.kids(n, 0)
	if n.Opt[0] > 0 {
		p.f("if e.Ask(%d) {\nreturn errors.New(\"m%d\")\n}", n.ID, n.ID)
	}
	p.f("return nil\n})")
	p.bare, p.loops, p.back = bare, loops, back
}

// gather waits for a group. Option: how.
func (p *printer) gather(n *Node) {
	g := fmt.Sprintf("eg%d", n.Ref)
	switch n.Opt[0] {
	case 0:
		p.f("e.Log(\"group\", %s.Wait())", g)
	case 1:
		p.f("if err := %s.Wait(); err != nil {\ne.Log(\"failed\", err)", g)
		p.leave(n.ID)
		p.f("}")
	default:
		p.f("defer %s.Wait()", g)
	}
}
