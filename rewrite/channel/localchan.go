package channel

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Local is a channel that a function makes, that goroutines started by it
// send on, and that the function itself receives from. Nobody else sees it.
type Local struct {
	Pass *code.Pass
	Fn   *code.Func
	Make inspector.Cursor // the call of make

	Var     *types.Var
	Cap     int64
	Senders []*Sender
	Recvs   []Use // in the function itself
	Ranges  []Use // range statements in the function itself
	Looked  bool  // len, cap or a non-blocking select look at the channel's state
	Offered bool  // a goroutine sends on it in a select with another case
	Closed  bool  // by the function itself or by a goroutine that sends nothing
	Later   bool  // made after its declaration

	Siblings map[types.Object]bool
	Ends     map[ast.Node]bool // communications after which paths do not count; see doneSignalFor in blockingsend
}

// Sender is a goroutine that sends on the channel.
type Sender struct {
	Stmt   inspector.Cursor // the go statement
	Body   *code.Func       // a literal, or the declaration of a function of this package
	Named  bool             // it is a declaration
	Sends  []Use            // plain sends, or calls of functions that send, in source order; none if it sends in selects with another case
	Most   int              // sends on one path of it, up to Many
	Least  int              // sends on each path of it
	Bound  frozen.Bound     // how many of it are started
	Loop   ast.Stmt         // by this loop; nil for one
	Nested bool             // which stands in another one

	Cut  ast.Node          // its paths are taken to end here; see Doubled
	Once map[ast.Node]bool // its sends that a flag lets through once
}

// FollowLocal follows the channel of a call of make in fn. ok is false if it
// is not kept in a local variable, or if code that is not known may send, receive
// or close.
func FollowLocal(p *code.Pass, makeCall inspector.Cursor, fn *code.Func) (c *Local, ok bool) {
	c = &Local{Pass: p, Fn: fn, Make: makeCall}
	return c, c.Variable() && c.uses()
}

// Variable finds the local variable that holds the channel and nothing else.
func (s *Local) Variable() bool {
	call := s.Make.Node().(*ast.CallExpr)
	if len(call.Args) == 2 {
		v := s.Pass.TypesInfo.Types[call.Args[1]].Value
		n, ok := typeis.SmallInt(v)
		if !ok {
			return false
		}
		s.Cap = n
	}
	parent := code.Unparen(s.Make).Parent()
	var lhs ast.Expr
	switch n := parent.Node().(type) {
	case *ast.AssignStmt:
		s.Later = n.Tok != token.DEFINE
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
	s.Var = s.Pass.VarOf(lhs)
	return s.Pass.DeclaredIn(s.Var, s.Fn) && !s.Pass.IsResult(s.Var, s.Fn)
}

// uses sorts what is done with the channel. It returns false if code that is not known
// may send, receive or close.
func (s *Local) uses() bool {
	made := 0
	var closes []Use
	for _, u := range Uses(s.Pass, s.Fn.Cursor, s.Var) {
		switch {
		case u.Kind == Make:
			if _, isVar := u.At.Parent().Node().(*ast.ValueSpec); isVar && s.Later {
				continue // var ch chan T
			}
			if made++; made > 1 {
				return false
			}
		case u.Kind == Nil:
		case u.Kind == Other && s.looked(u):
			s.Looked = true
		case u.Kind == Other:
			if !s.handedOver(u) && !s.passed(u) {
				return false
			}
		case u.Kind == Recv && u.GoroutineFunc == s.Fn.Cursor:
			s.received(u)
		case u.Kind == Range && u.GoroutineFunc == s.Fn.Cursor:
			s.Ranges = append(s.Ranges, u)
		case u.Kind == Send && u.GoroutineFunc != s.Fn.Cursor:
			if !s.sent(u) {
				return false
			}
		case u.Kind == Close:
			closes = append(closes, u)
		default:
			return false
		}
	}
	for _, u := range closes { // a sender may close, after its last send
		own := u.GoroutineFunc == s.Fn.Cursor
		s.Closed = s.Closed || own && !s.inPlaceOfSenders(u) || !own && s.senderOf(u.GoroutineFunc) == nil
	}
	return true
}

// inPlaceOfSenders reports whether the function itself closes the channel only on paths
// on which it starts no sender: nobody sends then, and so who receives does not wait.
func (s *Local) inPlaceOfSenders(closed Use) bool {
	node, made := code.FlowNode(closed.Op, s.Fn), code.FlowNode(s.Make, s.Fn)
	if _, deferred := node.(*ast.DeferStmt); deferred || node == nil {
		return false
	}
	starts := map[ast.Node]bool{}
	for _, snd := range s.Senders {
		starts[code.FlowNode(snd.Stmt, s.Fn)] = true
	}
	both := false
	meets := func(from ast.Node, with func(ast.Node) bool) {
		flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
			both = both || with(n)
			return st, !both && n != made
		}}.After(s.Fn.Flow, from, struct{}{})
	}
	meets(node, func(n ast.Node) bool { return starts[n] })
	for start := range starts {
		meets(start, func(n ast.Node) bool { return n == node })
	}
	return !both
}

