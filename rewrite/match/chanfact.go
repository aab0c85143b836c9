package match

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// ChanEffect is what a call of a function does with a channel that it is
// passed. The zero value says that nothing is known.
type ChanEffect struct {
	Known bool
	// Sends and Receives are how often one call at most waits until another
	// goroutine takes or gives a value, up to Many; the Sure ones how often
	// every call does that returns.
	Sends, Receives         int8
	SureSends, SureReceives int8
	Selects                 bool // it sends or receives in a select with another way out
	Ranges                  bool // it receives until the channel is closed
	Closes                  bool
	Looks                   bool // it asks for len or cap, or polls
}

// Idle reports whether the function does nothing at all with the channel.
func (e ChanEffect) Idle() bool { return e == ChanEffect{Known: true} }

// chansOf is what a function does with its parameters that are channels.
var chansOf = Register[[]ChanEffect]("chans")

func init() {
	chansOf.Compute(takesChan, func(s *Subject) []ChanEffect { return s.chanEffects(s.Sig, s.Fn) })
}

func takesChan(sig *types.Signature, _ *ast.FuncDecl) bool {
	for v := range sig.Params().Variables() {
		if typeis.Chan(v.Type()) {
			return true
		}
	}
	return false
}

// Channel returns what fn does with its argument i, a channel.
func (f *Facts) Channel(fn *types.Func, i int) ChanEffect {
	if all := chansOf.Of(f.Facts, fn); i < len(all) {
		return all[i]
	}
	return ChanEffect{}
}

// chanEffects summarises the channels among the parameters of a function; nil
// if it has none that it does not keep.
func (p *Pass) chanEffects(sig *types.Signature, fn *Func) []ChanEffect {
	var out []ChanEffect
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if !typeis.Chan(v.Type()) || sig.Variadic() && i == sig.Params().Len()-1 {
			continue
		}
		if e := p.chanEffect(v, fn); e.Known {
			if out == nil {
				out = make([]ChanEffect, sig.Params().Len())
			}
			out[i] = e
		}
	}
	return out
}

func (p *Pass) chanEffect(v *types.Var, fn *Func) (e ChanEffect) {
	sends, receives := map[ast.Node]int{}, map[ast.Node]int{}
	for _, u := range p.ChannelUses(fn.Cursor, v) {
		if u.Kind == ChanMake {
			if IsAssigned(u.At) {
				return ChanEffect{}
			}
			continue // the parameter itself
		}
		if u.Kind == ChanNil {
			continue
		}
		if u.Runner != fn.Cursor {
			return ChanEffect{} // in a goroutine or a literal of its own
		}
		node := FlowNode(u.Op, fn)
		if node == nil {
			return ChanEffect{}
		}
		sel, hasDefault := InSelect(u.Op)
		switch u.Kind {
		case ChanSend, ChanRecv:
			switch {
			case sel != nil && len(sel.Body.List) > 1:
				e.Selects, e.Looks = true, e.Looks || hasDefault
			case u.Kind == ChanSend:
				sends[node]++
			default:
				receives[node]++
			}
		case ChanRange:
			e.Ranges = true
		case ChanClose:
			e.Closes = true
		case ChanOther:
			in, ok := p.ChannelArgument(u)
			if !ok || in.Go {
				if call, isCall := Unparen(u.At).Parent().Node().(*ast.CallExpr); isCall && (p.IsBuiltin(call, "len") || p.IsBuiltin(call, "cap")) {
					e.Looks = true
					continue
				}
				return ChanEffect{}
			}
			e.Selects, e.Ranges = e.Selects || in.Effect.Selects, e.Ranges || in.Effect.Ranges
			e.Closes, e.Looks = e.Closes || in.Effect.Closes, e.Looks || in.Effect.Looks
			if in.Effect.SureSends != in.Effect.Sends || in.Effect.SureReceives != in.Effect.Receives {
				e.Selects = true // some calls do, some do not
			}
			sends[node] += int(in.Effect.Sends)
			receives[node] += int(in.Effect.Receives)
		}
	}
	e.Known = true
	e.Sends, e.SureSends = p.MostAndLeast(fn, sends)
	e.Receives, e.SureReceives = p.MostAndLeast(fn, receives)
	return e
}

// MostAndLeast returns how often one run of fn comes to the nodes: at most,
// and at least if it returns.
func (p *Pass) MostAndLeast(fn *Func, nodes map[ast.Node]int) (most, least int8) {
	if len(nodes) == 0 {
		return 0, 0
	}
	least = Many
	flow.Paths[int]{
		Node: func(n ast.Node, count int) (int, bool) { return min(count+nodes[n], Many), true },
		Exit: func(_ *flow.Block, count int) { least = min(least, int8(count)) },
	}.FromEntry(fn.Flow, 0)
	return int8(MostOn(fn, nodes)), least
}

// ChanArgument is a channel as the argument of a call whose effect is known.
type ChanArgument struct {
	Call   inspector.Cursor
	Callee *types.Func
	Index  int
	Effect ChanEffect
	Go     bool // the call is that of a go statement
}

// ChannelArgument looks at a use of a channel as an argument. ok is false if
// it is none, or if it is not known what the function does with it.
func (p *Pass) ChannelArgument(u ChannelUse) (a ChanArgument, ok bool) {
	at := Unparen(u.At)
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
		a = ChanArgument{Call: at.Parent(), Callee: fn, Index: i, Effect: p.Facts.Channel(fn, i)}
		_, a.Go = at.Parent().Parent().Node().(*ast.GoStmt)
		return a, a.Effect.Known
	}
	return a, false
}

// Declaration returns the declaration of fn in the files of this package, with
// a body; nil if it is declared elsewhere.
func (p *Pass) Declaration(fn *types.Func) *Func {
	if fn == nil || fn.Pkg() != p.Pkg {
		return nil
	}
	d, ok := p.declAt(fn.Pos())
	if !ok {
		return nil
	}
	if decl, ok := d.Node().(*ast.FuncDecl); ok && p.TypesInfo.Defs[decl.Name] == types.Object(fn) {
		return p.FuncOf(d)
	}
	return nil
}

// Unbuffered reports whether all of the channels that are made with these sizes, of
// which one may be nil for none, have no buffer.
func (p *Pass) Unbuffered(made []ast.Expr) bool {
	return len(made) > 0 && !slices.ContainsFunc(made, func(size ast.Expr) bool {
		n, ok := typeis.SmallInt(p.sizeOf(size))
		return size != nil && (!ok || n > 0)
	})
}
