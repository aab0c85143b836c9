package missingsignal

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rules/missingsignal/internal/keeper"
	"github.com/goroutinefix/goroutinefix/rules/missingsignal/internal/outcome"
)

// signal is a channel as one function sees it: a variable that it makes, that it
// gets as a parameter, or that it captures; or a function that gives the word on a
// channel when it is called.
type signal struct {
	p     *code.Pass
	fn    *code.Func
	v     *types.Var
	gives map[ast.Node]*give // by node of the flow of fn
	waits []wait
	lost  bool // it is not one channel all the time
}

// give is a place where the word is given, or where somebody else gets the channel.
type give struct {
	at   inspector.Cursor // the use of the channel
	real bool             // it is known that the word is given, at least on some way
	own  bool             // by the function itself, and not by one that it calls or starts
	send bool             // by a send
	// part says that whoever gets the channel gives the word on some of its ways out only.
	part *part
}

// part is a function that gives the word on some ways out only.
type part struct {
	callee *types.Func
	index  int         // of the parameter
	lit    *signal     // the channel in a literal that is started as a goroutine; else nil
	keeper *types.Func // who calls the literal, which is no goroutine then
	// Whether it runs in a goroutine of its own. Otherwise the call tells of an error:
	async bool
	call  outcome.Call
}

// wait is a wait for the word that nothing else ends.
type wait struct {
	at inspector.Cursor // the receive or range, or the argument of a call that waits
	// start is the go statement of the goroutine that waits, or the defer statement;
	// invalid if the function waits itself, where it stands.
	start    inspector.Cursor
	deferred bool
	op       channel.Use // what to report; of the kind Other for a function with a name
}

// follow sorts what fn does with the channel in v.
func follow(p *code.Pass, fn *code.Func, v *types.Var) *signal {
	s := &signal{p: p, fn: fn, v: v, gives: map[ast.Node]*give{}}
	seen := map[ast.Node]bool{}
	made := 0
	for _, u := range channel.Uses(p, fn.Cursor, v) {
		switch {
		case u.Kind == channel.Nil:
		case u.Kind == channel.Make:
			if code.IsAssigned(u.At) {
				made++
			}
		case u.GoroutineFunc == fn.Cursor:
			s.own(u)
		default:
			lit := s.literal(u.GoroutineFunc)
			if !seen[lit.Node()] {
				seen[lit.Node()] = true
				s.captured(lit, u)
			}
		}
	}
	s.lost = made > 1 || made > 0 && v.Kind() == types.ParamVar
	return s
}

// literal returns the literal around or at c that the function itself evaluates.
func (s *signal) literal(c inspector.Cursor) inspector.Cursor {
	for {
		outer := s.p.GoroutineFunc(c.Parent())
		if outer == s.fn.Cursor || !s.fn.Cursor.Contains(outer) {
			return c
		}
		c = outer
	}
}

// add records a give; what gives for certain outweighs what may not.
func (s *signal) add(c inspector.Cursor, g give) {
	node := code.FlowNode(c, s.fn)
	if node == nil {
		s.lost = true
		return
	}
	old := s.gives[node]
	if old == nil {
		s.gives[node] = &g
		return
	}
	old.real, old.own, old.send = old.real || g.real, old.own && g.own, old.send || g.send
	if g.part == nil || old.part == nil || old.part.callee != g.part.callee {
		old.part = nil
	}
}

func (s *signal) own(u channel.Use) {
	switch u.Kind {
	case channel.Send, channel.Close:
		s.add(u.Op, give{at: u.At, real: true, own: true, send: u.Kind == channel.Send})
	case channel.Recv, channel.Range:
		s.receive(u)
	case channel.Other:
		s.passed(u)
	}
}

