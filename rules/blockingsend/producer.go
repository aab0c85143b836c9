package blockingsend

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// feed is what the goroutine does that sends on a channel which a function returns:
// nobody but the caller can receive from it.
type feed uint8

const (
	noFeed      feed = iota // nothing is known
	feedLoop                // it sends in a loop, and waits each time
	feedEndless             // and never comes to an end
)

var feedOf = code.Register[feed]("feeds")

func init() {
	feedOf.Compute(returnsChan, func(s *code.Subject) feed { return feeds(s.Pass, s.Sig, s.Fn) })
}

func returnsChan(sig *types.Signature, _ *ast.FuncDecl) bool {
	return sig.Results().Len() > 0 && typeis.Chan(sig.Results().At(0).Type())
}

// feedBy returns what sends on the channel that is the first result of fn.
func feedBy(f *code.Facts, fn *types.Func) feed { return feedOf.Of(f.Facts, fn) }

// feeds summarises a function that makes an unbuffered channel, starts one
// goroutine that does nothing with it but plain sends, in a loop, and perhaps to
// close it, and returns it.
func feeds(p *code.Pass, sig *types.Signature, fn *code.Func) feed {
	if sig.Results().Len() == 0 || !typeis.Chan(sig.Results().At(0).Type()) {
		return noFeed
	}
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		s := &channel.Local{Pass: p, Fn: fn, Make: c}
		if !channel.IsMake(p, c.Node().(*ast.CallExpr)) || p.GoroutineFunc(c) != fn.Cursor || !s.Variable() || s.Later || s.Cap > 0 {
			continue
		}
		if kind := feedOn(s); kind != noFeed {
			return kind
		}
	}
	return noFeed
}

func feedOn(s *channel.Local) feed {
	var runner inspector.Cursor
	var send channel.Use
	sent, returned := false, false
	for _, u := range channel.Uses(s.Pass, s.Fn.Cursor, s.Var) {
		switch u.Kind {
		case channel.Make:
			if u.At.Node().Pos() != s.Var.Pos() {
				return noFeed
			}
		case channel.Send, channel.Close:
			if !launch.StartedBy(s.Pass, u.GoroutineFunc, s.Fn).Valid() || runner.Valid() && u.GoroutineFunc != runner {
				return noFeed
			}
			runner = u.GoroutineFunc
			if u.Kind == channel.Send {
				if !u.Waits() || lastOfAll(s, u) {
					return noFeed
				}
				send, sent = u, true
			}
		default:
			ret, ok := code.Unparen(u.At).Parent().Node().(*ast.ReturnStmt)
			if !ok || u.GoroutineFunc != s.Fn.Cursor || ret.Results[0] != code.Unparen(u.At).Node() {
				return noFeed
			}
			returned = true
		}
	}
	if !returned || !sent {
		return noFeed
	}
	body := s.Pass.FuncOf(runner)
	switch {
	case len(channel.Loops(send.Op, body, body.Body.Pos())) == 0:
		return noFeed
	case !flow.ReachesReturn(body.Flow, nil):
		return feedEndless
	}
	return feedLoop
}

// lastOfAll reports whether the goroutine may end directly after a send, without
// another iteration: then the value may tell that it was the last.
func lastOfAll(s *channel.Local, u channel.Use) (last bool) {
	fn := s.Pass.FuncOf(u.GoroutineFunc)
	node := code.FlowNode(u.At, fn)
	flow.Paths[struct{}]{
		Node:      func(n ast.Node, st struct{}) (struct{}, bool) { return st, n != node },
		Iteration: func(ast.Stmt, struct{}) bool { return false },
		Exit:      func(*flow.Block, struct{}) { last = true },
	}.After(fn.Flow, node, struct{}{})
	return last
}

// abandonedProducer is a producer whose consumer goes away.
type abandonedProducer struct {
	Exit token.Pos // where the consumer leaves
	Recv ast.Node  // where it received
}

