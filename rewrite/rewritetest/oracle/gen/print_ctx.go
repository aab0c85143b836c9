package gen

import (
	"fmt"
	"strings"
)

// cause reports whether a context is made with a cause.
func cause(n *Node) bool { return n != nil && n.Kind == "ctx" && n.Opt[0] == 3 }

// ctx: a derived context, and in its block what follows. Options: by which
// function, how it is declared, from the background; Ref is the parent.
func (p *printer) ctx(n *Node) {
	parent := "ctx"
	if n.Ref != 0 {
		parent = fmt.Sprintf("ctx%d", n.Ref)
	} else if n.Opt[2] > 0 {
		parent = "context.Background()"
	}
	call := [...]string{
		"context.WithCancel(%s)", "context.WithTimeout(%s, time.Hour)", "context.WithDeadline(%s, time.Now().Add(time.Hour))",
		"context.WithCancelCause(%s)", "context.WithTimeoutCause(%s, time.Hour, errors.New(\"late\"))", "context.WithTimeout(%s, time.Millisecond)",
	}[n.Opt[0]]
	call = fmt.Sprintf(call, parent)
	follows := p.capture(func() { p.kids(n, 0) })
	name, cancel := fmt.Sprintf("ctx%d", n.ID), fmt.Sprintf("cancel%d", n.ID)
	if !strings.Contains(follows, name) {
		follows = fmt.Sprintf("e.Log(\"c%d\", %s.Err())\n", n.ID, name) + follows
	}
	if !strings.Contains(follows, cancel) {
		cancel = "_"
	}
	if n.Opt[1] == 0 {
		p.f("%s, %s := %s", name, cancel, call)
	} else {
		p.f("var %s context.Context", name)
		if cancel != "_" {
			kind := "CancelFunc"
			if cause(n) {
				kind = "CancelCauseFunc"
			}
			p.f("var %s context.%s", cancel, kind)
		}
		p.f("%s, %s = %s", name, cancel, call)
	}
	p.b.WriteString(follows)
}

// cancel calls a cancel function. Option: how.
func (p *printer) cancel(n *Node) {
	name, arg, kind := fmt.Sprintf("cancel%d", n.Ref), "", "context.CancelFunc"
	if cause(p.nodes[n.Ref]) {
		arg, kind = "nil", "context.CancelCauseFunc"
	}
	switch n.Opt[0] {
	case 0:
		p.f("defer %s(%s)", name, arg)
	case 1:
		p.f("%s(%s)", name, arg)
	case 2:
		p.f("defer func() { %s(%s) }()", name, arg)
	case 3:
		p.f("defer func() {\n%s(%s)\ne.Log(\"cancelled\", ctx%d.Err())\n}()", name, arg, n.Ref)
	case 4:
		p.declare("func %s(f %s, n *int) {\nf(%s)\n*n += 100\n}", p.name("stop", n.ID), kind, arg)
		p.f("defer %s(%s, &n)", p.name("stop", n.ID), name)
	case 5:
		p.f("go func() { %s(%s) }()", name, arg)
	case 6:
		p.f("e.Later(func() { %s(%s) })", name, arg)
	case 7:
		p.f("stop%d := %s\ndefer stop%d(%s)", n.ID, name, n.ID, arg)
	case 8:
		p.f("time.AfterFunc(time.Second, func() { %s(%s) })", name, arg)
	default:
		p.f("if e.Ask(%d) {\ndefer %s(%s)\n}", n.ID, name, arg)
	}
}