func (s *signal) receive(u channel.Use) {
	if !u.Waits() {
		return
	}
	w := wait{at: u.At, op: u}
	for d := range u.At.Enclosing((*ast.DeferStmt)(nil), (*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if d == s.fn.Cursor {
			break
		}
		if _, isDefer := d.Node().(*ast.DeferStmt); isDefer {
			w.start, w.deferred = d, true
			break
		}
		lit, isLit := d.Node().(*ast.FuncLit)
		if !isLit {
			continue
		}
		// Within a literal that is called or deferred where it stands: only a wait that it comes to in any case.
		if sub := (&signal{p: s.p, fn: s.p.FuncOf(d), v: s.v, gives: map[ast.Node]*give{}, waits: []wait{{at: u.At, op: u}}}); lit.Body == nil || !sub.waitsSurely() {
			return
		}
	}
	s.waits = append(s.waits, w)
}

// passed is for a channel that the function itself passes on.
func (s *signal) passed(u channel.Use) {
	at := code.Unparen(u.At)
	parent := at.Parent()
	call, isCall := parent.Node().(*ast.CallExpr)
	handed := give{at: u.At}
	if isCall && ast.Node(call.Fun) == at.Node() && isFunc(s.v) {
		s.called(parent, u)
		return
	}
	if !isCall || ast.Node(call.Fun) == at.Node() || call.Ellipsis.IsValid() {
		s.add(u.At, handed)
		return
	}
	if s.p.IsBuiltin(call, "len") || s.p.IsBuiltin(call, "cap") {
		return
	}
	for _, arg := range call.Args {
		if arg != at.Node() && s.p.Mentions(arg, s.v) {
			s.add(u.At, handed) // it may receive what it sends
			return
		}
	}
	if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		c, found := parent.FindNode(lit)
		if !found || !launch.StartedBy(s.p, c, s.fn).Valid() {
			s.add(u.At, handed)
			return
		}
		for _, field := range lit.Type.Params.List {
			for _, name := range field.Names {
				if v, ok := s.p.TypesInfo.Defs[name].(*types.Var); ok && s.p.LitArgument(c, v) == at.Node() {
					s.started(follow(s.p, s.p.FuncOf(c), v), parent.Parent(), u.At)
					return
				}
			}
		}
		s.add(u.At, handed)
		return
	}
	fn := s.p.Callee(call)
	index := -1
	for i, arg := range call.Args {
		if arg == at.Node() {
			index = i
		}
	}
	w := wordOf(s.p, fn, index)
	if !w.Known {
		s.add(u.At, handed)
		return
	}
	switch parent.Parent().Node().(type) {
	case *ast.GoStmt:
		s.word(w, parent.Parent(), wait{at: u.At, start: parent.Parent(), op: u}, give{at: u.At, real: true, send: w.Sends, part: &part{callee: fn, index: index, async: true}})
	case *ast.DeferStmt:
		if w.Gives || w.Hands {
			s.add(u.At, give{at: u.At, real: w.Gives, send: w.Sends})
		}
	default:
		told, ok := outcome.Of(s.p, s.fn, parent)
		w.Skips = w.Skips && ok
		g := give{at: u.At, real: true, send: w.Sends, part: &part{callee: fn, index: index, call: told}}
		s.word(w, parent, wait{at: u.At, op: u}, g)
	}
}

// called is for a call of the function that is followed instead of a channel.
func (s *signal) called(call inspector.Cursor, u channel.Use) {
	switch call.Parent().Node().(type) {
	case *ast.GoStmt:
		s.add(call.Parent(), give{at: u.At, real: true})
	case *ast.DeferStmt:
		s.add(call.Parent(), give{at: u.At, real: true, own: true})
	default:
		s.add(call, give{at: u.At, real: true, own: true})
	}
}

// isFunc reports whether v is a function, which gives the word when it is called.
func isFunc(v *types.Var) bool {
	_, ok := v.Type().Underlying().(*types.Signature)
	return ok
}

