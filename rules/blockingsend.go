package rules

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/match"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Sends that block for ever because the receiver leaves first.
//
// # What it does
//
// It follows a channel that a function makes, that goroutines started by it send
// on and that the function itself receives from. It counts sends, capacity and
// receives on each path, and reports a path on which the function returns with a
// sender left behind: a select that takes the timeout (Timeout), an early return
// (EarlyReturn), the first of many answers (NCast), two sends for one receive
// (DoubleSend), or no receive at all.
//
// # Why it leaks
//
// A send on a channel without room waits for a receiver. When the function that
// would receive has returned, nobody is left who could, and the goroutine and all
// it refers to stay until the process ends.
//
// # Example
//
//	ch := make(chan result)
//	go func() { ch <- query() }()
//	select {
//	case r := <-ch:
//		return r, nil
//	case <-ctx.Done():
//		return result{}, ctx.Err()
//	}
//
// # Use instead
//
//	ch := make(chan result, 1)
//
// # What is not reported
//
// A channel that is returned, stored or passed to a function: somebody else may
// receive. A channel with enough room. Sends in a select with another way out.
// Functions that receive on every path, also by a deferred receive or by waiting
// for the sender. Paths that end in a panic, os.Exit, log.Fatal or t.Fatal, and the
// end of main.main.
//
// # Fix safety
//
// The channel gets room for all sends, one or as many as the loop has rounds
// that starts the senders. The send then returns at once, and the only change is
// that the goroutine ends earlier; so the fix is safe only if nothing that others
// could observe follows the send in the goroutine, deferred calls included, and
// if the value is nothing that must be closed. Otherwise it is unsafe. The work
// itself is not cancelled: it runs to its end as before. No fix is offered if the
// function looks at len or cap or polls the channel, or if how many send is not
// known where the channel is made.
//
// # See also
//
// Saioc et al., "Unveiling and Vanquishing Goroutine Leaks in Enterprise
// Microservices", CGO 2024, for the names of the categories.
var blockingsend = rule.Rule{Name: "blockingsend", Doc: doc("blockingsend"), Find: findBlockingsend}

func findBlockingsend(p *match.Pass) []rule.Match {
	var out []rule.Match
	for c := range p.Inspector.Root().Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if !p.IsBuiltin(call, "make") || len(call.Args) == 0 {
			continue
		}
		if _, ok := p.TypesInfo.TypeOf(call).Underlying().(*types.Chan); !ok {
			continue
		}
		fn := p.EnclosingFunc(c)
		if fn == nil || p.Pkg.Name() == "main" && fn.Name() == "main" {
			continue // when main returns, nothing is left to block
		}
		s := sendLeak{p: p, fn: fn, make: c}
		if m, ok := s.match(); ok {
			out = append(out, m)
		}
	}
	return out
}

// sendLeak looks at one channel that is made in a function, filled by
// goroutines that the function starts and emptied by the function itself.
type sendLeak struct {
	p    *match.Pass
	fn   *match.Func
	make inspector.Cursor // the call of make

	ch       *types.Var
	cap      int64
	senders  []*sender
	recvs    []match.ChannelUse // in the function itself
	ranges   []match.ChannelUse // range statements in the function itself
	looks    bool               // len, cap or a non-blocking select look at the channel's state
	closed   bool               // by the function itself or by a goroutine that sends nothing
	later    bool               // made behind its declaration
	siblings map[types.Object]bool
}

// sender is a goroutine that sends on the channel.
type sender struct {
	stmt  inspector.Cursor // the go statement
	body  *match.Func
	sends []match.ChannelUse // plain send statements, in source order
	most  int                // sends on one path of it, up to match.Many
	bound match.Bound        // how many of it are started
	loop  ast.Stmt           // by this loop; nil for one
}

