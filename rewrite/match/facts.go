package match

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
)

// Effect is what a function does with one of its parameters.
type Effect uint8

const (
	ParamUnknown Effect = iota // may keep it: the obligation moved
	ParamReads                 // only looks at it
	ParamCloses                // closes it, at least on some path
)

// FuncFact summarises a function for its callers, within its package and in
// the packages that import it.
type FuncFact struct {
	Never   bool        // never returns
	Assures []Assurance // what holds of the arguments whenever the function returns
	Params  []Effect    // by index of the parameter; nil if nothing is known
	// Ctx says for a parameter that is a context, a request, a response or a
	// command whether the function is done with it when it returns
	// (ParamReads) or keeps it (ParamCloses).
	Ctx []Effect
	// Chan says for a parameter that is a channel what the function does with it.
	Chan []ChanEffect
	// Feeds says what sends on the channel that is the first result.
	Feeds Feed
	// Groups says what the function does with WaitGroups of its caller.
	Groups []GroupEffect
	// Lives says for a parameter that is a context or a request whether the
	// first result lives on it: see Facts.Lives.
	Lives []bool
	// Makes is the function of the standard library whose context and cancel
	// function are the results: see Facts.Makes.
	Makes string
	// Response is about the response among the results: see Facts.FreshResponse.
	Response *FreshResponse
	// Request says what the request that is the first result has for a body.
	Request Sent
	// Detaches says of a transport that it goes on using its request after it
	// has returned.
	Detaches bool
	// Starts, Quiet and Fresh are about goroutines that only a method ends:
	// see the methods of Facts of these names.
	Starts       *Lifetime
	Quiet, Fresh bool
}

func (*FuncFact) AFact() {}

func (f *FuncFact) empty() bool {
	return reflect.ValueOf(f).Elem().IsZero()
}

// Summaries computes a FuncFact for the functions of a package. Facts cross
// packages only within the modules that are analysed: what the standard library
// does, and what a released dependency does but for contexts, is the business of
// the tables, so that every driver finds the same.
var Summaries = &analysis.Analyzer{
	Name:       "goroutinefixfacts",
	Doc:        "summarise what functions do with responses, readers and errors",
	FactTypes:  []analysis.Fact{new(FuncFact)},
	Requires:   []*analysis.Analyzer{inspect.Analyzer},
	ResultType: reflect.TypeFor[*Facts](),
	Run: func(pass *analysis.Pass) (any, error) {
		return Summarise(pass, nil), nil
	},
}

func newFacts(pass *analysis.Pass) *Facts {
	f := &Facts{pass: pass, own: map[*types.Func]*FuncFact{}, decls: map[*types.Func]*ast.FuncDecl{}}
	f.ifaces, f.calls = f.newIfaces(), sync.OnceValue(f.indexCalls)
	return f
}

// Facts answers what is known of functions.
type Facts struct {
	pass  *analysis.Pass
	own   map[*types.Func]*FuncFact     // complete once summarise has returned
	decls map[*types.Func]*ast.FuncDecl // the functions of which a summary could say anything
	busy  bool                          // while summarising: own is filled on demand
	// ifaces and calls are about the whole package, and found out when asked for.
	ifaces *ifaces
	calls  func() *callIndex
	// detaching is about transports; see Pass.detachingTransports.
	detaching detachingTransports
	ask       Asked      // about packages that are not analysed; may be nil
	lazy      *lazyFacts // for a dependency
	// shared is for the rules; nil while summarising.
	shared *shared
	// Internal holds what went wrong on the way: a panic costs the summary of
	// one function.
	Internal []error
}

// PanicError is a panic of ours, with its stack.
type PanicError struct {
	Rule, Package string
	// Function is the declaration that was lost; "" if that is all of the package.
	Function string
	Value    any
	Stack    []byte
}

func (e *PanicError) Error() string {
	where := "package " + e.Package
	if e.Function != "" {
		where = e.Function + " in " + where
	}
	return fmt.Sprintf("internal error: %s panicked on %s: %v\n%s", e.Rule, where, e.Value, e.Stack)
}

func (f *Facts) summarise() {
	f.busy = true
	var order []*types.Func
	for _, file := range f.pass.Files {
		for _, d := range file.Decls {
			d, ok := d.(*ast.FuncDecl)
			if !ok || d.Body == nil {
				continue
			}
			if fn, ok := f.pass.TypesInfo.Defs[d.Name].(*types.Func); ok && interesting(fn.Signature(), d.Body) {
				f.decls[fn] = d
				order = append(order, fn)
			}
		}
	}
	for _, fn := range order {
		f.of(fn)
	}
	order = append(order, f.lifetimes()...)
	share := sharesFacts(f.pass)
	for _, fn := range order {
		if fact := f.of(fn); share && !fact.empty() {
			f.pass.ExportObjectFact(fn, fact)
		}
	}
	f.busy, f.decls, f.shared = false, nil, newShared()
}

