package match

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Feed is what the goroutine does that a function leaves behind a channel
// which it returns: nobody but the caller can receive from it.
type Feed uint8

const (
	NoFeed      Feed = iota // nothing is known
	FeedLoop                // it sends in a loop, and waits each time
	FeedEndless             // and never comes to an end
)

var feedOf = Register[Feed]("feeds")

func init() {
	feedOf.Compute(returnsChan, func(s *Subject) Feed { return s.feeds(s.Sig, s.Fn) })
}

func returnsChan(sig *types.Signature, _ *ast.FuncDecl) bool {
	return sig.Results().Len() > 0 && typeis.Chan(sig.Results().At(0).Type())
}

// Feeds returns what stands behind the channel that is the first result of fn.
func (f *Facts) Feeds(fn *types.Func) Feed { return feedOf.Of(f.Facts, fn) }

// feeds summarises a function that makes a channel without room, starts one
// goroutine that does nothing with it but plain sends, in a loop, and perhaps to
// close it, and returns it.
func (p *Pass) feeds(sig *types.Signature, fn *Func) Feed {
	if sig.Results().Len() == 0 || !typeis.Chan(sig.Results().At(0).Type()) {
		return NoFeed
	}
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		s := &LocalChan{Pass: p, Fn: fn, Make: c}
		if !p.IsMakeChan(c.Node().(*ast.CallExpr)) || p.Runner(c) != fn.Cursor || !s.Variable() || s.Later || s.Cap > 0 {
			continue
		}
		if kind := s.feed(); kind != NoFeed {
			return kind
		}
	}
	return NoFeed
}

func (s *LocalChan) feed() Feed {
	var runner inspector.Cursor
	var send ChannelUse
	sent, returned := false, false
	for _, u := range s.Pass.ChannelUses(s.Fn.Cursor, s.Var) {
		switch u.Kind {
		case ChanMake:
			if u.At.Node().Pos() != s.Var.Pos() {
				return NoFeed
			}
		case ChanSend, ChanClose:
			if !s.Pass.StartedBy(u.Runner, s.Fn).Valid() || runner.Valid() && u.Runner != runner {
				return NoFeed
			}
			runner = u.Runner
			if u.Kind == ChanSend {
				if !u.Waits() || s.lastOfAll(u) {
					return NoFeed
				}
				send, sent = u, true
			}
		default:
			ret, ok := Unparen(u.At).Parent().Node().(*ast.ReturnStmt)
			if !ok || u.Runner != s.Fn.Cursor || ret.Results[0] != Unparen(u.At).Node() {
				return NoFeed
			}
			returned = true
		}
	}
	if !returned || !sent {
		return NoFeed
	}
	body := s.Pass.FuncOf(runner)
	switch {
	case len(Loops(send.Op, body, body.Body.Pos())) == 0:
		return NoFeed
	case !flow.ReachesReturn(body.Flow, nil):
		return FeedEndless
	}
	return FeedLoop
}

// lastOfAll reports whether the goroutine may end right behind a send, without
// another round: then the value may tell that it was the last.
func (s *LocalChan) lastOfAll(u ChannelUse) (last bool) {
	fn := s.Pass.FuncOf(u.Runner)
	node := FlowNode(u.At, fn)
	flow.Paths[struct{}]{
		Node:  func(n ast.Node, st struct{}) (struct{}, bool) { return st, n != node },
		Round: func(ast.Stmt, struct{}) bool { return false },
		Exit:  func(*flow.Block, struct{}) { last = true },
	}.After(fn.Flow, node, struct{}{})
	return last
}

// Forsaken is a producer whose consumer goes away.
type Forsaken struct {
	Exit token.Pos // where the consumer leaves
	Recv ast.Node  // where it received
}