// use does something with a context. Option: what.
func (p *printer) use(n *Node) {
	ctx := fmt.Sprintf("ctx%d", n.Ref)
	if n.Ref == 0 {
		ctx = "ctx"
	}
	done, keep, sink := p.name("look", n.ID), p.name("keep", n.ID), p.name("sink", n.ID)
	switch n.Opt[0] {
	case 0:
		p.f("e.Log(\"err\", %s.Err())", ctx)
	case 1:
		p.declare("func %s(e *rt.E, ctx context.Context) error {\ne.Log(\"look\", ctx.Err())\nreturn ctx.Err()\n}", done)
		p.f("e.Log(\"done\", %s(e, %s))", done, ctx)
	case 2:
		p.declare("func %s(e *rt.E, ctx context.Context) error {\ne.Keep(ctx)\nreturn nil\n}", keep)
		p.f("e.Log(\"kept\", %s(e, %s))", keep, ctx)
	case 3, 4: // an interface, one of whose implementations may keep it
		p.declare("type %s interface { put(e *rt.E, ctx context.Context) error }", sink)
		p.declare("type %s struct{}\n\nfunc (%s) put(e *rt.E, ctx context.Context) error {\nreturn ctx.Err()\n}", sink+"Now", sink+"Now")
		p.declare("type %s struct{}\n\nfunc (%s) put(e *rt.E, ctx context.Context) error {\ne.Keep(ctx)\nreturn nil\n}", sink+"Later", sink+"Later")
		which := "sinkNow"
		p.f("var sink%d %s = %s{}", n.ID, sink, sink+strings.TrimPrefix(which, "sink"))
		if n.Opt[0] == 4 {
			p.f("if e.Ask(%d) {\nsink%d = %s{}\n}", n.ID, n.ID, sink+"Later")
		}
		p.f("e.Log(\"put\", sink%d.put(e, %s))", n.ID, ctx)
	case 5:
		p.literal("go ", "()", func() { p.f("<-%s.Done()\ne.Log(\"ended\", %s.Err())", ctx, ctx) })
	case 6:
		p.f("select {\ncase <-%s.Done():\ne.Log(\"ended\")\ndefault:", ctx)
		p.kids(n, 0)
		p.f("}")
	case 7:
		p.f("<-%s.Done()\ne.Log(\"ended\")", ctx)
	case 8:
		p.declare("type %s struct { e *rt.E; ctx context.Context }\n\nfunc (j %s) run() { j.e.Log(\"job\", j.ctx.Err()) }", p.name("job", n.ID), p.name("job", n.ID))
		p.f("job%d := %s{e: e, ctx: %s}\ne.Later(job%d.run)", n.ID, p.name("job", n.ID), ctx, n.ID)
	case 9:
		p.declare("func %s(e *rt.E, ctx context.Context) error {\ne.Keep(ctx)\nreturn nil\n}", keep)
		p.declare("func %s(e *rt.E, ctx context.Context) error {\ne.Log(\"look\", ctx.Err())\nreturn ctx.Err()\n}", done)
		p.f("do%d := %s\nif e.Ask(%d) {\ndo%d = %s\n}\ne.Log(\"do\", do%d(e, %s))", n.ID, done, n.ID, n.ID, keep, n.ID, ctx)
	case 10:
		p.f("defer func() { e.Log(\"at the end\", %s.Err()) }()", ctx)
	case 11:
		p.f("defer func() {\n<-%s.Done()\ne.Log(\"flushed\")\n}()", ctx)
	case 12:
		p.f("if e.Ask(%d) {\ndefer func() {\n<-%s.Done()\ne.Log(\"flushed\")\n}()\n}", n.ID, ctx)
	case 13:
		p.declare("type %s struct{}", p.name("key", n.ID))
		p.f("e.Keep(context.WithValue(%s, %s{}, 1))", ctx, p.name("key", n.ID))
	case 14:
		p.declare("func %s(context.Context, string) error { return nil }", p.name("stub", n.ID))
		p.f("e.Log(\"stub\", %s(%s, \"x\"))", p.name("stub", n.ID), ctx)
	case 15:
		p.f("context.AfterFunc(%s, func() { e.Log(\"after\") })", ctx)
	case 16: // type parameter
		p.declare("type %s interface { put(e *rt.E, ctx context.Context) error }", sink)
		p.declare("type %s struct{}\n\nfunc (%s) put(e *rt.E, ctx context.Context) error {\ne.Keep(ctx)\nreturn nil\n}", sink+"Later", sink+"Later")
		p.declare("func %s[S %s](e *rt.E, s S, ctx context.Context) error { return s.put(e, ctx) }", p.name("via", n.ID), sink)
		p.f("e.Log(\"put\", %s(e, %s{}, %s))", p.name("via", n.ID), sink+"Later", ctx)
	case 18: // a request that is sent later
		p.f("late%d, err := http.NewRequestWithContext(%s, \"GET\", e.URL(%d), nil)\ne.Log(\"request\", err)", n.ID, ctx, n.ID)
		p.f("e.Later(func() { e.Log(\"late\", late%d.Context().Err()) })", n.ID)
	case 19: // a handler that is called later
		p.declare("func %s(e *rt.E, ctx context.Context) http.HandlerFunc {\nreturn func(http.ResponseWriter, *http.Request) { e.Log(\"serve\", ctx.Err()) }\n}", p.name("serve", n.ID))
		p.f("mux%d := http.NewServeMux()\nmux%d.Handle(\"/\", %s(e, %s))", n.ID, n.ID, p.name("serve", n.ID), ctx)
		p.f("e.Later(func() { mux%d.ServeHTTP(nil, &http.Request{URL: &url.URL{Path: \"/\"}}) })", n.ID)
	default: // an earlier defer works off what is kept here
		p.f("var held%d context.Context\ndefer func() {\nif held%d != nil {\ne.Log(\"held\", held%d.Err())\n}\n}()", n.ID, n.ID, n.ID)
		p.f("held%d = %s", n.ID, ctx)
	}
}

// tick: a goroutine that works for ever, or until something ends it.
func (p *printer) tick(n *Node) {
	ctx := "ctx"
	if n.Ref != 0 {
		ctx = fmt.Sprintf("ctx%d", n.Ref)
	}
	work := fmt.Sprintf("e.Log(\"t%d\")", n.ID)
	body := [...]string{
		"for {\nselect {\ncase <-" + ctx + ".Done():\nreturn\ncase <-time.After(time.Second):\n" + work + "\n}\n}",
		"for {\ntime.Sleep(time.Second)\n" + work + "\n}",
		"t := time.NewTicker(time.Second)\ndefer t.Stop()\nfor range t.C {\n" + work + "\n}",
		"t := time.NewTicker(time.Second)\nfor {\nselect {\ncase <-" + ctx + ".Done():\nreturn\ncase <-t.C:\n" + work + "\n}\n}",
	}[n.Opt[0]]
	p.f("go func() {\n%s\n}()", body)
}