// lifetimes adds what is known of goroutines that only a method ends, and
// returns the functions that nothing was known of before.
func (f *Facts) lifetimes() (more []*types.Func) {
	defer func() {
		if v := recover(); v != nil {
			f.Internal = append(f.Internal, &PanicError{Rule: "the summary of goroutines", Package: f.pass.Pkg.Path(), Value: v, Stack: debug.Stack()})
		}
	}()
	for fn, l := range NewPass(f.pass, f.pass.ResultOf[inspect.Analyzer].(*inspector.Inspector), f).lifetimes() {
		fact := new(FuncFact)
		if known, ok := f.own[fn]; ok {
			*fact = *known
		} else {
			more = append(more, fn)
		}
		fact.Starts, fact.Quiet, fact.Fresh = l.Starts, l.Quiet, l.Fresh
		f.own[fn] = fact
	}
	slices.SortFunc(more, func(a, b *types.Func) int { return int(a.Pos() - b.Pos()) })
	return more
}

// interesting is a cheap look at a function: could a summary say anything?
func interesting(sig *types.Signature, body *ast.BlockStmt) bool {
	if (sig.Results().Len() == 0 || sig.TypeParams().Len() > 0) && len(body.List) <= 12 && mayEnd(body) {
		return true
	}
	if mayAssure(sig, body) || returnsCancel(sig) || responseResult(sig) >= 0 || touchesGroup(sig, body) || sig.Results().Len() > 0 && isRequest(sig.Results().At(0).Type()) || sig.Results().Len() > 0 && isChan(sig.Results().At(0).Type()) {
		return true
	}
	for v := range sig.Params().Variables() {
		if _, ok := trackedRole(v.Type()); ok || contextual(v.Type()) || isChan(v.Type()) {
			return true
		}
	}
	return false
}

// contextual reports whether t is a context or something that carries one.
func contextual(t types.Type) bool {
	return IsNamed(t, "context", "Context") || IsNamed(t, "net/http", "Request") || IsNamed(t, "net/http", "Response") || IsNamed(t, "os/exec", "Cmd")
}

// endings are parts of the names of functions that do not return, or not if
// an error is set.
var endings = []string{"fatal", "panic", "exit", "fail", "die", "skip", "abort", "must", "noerror", "check", "usage"}

// mayEnd reports whether body calls anything that by its name may not return,
// or has a loop that may not end.
func mayEnd(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt:
			found = found || n.Cond == nil
		case *ast.SelectStmt:
			found = found || len(n.Body.List) == 0
		case *ast.CallExpr:
			name := strings.ToLower(calledAs(n))
			found = found || slices.ContainsFunc(endings, func(part string) bool { return strings.Contains(name, part) })
		}
		return !found
	})
	return found
}

func trackedRole(t types.Type) (role, bool) {
	if _, isPtr := types.Unalias(t).(*types.Pointer); isPtr && IsNamed(t, "net/http", "Response") {
		return holder, true
	}
	for _, name := range []string{"ReadCloser", "Reader", "Closer"} {
		if IsNamed(t, "io", name) {
			return closer, true
		}
	}
	if isCallback(t) {
		return cancel, true
	}
	return 0, false
}

var unknownFact = new(FuncFact)

func (f *Facts) of(fn *types.Func) *FuncFact {
	fn = fn.Origin()
	if fact, ok := f.own[fn]; ok {
		return fact
	}
	if f.busy {
		if d, ok := f.decls[fn]; ok && f.lazy != nil {
			return f.lazily(fn, d)
		} else if ok {
			f.own[fn] = unknownFact // recursion knows nothing
			fact := f.compute(fn, d)
			f.own[fn] = fact
			return fact
		}
	}
	if fn.Pkg() != nil && fn.Pkg() != f.pass.Pkg {
		fact := new(FuncFact)
		if f.pass.ImportObjectFact(fn, fact) {
			return fact
		}
	}
	return unknownFact
}

// NeverReturns reports whether fn never returns to its caller.
func (f *Facts) NeverReturns(fn *types.Func) bool { return f.of(fn).Never }

// Context returns what fn does with argument i, a context or something that
// carries one: see FuncFact.Ctx.
func (f *Facts) Context(fn *types.Func, i int) Effect {
	if ctx := f.of(fn).Ctx; i < len(ctx) {
		return ctx[i]
	}
	return ParamUnknown
}

// Param returns what fn does with its argument i. A method of an interface does
// what all that can stand behind it do.
func (f *Facts) Param(fn *types.Func, i int) Effect {
	if impls, ok := f.implementations(fn); ok {
		return f.paramOfAny(impls, i)
	}
	return f.of(fn).param(i)
}

func (fact *FuncFact) param(i int) Effect {
	if i < len(fact.Params) {
		return fact.Params[i]
	}
	return ParamUnknown
}