// looked reports whether u asks for len or cap.
func (s *Local) looked(u Use) bool {
	call, ok := code.Unparen(u.At).Parent().Node().(*ast.CallExpr)
	return ok && (s.Pass.IsBuiltin(call, "len") || s.Pass.IsBuiltin(call, "cap"))
}

func (s *Local) received(u Use) {
	s.Recvs = append(s.Recvs, u)
	if _, hasDefault := InSelect(u.Op); hasDefault {
		s.Looked = true
	}
}

// handedOver follows the channel into a parameter of the literal that a go
// statement starts: go func(out chan<- int) { ... }(ch).
func (s *Local) handedOver(u Use) bool {
	call := code.Unparen(u.At).Parent()
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
			v := s.Pass.TypesInfo.Defs[name]
			if v == nil || s.Pass.LitArgument(c, v) != code.Unparen(u.At).Node() {
				continue
			}
			for _, pu := range Uses(s.Pass, c, v) {
				switch {
				case pu.Kind == Make || pu.Kind == Nil:
				case pu.Kind == Send:
					if !s.sent(pu) {
						return false
					}
				case pu.Kind == Close && pu.GoroutineFunc == c:
				default:
					return false
				}
			}
			return true
		}
	}
	return false
}

func (s *Local) senderOf(runner inspector.Cursor) *Sender {
	for _, snd := range s.Senders {
		if snd.Body.Cursor == runner {
			return snd
		}
	}
	return nil
}

// passed records a channel that is an argument of a function whose effect is known.
func (s *Local) passed(u Use) bool {
	a, ok := ArgumentOf(s.Pass, u)
	e := a.Effect
	switch {
	case !ok:
		return false
	case e.Idle():
		return true
	case a.Go:
		return u.GoroutineFunc == s.Fn.Cursor && s.starts(a)
	case e.Selects || e.Ranges || e.Sends > 0 && e.Receives > 0:
		return false
	}
	u.Callee, u.Op = a, a.Call
	s.Looked = s.Looked || e.Looks
	if u.GoroutineFunc == s.Fn.Cursor {
		if e.Sends > 0 || e.Receives != e.SureReceives {
			return false
		}
		if e.Receives > 0 {
			u.Kind = Recv
			s.Recvs = append(s.Recvs, u)
		}
		s.Closed = s.Closed || e.Closes
		return true
	}
	if e.Receives > 0 || e.Sends == 0 {
		return false
	}
	u.Kind = Send
	return s.sent(u)
}

// starts records "go produce(ch)" of a function of this package that does
// nothing but send, and perhaps close.
func (s *Local) starts(a Argument) bool {
	e, body := a.Effect, s.Pass.Declaration(a.Callee)
	if body == nil || body.Cursor == s.Fn.Cursor || e.Receives > 0 || e.Ranges || e.Selects || e.Looks || e.Sends == 0 {
		return false
	}
	snd := s.start(a.Call.Parent(), body)
	if snd == nil {
		return false
	}
	snd.Named = true
	for _, u := range Uses(s.Pass, body.Cursor, a.Callee.Signature().Params().At(a.Index)) {
		switch u.Kind {
		case Send:
			snd.Sends = append(snd.Sends, u)
		case Other:
			return false
		}
	}
	return true
}