// findAbandonedProducer decides on a call, in fn, of a function that leaves a producer of
// the channel it returns: whether fn, who alone has it, stops receiving while more may
// come. It does where it leaves a range early, and where it returns at all if the
// producer has no end.
func findAbandonedProducer(p *code.Pass, call inspector.Cursor, fn *code.Func, kind feed) (f abandonedProducer, ok bool) {
	uses, start, ok := received(p, call, fn)
	if !ok {
		return f, false
	}
	heads, ranges := map[ast.Node]bool{}, false
	for _, u := range uses {
		heads[code.FlowNode(u.At, fn)] = u.Kind == channel.Range
		ranges = ranges || u.Kind == channel.Range
	}
	found := func(b *flow.Block, at ast.Node) {
		if !f.Exit.IsValid() {
			f = abandonedProducer{b.End, at}
		}
	}
	for _, u := range uses {
		loop, isRange := u.Op.Node().(*ast.RangeStmt)
		if !isRange {
			continue
		}
		flow.Paths[struct{}]{
			Node:      func(n ast.Node, st struct{}) (struct{}, bool) { return st, !heads[n] && !assume.FailsTest(p, n) },
			Iteration: func(l ast.Stmt, _ struct{}) bool { return l != ast.Stmt(loop) },
			// A condition that knows what the producer was asked for may know
			// that it is done, and one that asks the value may learn it from that.
			Edge: func(cond ast.Expr, _ bool, st struct{}) (struct{}, bool) {
				return st, !shares(p, cond, call.Node().(*ast.CallExpr)) && !asksFlag(p, cond, loop.Key)
			},
			Exit: func(b *flow.Block, _ struct{}) { found(b, loop) },
		}.FromBody(fn.Flow, loop, struct{}{})
	}
	if kind == feedEndless && !ranges {
		flow.Paths[struct{}]{
			Node: func(n ast.Node, st struct{}) (struct{}, bool) { return st, !heads[n] && !assume.FailsTest(p, n) },
			Exit: func(b *flow.Block, _ struct{}) { found(b, call.Node()) },
		}.After(fn.Flow, start, struct{}{})
	}
	return f, f.Exit.IsValid()
}

// received lists the receives from the channel that a call returns, if fn does
// nothing else with it, and the node after which they come.
func received(p *code.Pass, call inspector.Cursor, fn *code.Func) (uses []channel.Use, start ast.Node, ok bool) {
	at := code.Unparen(call)
	if r, isRange := at.Parent().Node().(*ast.RangeStmt); isRange && r.X == at.Node() {
		return []channel.Use{{Kind: channel.Range, At: at, Op: at.Parent(), GoroutineFunc: p.GoroutineFunc(call)}}, code.FlowNode(call, fn), p.GoroutineFunc(call) == fn.Cursor
	}
	as, isAssign := at.Parent().Node().(*ast.AssignStmt)
	if !isAssign || as.Tok != token.DEFINE || len(as.Rhs) != 1 || p.GoroutineFunc(call) != fn.Cursor {
		return nil, nil, false
	}
	v := p.VarOf(as.Lhs[0])
	if !p.DeclaredIn(v, fn) || fn.Flow.InCycle(code.FlowNode(call, fn)) {
		return nil, nil, false
	}
	for _, u := range channel.Uses(p, fn.Cursor, v) {
		switch {
		case u.Kind == channel.Make && u.At.Node().Pos() == v.Pos():
		case (u.Kind == channel.Recv || u.Kind == channel.Range) && u.GoroutineFunc == fn.Cursor:
			uses = append(uses, u)
		default:
			return nil, nil, false
		}
	}
	return uses, code.FlowNode(call, fn), len(uses) > 0
}

// asksFlag reports whether a condition is a field of the value that was received.
func asksFlag(p *code.Pass, cond, value ast.Expr) bool {
	cond = ast.Unparen(cond)
	if not, ok := cond.(*ast.UnaryExpr); ok && not.Op == token.NOT {
		cond = ast.Unparen(not.X)
	}
	x, ok := cond.(*ast.SelectorExpr)
	return ok && value != nil && p.Selected(x) != nil && p.VarOf(x.X) != nil && p.VarOf(x.X) == p.VarOf(value)
}

// shares reports whether a condition mentions a variable that is also among
// the arguments of call.
func shares(p *code.Pass, cond ast.Expr, call *ast.CallExpr) (found bool) {
	ast.Inspect(cond, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v, isVar := p.TypesInfo.ObjectOf(id).(*types.Var); isVar && p.MentionedIn(call.Args, v) {
				found = true
			}
		}
		return !found
	})
	return found
}