func (s *sendLeak) match() (m rule.Match, ok bool) {
	if !s.variable() || !s.uses() || len(s.senders) == 0 {
		return m, false
	}
	for _, snd := range s.senders {
		if len(snd.sends) == 0 {
			return m, false // it sends in selects with another way out
		}
	}
	first := s.senders[0].sends[0]
	m = rule.Match{
		Pos: first.Op.Node().Pos(), End: first.Op.Node().End(),
		Related: []rule.Related{
			{Pos: s.make.Node().Pos(), End: s.make.Node().End(), Message: "the channel is made here"},
			{Pos: s.senders[0].stmt.Node().Pos(), End: s.senders[0].stmt.Node().Pos() + 2, Message: "the goroutine starts here"},
		},
	}
	name := s.sentName(first)
	if len(s.recvs)+len(s.ranges) == 0 {
		if s.cap > 0 || s.looks {
			return m, false
		}
		m.Message = "nobody receives from " + name + ", so the send blocks forever"
		return m.None("a buffer would only hide that the value is never used"), true
	}
	if s.closed && len(s.ranges) == 0 || len(s.ranges) > 0 && len(s.recvs) > 0 {
		return m, false // closed under the senders: another fault, or a protocol that is not understood
	}
	why, leaks := s.leak()
	if !leaks {
		return m, false
	}
	m.Category = why.category
	m.Message = fmt.Sprintf("send on %s blocks forever when %s returns without receiving", name, s.owner())
	m.Related = append(m.Related, rule.Related{Pos: why.exit, End: why.exit, Message: "the receiver returns here"})
	return s.fix(m), true
}

func (s *sendLeak) sentName(u match.ChannelUse) string {
	return types.ExprString(u.Op.Node().(*ast.SendStmt).Chan)
}

func (s *sendLeak) owner() string {
	if n := s.fn.Name(); n != "" {
		return n
	}
	return "the function"
}

// variable finds the local variable that holds the channel and nothing else.
func (s *sendLeak) variable() bool {
	call := s.make.Node().(*ast.CallExpr)
	if len(call.Args) == 2 {
		v := s.p.TypesInfo.Types[call.Args[1]].Value
		n, ok := match.SmallInt(v)
		if !ok {
			return false
		}
		s.cap = n
	}
	parent := match.Unparen(s.make).Parent()
	var lhs ast.Expr
	switch n := parent.Node().(type) {
	case *ast.AssignStmt:
		s.later = n.Tok != token.DEFINE
		for i, r := range n.Rhs {
			if ast.Unparen(r) == ast.Expr(call) && len(n.Lhs) == len(n.Rhs) {
				lhs = n.Lhs[i]
			}
		}
	case *ast.ValueSpec:
		for i, r := range n.Values {
			if ast.Unparen(r) == ast.Expr(call) && len(n.Names) == len(n.Values) {
				lhs = n.Names[i]
			}
		}
	}
	if lhs == nil {
		return false
	}
	s.ch = s.p.VarOf(lhs)
	return s.p.DeclaredIn(s.ch, s.fn) && !s.p.IsResult(s.ch, s.fn)
}

// uses sorts what is done with the channel. It returns false if somebody
// unknown may send, receive or close.
func (s *sendLeak) uses() bool {
	made := 0
	for _, u := range s.p.ChannelUses(s.fn.Cursor, s.ch) {
		switch {
		case u.Kind == match.ChanMake:
			if _, isVar := u.At.Parent().Node().(*ast.ValueSpec); isVar && s.later {
				continue // var ch chan T
			}
			if made++; made > 1 {
				return false
			}
		case u.Kind == match.ChanNil:
		case u.Kind == match.ChanOther && s.looked(u):
			s.looks = true
		case u.Kind == match.ChanOther:
			if !s.handedOver(u) {
				return false
			}
		case u.Kind == match.ChanRecv && u.Runner == s.fn.Cursor:
			s.received(u)
		case u.Kind == match.ChanRange && u.Runner == s.fn.Cursor:
			s.ranges = append(s.ranges, u)
		case u.Kind == match.ChanSend && u.Runner != s.fn.Cursor:
			if !s.sent(u) {
				return false
			}
		case u.Kind == match.ChanClose && u.Runner != s.fn.Cursor && s.senderOf(u.Runner) != nil:
			// closed by its sender, behind the send
		case u.Kind == match.ChanClose:
			s.closed = true
		default:
			return false
		}
	}
	return true
}

// looked reports whether u asks for len or cap.
func (s *sendLeak) looked(u match.ChannelUse) bool {
	call, ok := match.Unparen(u.At).Parent().Node().(*ast.CallExpr)
	return ok && (s.p.IsBuiltin(call, "len") || s.p.IsBuiltin(call, "cap"))
}

