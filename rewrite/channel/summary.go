package channel

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Effect is what a call of a function does with a channel that it is
// passed. The zero value says that nothing is known.
type Effect struct {
	Known bool
	// Sends and Receives are how often one call at most waits until another
	// goroutine takes or gives a value, up to Many; the Sure ones how often
	// every call does that returns.
	Sends, Receives         int8
	SureSends, SureReceives int8
	Selects                 bool // it sends or receives in a select with another case
	Ranges                  bool // it receives until the channel is closed
	Closes                  bool
	Looks                   bool // it asks for len or cap, or polls
}

// Idle reports whether the function does nothing at all with the channel.
func (e Effect) Idle() bool { return e == Effect{Known: true} }

// chansOf is what a function does with its parameters that are channels.
var chansOf = code.Register[[]Effect]("chans")

func init() {
	chansOf.Compute(takesChan, func(s *code.Subject) []Effect { return chanEffects(s.Pass, s.Sig, s.Fn) })
}

func takesChan(sig *types.Signature, _ *ast.FuncDecl) bool {
	for v := range sig.Params().Variables() {
		if typeis.Chan(v.Type()) {
			return true
		}
	}
	return false
}

// effectsOf returns what fn does with its argument i, a channel.
func effectsOf(f *code.Facts, fn *types.Func, i int) Effect {
	if all := chansOf.Of(f.Facts, fn); i < len(all) {
		return all[i]
	}
	return Effect{}
}

// chanEffects summarises the channels among the parameters of a function; nil
// if it has none that it does not keep.
func chanEffects(p *code.Pass, sig *types.Signature, fn *code.Func) []Effect {
	var out []Effect
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if !typeis.Chan(v.Type()) || sig.Variadic() && i == sig.Params().Len()-1 {
			continue
		}
		if e := chanEffect(p, v, fn); e.Known {
			if out == nil {
				out = make([]Effect, sig.Params().Len())
			}
			out[i] = e
		}
	}
	return out
}

func chanEffect(p *code.Pass, v *types.Var, fn *code.Func) (e Effect) {
	sends, receives := map[ast.Node]int{}, map[ast.Node]int{}
	var deferred []Use // sends in deferred calls
	for _, u := range Uses(p, fn.Cursor, v) {
		if u.Kind == Make {
			if code.IsAssigned(u.At) {
				return Effect{}
			}
			continue // the parameter itself
		}
		if u.Kind == Nil {
			continue
		}
		if u.GoroutineFunc != fn.Cursor {
			return Effect{} // in a goroutine or a literal of its own
		}
		node := code.FlowNode(u.Op, fn)
		if node == nil {
			return Effect{}
		}
		sel, hasDefault := InSelect(u.Op)
		switch u.Kind {
		case Send, Recv:
			switch {
			case sel != nil && len(sel.Body.List) > 1:
				e.Selects, e.Looks = true, e.Looks || hasDefault
			case u.Kind == Send && inDefer(node):
				deferred = append(deferred, u)
			case u.Kind == Send:
				sends[node]++
			default:
				receives[node]++
			}
		case Range:
			e.Ranges = true
		case Close:
			e.Closes = true
		case Other:
			in, ok := ArgumentOf(p, u)
			if !ok || in.Go {
				if call, isCall := code.Unparen(u.At).Parent().Node().(*ast.CallExpr); isCall && (p.IsBuiltin(call, "len") || p.IsBuiltin(call, "cap")) {
					e.Looks = true
					continue
				}
				return Effect{}
			}
			e.Selects, e.Ranges = e.Selects || in.Effect.Selects, e.Ranges || in.Effect.Ranges
			e.Closes, e.Looks = e.Closes || in.Effect.Closes, e.Looks || in.Effect.Looks
			if in.Effect.SureSends != in.Effect.Sends || in.Effect.SureReceives != in.Effect.Receives {
				e.Selects = true // some calls do, some do not
			}
			if in.Effect.Sends > 0 && inDefer(node) {
				u.Kind, u.Op, u.Callee = Send, in.Call, in
				deferred = append(deferred, u)
			} else {
				sends[node] += int(in.Effect.Sends)
			}
			receives[node] += int(in.Effect.Receives)
		}
	}
	late, ok := Count(p, fn, deferred)
	if !ok {
		return Effect{}
	}
	for d, n := range late.Most {
		sends[d] = n
	}
	e.Known = true
	e.Sends, e.SureSends = fn.Flow.MostAndLeast(sends)
	e.Sends = max(e.Sends, int8(late.Instead))
	e.Receives, e.SureReceives = fn.Flow.MostAndLeast(receives)
	return e
}

func inDefer(n ast.Node) bool {
	_, ok := n.(*ast.DeferStmt)
	return ok
}

// Argument is a channel as the argument of a call whose effect is known.
type Argument struct {
	Call   inspector.Cursor
	Callee *types.Func
	Index  int
	Effect Effect
	Go     bool // the call is that of a go statement
}

// ArgumentOf looks at a use of a channel as an argument. ok is false if
// it is none, or if it is not known what the function does with it.
func ArgumentOf(p *code.Pass, u Use) (a Argument, ok bool) {
	at := code.Unparen(u.At)
	call, isCall := at.Parent().Node().(*ast.CallExpr)
	if !isCall || call.Ellipsis.IsValid() {
		return a, false
	}
	for i, arg := range call.Args {
		if arg != at.Node() {
			continue
		}
		fn := p.Callee(call)
		if fn == nil {
			return a, false
		}
		a = Argument{Call: at.Parent(), Callee: fn, Index: i, Effect: effectsOf(p.Facts, fn, i)}
		_, a.Go = at.Parent().Parent().Node().(*ast.GoStmt)
		return a, a.Effect.Known
	}
	return a, false
}

// Unbuffered reports whether all of the channels that are made with these sizes, of
// which one may be nil for none, have no buffer.
func Unbuffered(p *code.Pass, made []ast.Expr) bool {
	return len(made) > 0 && !slices.ContainsFunc(made, func(size ast.Expr) bool {
		n, ok := typeis.SmallInt(frozen.SizeOf(p, size))
		return size != nil && (!ok || n > 0)
	})
}