func (f *Facts) compute(fn *types.Func, d *ast.FuncDecl) (out *FuncFact) {
	defer func() {
		if v := recover(); v != nil {
			f.Internal = append(f.Internal, &PanicError{Rule: "the summary of " + fn.Name(), Package: f.pass.Pkg.Path(), Value: v, Stack: debug.Stack()})
			out = unknownFact
		}
	}()
	p, sig, fact := f.passOver(d), fn.Signature(), new(FuncFact)
	c, ok := p.Inspector.Root().FindNode(d)
	if !ok {
		return unknownFact
	}
	body := p.FuncOf(c)
	if sig.Results().Len() == 0 {
		fact.Never = !reachesReturn(body.Flow, nil) && !p.mayRecover(body)
	}
	if !fact.Never {
		fact.Assures = p.assurances(sig, body)
	}
	if f.lazy == nil { // of a dependency only contexts are asked about
		fact.Chan = p.chanEffects(sig, body)
		fact.Feeds = p.feeds(sig, body)
		fact.Groups = p.groupEffects(sig, body)
		if returnsCancel(sig) {
			fact.Makes = p.makesCancel(body)
		}
		fact.Response = p.freshResponse(body, sig)
		fact.Request = p.requestResult(body, sig)
		fact.Detaches = p.detaches(sig, body)
	}
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if contextual(v.Type()) {
			if fact.Ctx == nil {
				fact.Ctx = make([]Effect, sig.Params().Len())
			}
			fact.Ctx[i] = p.ctxParam(v, body)
			if f.lazy == nil && p.livesOn(v, body, sig) {
				if fact.Lives == nil {
					fact.Lives = make([]bool, sig.Params().Len())
				}
				fact.Lives[i] = true
			}
		}
		r, ok := trackedRole(v.Type())
		if !ok || sig.Variadic() && i == sig.Params().Len()-1 || r == cancel && len(d.Body.List) == 0 {
			continue // a stub says nothing of a callback
		}
		if effect := p.paramEffect(v, body, r); effect != ParamUnknown {
			if fact.Params == nil {
				fact.Params = make([]Effect, sig.Params().Len())
			}
			fact.Params[i] = effect
		}
	}
	return fact
}

func (p *Pass) paramEffect(v *types.Var, fn *Func, r role) Effect {
	effect := ParamReads
	for _, e := range p.track(v, fn, r) {
		switch e.Kind {
		case Closes, DefersClose, ClosesLate:
			effect = ParamCloses
		case Escapes, Assigns:
			return ParamUnknown
		}
	}
	return effect
}

func reachesReturn(f *Flow, edge func(ast.Expr, bool, struct{}) (struct{}, bool)) bool {
	found := false
	Paths[struct{}]{
		Node: func(ast.Node, struct{}) (struct{}, bool) { return struct{}{}, true },
		Edge: edge,
		Exit: func(*Block, struct{}) { found = true },
	}.FromEntry(f, struct{}{})
	return found
}

// NilTest reports what a condition that came out as taken says about x:
// whether x is nil then. ok is false if cond is no comparison with nil.
func (p *Pass) NilTest(cond ast.Expr, taken bool) (x ast.Expr, isNil, ok bool) {
	if call, isCall := ast.Unparen(cond).(*ast.CallExpr); isCall {
		return p.nilTestOf(call, taken)
	}
	be, isBinary := ast.Unparen(cond).(*ast.BinaryExpr)
	if !isBinary || be.Op != token.EQL && be.Op != token.NEQ {
		return nil, false, false
	}
	switch {
	case p.IsNil(be.Y):
		x = be.X
	case p.IsNil(be.X):
		x = be.Y
	default:
		return nil, false, false
	}
	return x, (be.Op == token.EQL) == taken, true
}

// nilTestOf is NilTest for the call of a function of the package that does
// nothing but to compare one of its parameters with nil: failed(t, err).
func (p *Pass) nilTestOf(call *ast.CallExpr, taken bool) (x ast.Expr, isNil, ok bool) {
	fn := p.Declaration(p.Callee(call))
	if fn == nil || len(fn.Body.List) != 1 || call.Ellipsis.IsValid() {
		return nil, false, false
	}
	ret, isReturn := fn.Body.List[0].(*ast.ReturnStmt)
	if !isReturn || len(ret.Results) != 1 {
		return nil, false, false
	}
	be, isBinary := ast.Unparen(ret.Results[0]).(*ast.BinaryExpr)
	if !isBinary {
		return nil, false, false
	}
	own, isNil, ok := p.NilTest(be, taken)
	if !ok {
		return nil, false, false
	}
	sig := p.Callee(call).Signature()
	for i := range sig.Params().Len() {
		if v := p.VarOf(own); v != nil && v == sig.Params().At(i) && i < len(call.Args) && !(sig.Variadic() && i == sig.Params().Len()-1) {
			return call.Args[i], isNil, true
		}
	}
	return nil, false, false
}