func (s *sendLeak) received(u match.ChannelUse) {
	s.recvs = append(s.recvs, u)
	if _, hasDefault := match.InSelect(u.Op); hasDefault {
		s.looks = true
	}
}

// handedOver follows the channel into a parameter of the literal that a go
// statement starts: go func(out chan<- int) { ... }(ch).
func (s *sendLeak) handedOver(u match.ChannelUse) bool {
	call := match.Unparen(u.At).Parent()
	n, ok := call.Node().(*ast.CallExpr)
	if !ok {
		return false
	}
	lit, ok := ast.Unparen(n.Fun).(*ast.FuncLit)
	if _, isGo := call.Parent().Node().(*ast.GoStmt); !ok || !isGo {
		return false
	}
	c, _ := call.FindNode(lit)
	for _, field := range lit.Type.Params.List {
		for _, name := range field.Names {
			v := s.p.TypesInfo.Defs[name]
			if v == nil || s.p.LitArgument(c, v) != match.Unparen(u.At).Node() {
				continue
			}
			for _, pu := range s.p.ChannelUses(c, v) {
				switch {
				case pu.Kind == match.ChanMake || pu.Kind == match.ChanNil:
				case pu.Kind == match.ChanSend:
					if !s.sent(pu) {
						return false
					}
				case pu.Kind == match.ChanClose && pu.Runner == c:
				default:
					return false
				}
			}
			return true
		}
	}
	return false
}

func (s *sendLeak) senderOf(runner inspector.Cursor) *sender {
	for _, snd := range s.senders {
		if snd.body.Cursor == runner {
			return snd
		}
	}
	return nil
}

// sent books a send. Only goroutines that the function itself starts, as
// literals, are understood.
func (s *sendLeak) sent(u match.ChannelUse) bool {
	snd := s.senderOf(u.Runner)
	if snd == nil {
		if _, ok := u.Runner.Node().(*ast.FuncLit); !ok {
			return false
		}
		call := match.Unparen(u.Runner).Parent()
		ce, ok := call.Node().(*ast.CallExpr)
		if !ok || ast.Unparen(ce.Fun) != u.Runner.Node() {
			return false
		}
		gs := call.Parent()
		if _, ok := gs.Node().(*ast.GoStmt); !ok || s.p.Runner(gs) != s.fn.Cursor {
			return false
		}
		snd = &sender{stmt: gs, body: s.p.FuncOf(u.Runner), bound: match.Bound{Const: 1}}
		if loops := match.Loops(gs, s.fn, s.ch.Pos()); len(loops) > 0 {
			snd.loop = loops[0]
			snd.bound, ok = s.p.LoopBound(snd.loop)
			if !ok || len(loops) > 1 {
				snd.bound = match.Bound{}
			}
		} else if match.FlowNode(gs, s.fn) == nil {
			return false // started by a literal that is called in place
		}
		s.senders = append(s.senders, snd)
	}
	if sel, _ := match.InSelect(u.Op); sel != nil {
		return len(sel.Body.List) > 1 // has another way out; alone it is a plain send, in odd clothes
	}
	if match.FlowNode(u.Op, snd.body) == nil {
		return false
	}
	snd.sends = append(snd.sends, u)
	return true
}

// leakWhy is how the receiver gets away.
type leakWhy struct {
	category string
	exit     token.Pos
}

// leak decides whether a sender can be left behind: whether there is a path
// from the first go statement to a return of the function that receives less
// often than the goroutines may send, beyond what the buffer takes.
func (s *sendLeak) leak() (leakWhy, bool) {
	kept := s.senders[:0]
	for _, snd := range s.senders {
		nodes := map[ast.Node]int{}
		for _, u := range snd.sends {
			nodes[match.FlowNode(u.Op, snd.body)] = 1
		}
		snd.most = match.MostOn(snd.body, nodes)
		if snd.most > 0 {
			kept = append(kept, snd)
		}
	}
	s.senders = kept
	if len(kept) == 0 {
		return leakWhy{}, false
	}
	s.findSiblings()
	if len(s.ranges) > 0 {
		return s.leakOfRange()
	}
	for _, snd := range s.senders {
		if snd.loop != nil {
			return s.leakOfMany()
		}
		if snd.most >= match.Many {
			return s.leakOfProducer(snd)
		}
	}
	return s.leakOfFew()
}