// sent records a send in a literal that the function starts as a goroutine.
func (s *Local) sent(u Use) bool {
	snd := s.senderOf(u.GoroutineFunc)
	if snd == nil {
		gs := launch.StartedBy(s.Pass, u.GoroutineFunc, s.Fn)
		if !gs.Valid() {
			return false
		}
		if snd = s.start(gs, s.Pass.FuncOf(u.GoroutineFunc)); snd == nil {
			return false
		}
	}
	if sel, _ := InSelect(u.Op); sel != nil {
		s.Offered = true
		return len(sel.Body.List) > 1 // has another case; with one case it is a plain send
	}
	switch node := code.FlowNode(u.Op, snd.Body).(type) {
	case *ast.ExprStmt:
		if ast.Unparen(node.X) != u.Op.Node() {
			return false // within an expression
		}
	case *ast.DeferStmt:
		if ast.Node(node.Call) != u.Op.Node() && DeferredLiteral(s.Pass, u.Op, snd.Body) == nil {
			return false // see Count
		}
	default:
		if node != u.Op.Node() {
			return false
		}
	}
	snd.Sends = append(snd.Sends, u)
	return true
}

// start records a go statement of the function. It returns nil for one that is
// not understood.
func (s *Local) start(gs inspector.Cursor, body *code.Func) *Sender {
	snd := &Sender{Stmt: gs, Body: body, Bound: frozen.Bound{Const: 1}}
	if loops := Loops(gs, s.Fn, s.Var.Pos()); len(loops) > 0 {
		snd.Loop, snd.Nested = loops[0], len(loops) > 1
		var ok bool
		snd.Bound, ok = frozen.LoopBound(s.Pass, snd.Loop)
		if !ok || len(loops) > 1 {
			snd.Bound = frozen.Bound{}
		}
	} else if code.FlowNode(gs, s.Fn) != gs.Node() || s.Fn.Flow.InCycle(gs.Node()) && !s.Fn.Flow.InCycle(code.FlowNode(s.Make, s.Fn)) {
		return nil // started by a literal that is called in place, or again by a goto
	}
	s.Senders = append(s.Senders, snd)
	return snd
}

// Argument returns the variable of the function that v, which the goroutine
// uses, stands for: v itself or the argument for it.
func (s *Local) Argument(snd *Sender, v *types.Var) *types.Var {
	if v == nil || v.Kind() != types.ParamVar {
		return v
	}
	if !snd.Named {
		if arg := s.Pass.LitArgument(snd.Body.Cursor, v); arg != nil {
			return s.Pass.VarOf(arg)
		}
		return v
	}
	call := snd.Stmt.Node().(*ast.GoStmt).Call
	i := 0
	for _, field := range snd.Body.Type.Params.List {
		for _, name := range field.Names {
			if s.Pass.TypesInfo.Defs[name] == v && i < len(call.Args) {
				return s.Pass.VarOf(call.Args[i])
			}
			i++
		}
	}
	return v
}

// ClosedAtReturn reports whether the function itself closes the channel, by a
// deferred call, and nothing else does.
func (s *Local) ClosedAtReturn() bool {
	closed := false
	for _, u := range Uses(s.Pass, s.Fn.Cursor, s.Var) {
		if u.Kind == Close {
			if _, isDefer := u.Op.Parent().Node().(*ast.DeferStmt); !isDefer || u.GoroutineFunc != s.Fn.Cursor {
				return false
			}
			closed = true
		}
	}
	return closed
}

// Visible reports whether the variables of e are declared before the channel is made.
func (s *Local) Visible(e ast.Expr) bool {
	ok := true
	ast.Inspect(e, func(n ast.Node) bool {
		if id, isIdent := n.(*ast.Ident); isIdent {
			if v := s.Pass.VarOf(id); v != nil && !v.IsField() && v.Pos() > s.Make.Node().Pos() {
				ok = false
			}
		}
		return ok
	})
	return ok
}

// AnyExit returns where the function returns after node, or NoPos.
func (s *Local) AnyExit(node ast.Node) (exit token.Pos) {
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) { return st, !exit.IsValid() && !s.Ends[n] },
		Exit: func(b *flow.Block, _ struct{}) { exit = b.End },
	}.After(s.Fn.Flow, node, struct{}{})
	return exit
}