// captured is for a channel that a literal captures, of which u is a use.
func (s *signal) captured(lit inspector.Cursor, u channel.Use) {
	start := launch.StartedBy(s.p, lit, s.fn)
	if !start.Valid() {
		call, ok := code.Unparen(lit).Parent().Node().(*ast.CallExpr)
		if ok && startsGoroutine[s.p.FullName(call)] && s.p.GoroutineFunc(lit.Parent()) == s.fn.Cursor {
			start = code.Unparen(lit).Parent()
		}
	}
	if fn := s.p.FuncOf(lit); start.Valid() && fn != nil {
		s.started(follow(s.p, fn, s.v), start, u.At)
		return
	}
	s.kept(lit, u)
}

// kept is for a channel that a literal captures which somebody may call.
func (s *signal) kept(lit inspector.Cursor, u channel.Use) {
	fn := s.p.FuncOf(lit)
	if fn == nil || s.p.GoroutineFunc(lit.Parent()) != s.fn.Cursor {
		s.add(lit, give{at: u.At})
		return
	}
	sub := follow(s.p, fn, s.v)
	w := sub.summary()
	if !w.Known || !w.Gives || w.Hands {
		s.add(lit, give{at: u.At})
		return
	}
	if w.Skips {
		if call, by := keeper.Of(s.p, lit); call != nil {
			s.add(lit, give{at: u.At, real: true, send: w.Sends, part: &part{lit: sub, keeper: by, call: outcome.Call{Expr: call}, async: true}})
			return
		}
		s.add(lit, give{at: u.At})
		return
	}
	at := code.Unparen(lit)
	switch n := at.Parent().Node().(type) {
	case *ast.CallExpr:
		if s.p.FullName(n) == "(*sync.Once).Do" {
			s.add(lit, give{at: u.At, real: true, own: true, send: w.Sends})
			return
		}
		s.passed(channel.Use{At: at, Op: at, GoroutineFunc: s.fn.Cursor})
	case *ast.AssignStmt:
		v := holder(s.p, n, at)
		if v == nil || !s.p.DeclaredIn(v, s.fn) {
			s.add(lit, give{at: u.At})
			return
		}
		named := follow(s.p, s.fn, v)
		s.lost = s.lost || named.lost
		for node, g := range named.gives {
			if c, ok := s.p.Find(s.fn.Cursor, node); ok {
				g.send = g.send || w.Sends
				s.add(c, *g)
			}
		}
	default:
		s.add(lit, give{at: u.At})
	}
}

// holder returns the variable that as declares for the literal at c; nil if there is none.
func holder(p *code.Pass, as *ast.AssignStmt, c inspector.Cursor) *types.Var {
	for i, r := range as.Rhs {
		if r == c.Node() && len(as.Lhs) == len(as.Rhs) && as.Tok == token.DEFINE {
			return p.VarOf(as.Lhs[i])
		}
	}
	return nil
}

// startsGoroutine are the functions that run a literal in a goroutine.
var startsGoroutine = map[string]bool{
	"(*sync.WaitGroup).Go":                   true,
	"(*golang.org/x/sync/errgroup.Group).Go": true,
}

// started is for a literal that runs in a goroutine of its own; start starts it.
func (s *signal) started(sub *signal, start, at inspector.Cursor) {
	w := sub.summary()
	if !w.Known {
		s.add(start, give{at: at})
		return
	}
	waiting := wait{at: at, start: start}
	for _, x := range sub.waits {
		waiting.op = x.op
	}
	s.word(w, start, waiting, give{at: at, real: true, send: w.Sends, part: &part{lit: sub, async: true}})
}

// word records what a function with the word w does that gets the channel at c.
func (s *signal) word(w word, c inspector.Cursor, waiting wait, g give) {
	switch {
	case w.Gives:
		if !w.Skips {
			g.part = nil
		}
		s.add(c, g)
	case w.Hands:
		s.add(c, give{at: g.at})
	case w.Waits:
		s.waits = append(s.waits, waiting)
	}
}