// findSiblings collects the channels that a sender uses instead of this one:
// on each of its paths it sends on one of them at most, so that a receiver
// that hears from one need not wait for the other.
func (s *sendLeak) findSiblings() {
	s.siblings = map[types.Object]bool{}
	if len(s.senders) != 1 {
		return
	}
	snd := s.senders[0]
	nodes := map[ast.Node]int{}
	for _, u := range snd.sends {
		nodes[match.FlowNode(u.Op, snd.body)] = 1
	}
	for c := range snd.body.Cursor.Preorder((*ast.SendStmt)(nil), (*ast.CallExpr)(nil)) {
		var e ast.Expr
		switch n := c.Node().(type) {
		case *ast.SendStmt:
			e = n.Chan
		case *ast.CallExpr:
			if s.p.IsBuiltin(n, "close") {
				e = n.Args[0]
			}
		}
		if e == nil {
			continue
		}
		v, node := s.p.VarOf(e), match.FlowNode(c, snd.body)
		if v == nil || v == s.ch || node == nil || s.p.Runner(c) != snd.body.Cursor || nodes[node] > 0 {
			continue
		}
		_, deferred := node.(*ast.DeferStmt)
		if arg := s.p.LitArgument(snd.body.Cursor, v); arg != nil {
			v = s.p.VarOf(arg)
		}
		with := map[ast.Node]int{node: 1}
		for n := range nodes {
			with[n] = 1
		}
		// In place of the send, or only when it is done.
		if v != nil && (deferred || match.MostOn(snd.body, with) == 1 || s.comesAfter(snd, node, nodes)) {
			s.siblings[v] = true
		}
	}
}

// comesAfter reports whether a sender reaches node only behind a send.
func (s *sendLeak) comesAfter(snd *sender, node ast.Node, sends map[ast.Node]int) bool {
	before := false
	match.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
		before = before || n == node
		return st, sends[n] == 0
	}}.FromEntry(snd.body.Flow, struct{}{})
	return !before
}

// pathState is what a path of the receiver remembers.
type pathState struct {
	sent, got int8
	timeout   bool // a select went another way
}

// leakOfFew counts sends and receives along each path of the function.
func (s *sendLeak) leakOfFew() (why leakWhy, leaks bool) {
	starts := map[ast.Node]int8{}
	var assumed []match.Assumptions
	for _, snd := range s.senders {
		starts[match.FlowNode(snd.stmt, s.fn)] += int8(snd.most)
		assumed = append(assumed, s.p.Assumed(snd.stmt, s.fn))
		if len(snd.sends) == 1 {
			assumed = append(assumed, s.p.AssumedIn(snd.sends[0].Op, snd.body, s.fn))
		}
	}
	gets, loops := s.receiveNodes()
	for node, l := range loops {
		// A loop with an end of its own that receives each time: how often
		// is not known. A select in it may as well end it.
		if f, ok := l.(*ast.ForStmt); ok && f.Cond == nil {
			continue
		}
		if len(s.senders) > 1 || !s.inSelect(node) && everyRound(l, node) {
			return why, false
		}
	}
	first := match.FlowNode(s.senders[0].stmt, s.fn)
	match.Paths[pathState]{
		Node: func(n ast.Node, st pathState) (pathState, bool) {
			st.sent = min(st.sent+starts[n], 100)
			if gets[n] > 0 {
				st.got = min(st.got+gets[n], 100)
			} else if s.inSelect(n) {
				st.timeout = true
			}
			return st, int64(st.got) < int64(st.sent)-s.cap || int64(st.sent) < s.total()
		},
		Edge: func(cond ast.Expr, taken bool, st pathState) (pathState, bool) {
			if x, isNil, ok := s.p.NilTest(cond, taken); ok && s.p.VarOf(x) == s.ch {
				return st, !isNil
			}
			for _, a := range assumed {
				if !a.Possible(cond, taken) {
					return st, false
				}
			}
			return st, true
		},
		Exit: func(b *match.Block, st pathState) {
			if int64(st.got)+s.cap < int64(st.sent) && !leaks {
				leaks = true
				why = leakWhy{"EarlyReturn", b.End}
				if st.timeout {
					why.category = "Timeout"
				}
			}
		},
	}.After(s.fn.Flow, first, pathState{sent: starts[first]})
	if leaks && s.senders[0].most > 1 {
		why.category = "DoubleSend"
	}
	return why, leaks
}