// Forsaken decides on a call, in fn, of a function that leaves a producer
// behind the channel it returns: whether fn, who alone has it, stops receiving
// while more may come. It does where it leaves a range early, and where it
// returns at all if the producer has no end.
func (p *Pass) Forsaken(call inspector.Cursor, fn *Func, kind Feed) (f Forsaken, ok bool) {
	uses, start, ok := p.received(call, fn)
	if !ok {
		return f, false
	}
	heads, ranges := map[ast.Node]bool{}, false
	for _, u := range uses {
		heads[FlowNode(u.At, fn)] = u.Kind == ChanRange
		ranges = ranges || u.Kind == ChanRange
	}
	found := func(b *flow.Block, at ast.Node) {
		if !f.Exit.IsValid() {
			f = Forsaken{b.End, at}
		}
	}
	for _, u := range uses {
		loop, isRange := u.Op.Node().(*ast.RangeStmt)
		if !isRange {
			continue
		}
		flow.Paths[struct{}]{
			Node:  func(n ast.Node, st struct{}) (struct{}, bool) { return st, !heads[n] && !p.FailsTest(n) },
			Round: func(l ast.Stmt, _ struct{}) bool { return l != ast.Stmt(loop) },
			// A condition that knows what the producer was asked for may know
			// that it is done, and one that asks the value may be told so.
			Edge: func(cond ast.Expr, _ bool, st struct{}) (struct{}, bool) {
				return st, !p.shares(cond, call.Node().(*ast.CallExpr)) && !p.asksFlag(cond, loop.Key)
			},
			Exit: func(b *flow.Block, _ struct{}) { found(b, loop) },
		}.FromBody(fn.Flow, loop, struct{}{})
	}
	if kind == FeedEndless && !ranges {
		flow.Paths[struct{}]{
			Node: func(n ast.Node, st struct{}) (struct{}, bool) { return st, !heads[n] && !p.FailsTest(n) },
			Exit: func(b *flow.Block, _ struct{}) { found(b, call.Node()) },
		}.After(fn.Flow, start, struct{}{})
	}
	return f, f.Exit.IsValid()
}

// received lists the receives from the channel that a call returns, if fn does
// nothing else with it, and the node behind which they come.
func (p *Pass) received(call inspector.Cursor, fn *Func) (uses []ChannelUse, start ast.Node, ok bool) {
	at := Unparen(call)
	if r, isRange := at.Parent().Node().(*ast.RangeStmt); isRange && r.X == at.Node() {
		return []ChannelUse{{Kind: ChanRange, At: at, Op: at.Parent(), Runner: p.Runner(call)}}, FlowNode(call, fn), p.Runner(call) == fn.Cursor
	}
	as, isAssign := at.Parent().Node().(*ast.AssignStmt)
	if !isAssign || as.Tok != token.DEFINE || len(as.Rhs) != 1 || p.Runner(call) != fn.Cursor {
		return nil, nil, false
	}
	v := p.VarOf(as.Lhs[0])
	if !p.DeclaredIn(v, fn) || fn.Flow.InCycle(FlowNode(call, fn)) {
		return nil, nil, false
	}
	for _, u := range p.ChannelUses(fn.Cursor, v) {
		switch {
		case u.Kind == ChanMake && u.At.Node().Pos() == v.Pos():
		case (u.Kind == ChanRecv || u.Kind == ChanRange) && u.Runner == fn.Cursor:
			uses = append(uses, u)
		default:
			return nil, nil, false
		}
	}
	return uses, FlowNode(call, fn), len(uses) > 0
}

// asksFlag reports whether a condition is a field of the value that was received.
func (p *Pass) asksFlag(cond, value ast.Expr) bool {
	cond = ast.Unparen(cond)
	if not, ok := cond.(*ast.UnaryExpr); ok && not.Op == token.NOT {
		cond = ast.Unparen(not.X)
	}
	x, ok := cond.(*ast.SelectorExpr)
	return ok && value != nil && p.Selected(x) != nil && p.VarOf(x.X) != nil && p.VarOf(x.X) == p.VarOf(value)
}

// shares reports whether a condition mentions a variable that is also among
// the arguments of call.
func (p *Pass) shares(cond ast.Expr, call *ast.CallExpr) (found bool) {
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