// total is the number of sends of all senders, each once.
func (s *sendLeak) total() (n int64) {
	for _, snd := range s.senders {
		n += int64(snd.most)
	}
	return n
}

// inSelect reports whether a node of the flow is the communication of a case
// of a select that also receives from the channel.
func (s *sendLeak) inSelect(n ast.Node) bool {
	for _, u := range s.recvs {
		sel, _ := match.InSelect(u.Op)
		if sel == nil {
			continue
		}
		for _, c := range sel.Body.List {
			if comm := c.(*ast.CommClause).Comm; comm != nil && ast.Node(comm) == n {
				return true
			}
		}
	}
	return false
}

// receiveNodes returns how often each node of the function's flow receives
// from the channel or a sibling, and the loops around these nodes.
func (s *sendLeak) receiveNodes() (gets map[ast.Node]int8, loops map[ast.Node]ast.Stmt) {
	gets, loops = map[ast.Node]int8{}, map[ast.Node]ast.Stmt{}
	add := func(u match.ChannelUse) {
		if n := match.FlowNode(u.Op, s.fn); n != nil && !perhaps(u.Op, n) {
			gets[n]++
			if l := match.Loops(u.At, s.fn, s.senders[0].stmt.Node().Pos()); len(l) > 0 {
				loops[n] = l[0]
			}
		}
	}
	for _, u := range s.recvs {
		add(u)
	}
	for v := range s.siblings {
		for _, u := range s.p.ChannelUses(s.fn.Cursor, v) {
			if (u.Kind == match.ChanRecv || u.Kind == match.ChanRange) && u.Runner == s.fn.Cursor {
				add(u)
			}
		}
	}
	// Waiting until the senders are done is as good: they are when it returns.
	for _, w := range s.p.WaitGroupOps(s.fn.Cursor) {
		if w.Name != "Wait" || w.Runner != s.fn.Cursor {
			continue
		}
		for _, d := range s.p.WaitGroupOps(s.senders[0].body.Cursor) {
			if n := match.FlowNode(w.At, s.fn); n != nil && d.Name == "Done" && d.Key == w.Key {
				gets[n] += int8(s.senders[0].most)
			}
		}
	}
	return gets, loops
}

// perhaps reports whether a receive within node is evaluated only if the left
// side of && or || says so.
func perhaps(op inspector.Cursor, node ast.Node) bool {
	for c := op; c.Valid() && c.Node() != node; c = c.Parent() {
		be, ok := c.Parent().Node().(*ast.BinaryExpr)
		if ok && (be.Op == token.LAND || be.Op == token.LOR) && be.Y == c.Node() {
			return true
		}
	}
	return false
}

// everyRound reports whether a statement stands in the body of a loop itself,
// so that each round comes to it.
func everyRound(loop ast.Stmt, node ast.Node) bool {
	var body *ast.BlockStmt
	switch l := loop.(type) {
	case *ast.ForStmt:
		body = l.Body
	case *ast.RangeStmt:
		body = l.Body
	}
	return slices.ContainsFunc(body.List, func(s ast.Stmt) bool { return ast.Node(s) == node })
}

// leakOfProducer is for one goroutine that sends in a loop of its own: it is
// left behind if the function receives fewer times than the loop has rounds.
func (s *sendLeak) leakOfProducer(snd *sender) (why leakWhy, leaks bool) {
	gets, loops := s.receiveNodes()
	if len(s.senders) != 1 || len(snd.sends) != 1 || len(loops) > 0 {
		return why, false
	}
	inner := match.Loops(snd.sends[0].Op, snd.body, snd.body.Body.Pos())
	if len(inner) != 1 {
		return why, false
	}
	bound, ok := s.p.LoopBound(inner[0])
	most := int64(match.MostOn(s.fn, widen(gets)))
	if !ok || bound.Of != nil || most >= match.Many || bound.Const <= most+s.cap {
		return why, false
	}
	exit := s.anyExit(match.FlowNode(snd.stmt, s.fn))
	return leakWhy{"NCast", exit}, exit.IsValid()
}

// anyExit returns where the function returns behind node, or NoPos.
func (s *sendLeak) anyExit(node ast.Node) (exit token.Pos) {
	match.Paths[struct{}]{
		Node: func(ast.Node, struct{}) (struct{}, bool) { return struct{}{}, !exit.IsValid() },
		Exit: func(b *match.Block, _ struct{}) { exit = b.End },
	}.After(s.fn.Flow, node, struct{}{})
	return exit
}

// leakOfRange is for a receiver that ranges over the channel and can leave
// the loop while senders are left.
func (s *sendLeak) leakOfRange() (why leakWhy, leaks bool) {
	if len(s.ranges) != 1 || s.cap > 0 || s.senders[0].loop == nil && s.senders[0].most < 2 && len(s.senders) == 1 {
		return why, false
	}
	loop, _ := s.ranges[0].Op.Node().(ast.Stmt)
	match.Paths[struct{}]{
		Node:  func(ast.Node, struct{}) (struct{}, bool) { return struct{}{}, true },
		Round: func(l ast.Stmt, _ struct{}) bool { return l != loop },
		Exit: func(b *match.Block, _ struct{}) {
			if !leaks {
				why, leaks = leakWhy{"EarlyReturn", b.End}, true
			}
		},
	}.FromBody(s.fn.Flow, loop, struct{}{})
	return why, leaks
}

// leakOfMany is for senders that a loop starts: either the function receives
// outside of loops, then less often than they send, or in a loop of its own
// that it can leave early.
func (s *sendLeak) leakOfMany() (why leakWhy, leaks bool) {
	if len(s.senders) != 1 || s.senders[0].most != 1 {
		return why, false
	}
	snd := s.senders[0]
	gets, loops := s.receiveNodes()
	start := match.FlowNode(snd.stmt, s.fn)
	if len(loops) == 0 {
		most := int64(match.MostOn(s.fn, widen(gets)))
		if most >= match.Many || snd.bound.Const > 0 && s.cap+most >= snd.bound.Const {
			return why, false
		}
		exit := s.anyExit(start)
		return leakWhy{"NCast", exit}, exit.IsValid() && s.cap == 0
	}
	if len(loops) != 1 || len(gets) != 1 || s.cap > 0 {
		return why, false
	}
	for node, loop := range loops {
		if b, ok := s.p.LoopBound(loop); !ok || !sameBound(b, snd.bound) || snd.loop == loop {
			return why, false // in the loop that starts them, each is heard before the next
		}
		leaves := match.Paths[bool]{
			Node:  func(n ast.Node, timeout bool) (bool, bool) { return timeout || n != node && s.inSelect(n), true },
			Round: func(l ast.Stmt, _ bool) bool { return l != loop },
			Exit: func(b *match.Block, timeout bool) {
				if leaks {
					return
				}
				why, leaks = leakWhy{"EarlyReturn", b.End}, true
				if timeout {
					why.category = "Timeout"
				}
			},
		}
		leaves.After(s.fn.Flow, start, false) // past the loop
		leaves.FromBody(s.fn.Flow, loop, false)
	}
	return why, leaks
}

func widen(m map[ast.Node]int8) map[ast.Node]int {
	out := map[ast.Node]int{}
	for n, k := range m {
		out[n] = int(k)
	}
	return out
}

func sameBound(a, b match.Bound) bool {
	if a.Of == nil || b.Of == nil {
		return a.Of == nil && b.Of == nil && a.Const == b.Const && a.Const > 0
	}
	return types.ExprString(a.Of) == types.ExprString(b.Of)
}

// fix offers a buffer that takes all sends.
func (s *sendLeak) fix(m rule.Match) rule.Match {
	call := s.make.Node().(*ast.CallExpr)
	switch {
	case s.later:
		return m.None("the channel is not made where it is declared")
	case len(s.ranges) > 0:
		return m.None("the receiver ranges over the channel, and when it ends depends on who closes it")
	case s.senders[0].most >= match.Many:
		return m.None("the goroutine sends in a loop; it needs to be told when nobody listens any more")
	case s.p.Meant(match.Unparen(s.make).Parent().Node()):
		return m.None("a comment beside the channel says that it is meant")
	}
	if s.looks {
		return m.None("the function looks at the state of the channel, which a buffer would change")
	}
	if _, ok := ast.Unparen(call.Args[0]).(*ast.ChanType); !ok {
		return m.None("the channel has a named type, which may stand for more than this one")
	}
	if m.Category == "DoubleSend" {
		return m.None("the goroutine can send twice; probably a return is missing behind the first send")
	}
	var size func(*dstedit.Decl) dst.Expr
	what := ""
	if snd := s.senders[0]; snd.loop != nil {
		switch {
		case snd.bound.Of != nil:
			if !s.p.Stable(snd.bound.Of, s.fn) || !s.visible(snd.bound.Of) {
				return m.None("how many goroutines send is not known where the channel is made")
			}
			what = "len(" + types.ExprString(snd.bound.Of) + ")"
			size = func(d *dstedit.Decl) dst.Expr {
				return dstedit.Call(dstedit.Ident("len"), d.Expr(snd.bound.Of))
			}
		case snd.bound.Const > 0 && snd.bound.Const <= 1024:
			what = fmt.Sprint(snd.bound.Const)
		default:
			return m.None("how many goroutines send is not known where the channel is made")
		}
	} else {
		what = fmt.Sprint(s.total())
	}
	if size == nil {
		size = func(*dstedit.Decl) dst.Expr { return dstedit.Int(what) }
	}
	fix := func(d *dstedit.Decl) error {
		if len(call.Args) == 2 {
			return d.Replace(call.Args[1], size(d))
		}
		return d.AppendArg(call, size(d))
	}
	name := s.ch.Name()
	message := "Buffer " + name + " with room for " + what + " so the sender cannot block; the work itself is not cancelled"
	elem := s.p.TypesInfo.TypeOf(call).Underlying().(*types.Chan).Elem()
	switch {
	case match.OwnsResource(elem):
		return m.Unsafe(message+", and a value that nobody receives is not closed", fix)
	case s.shadowed("len") && size != nil && s.senders[0].bound.Of != nil:
		return m.None("len has another meaning here")
	}
	for _, snd := range s.senders {
		if why := s.observable(snd); why != "" {
			return m.Unsafe(message+", and "+why+" before the value is received", fix)
		}
	}
	return m.Safe(message, fix)
}

func (s *sendLeak) shadowed(name string) bool {
	scope := s.p.TypesInfo.Scopes[s.p.FileOf(s.make.Node().Pos())].Innermost(s.make.Node().Pos())
	_, o := scope.LookupParent(name, s.make.Node().Pos())
	_, builtin := o.(*types.Builtin)
	return !builtin
}

// visible reports whether the variables of e are declared before the channel is made.
func (s *sendLeak) visible(e ast.Expr) bool {
	ok := true
	ast.Inspect(e, func(n ast.Node) bool {
		if id, isIdent := n.(*ast.Ident); isIdent {
			if v := s.p.VarOf(id); v != nil && !v.IsField() && v.Pos() > s.make.Node().Pos() {
				ok = false
			}
		}
		return ok
	})
	return ok
}

// observable says what a sender does behind its send that others could see
// earlier than before if the send does not wait; "" if nothing.
func (s *sendLeak) observable(snd *sender) (why string) {
	for c := range snd.body.Cursor.Preorder((*ast.DeferStmt)(nil)) {
		if s.p.Runner(c) == snd.body.Cursor {
			return "the deferred calls of the goroutine may run"
		}
	}
	for _, u := range snd.sends {
		match.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
			if why == "" && !s.private(n, snd) {
				why = "what follows the send may run"
			}
			return st, why == ""
		}}.After(snd.body.Flow, match.FlowNode(u.Op, snd.body), struct{}{})
	}
	return why
}

// private reports whether nobody outside of the goroutine can see n happen:
// no call, no channel operation, no store but to its own variables.
func (s *sendLeak) private(n ast.Node, snd *sender) bool {
	own := func(e ast.Expr) bool {
		return match.IsBlank(e) || s.p.DeclaredIn(s.p.VarOf(e), snd.body)
	}
	ok := true
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			ok = ok && s.p.TypesInfo.Types[n.Fun].IsType()
		case *ast.SendStmt, *ast.GoStmt, *ast.DeferStmt:
			ok = false
		case *ast.UnaryExpr:
			ok = ok && n.Op != token.ARROW
		case *ast.IncDecStmt:
			ok = ok && own(n.X)
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				ok = ok && own(l)
			}
		}
		return ok
	})
	return ok
}
