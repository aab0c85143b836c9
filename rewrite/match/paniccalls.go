package match

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"
)

// calmPackages are packages whose functions, but for those in jumpy, do not
// panic whatever they are given.
var calmPackages = set("errors", "math", "math/bits", "path", "strconv", "strings", "unicode", "unicode/utf8")

// jumpy are functions of calm packages that do.
var jumpy = set("strings.Repeat", "strings.Map", "strings.NewReplacer", "strconv.FormatInt", "strconv.FormatUint", "strconv.AppendInt", "strconv.AppendUint",
	"strconv.FormatFloat", "strconv.AppendFloat", "strconv.FormatComplex", "math/bits.Div", "math/bits.Div32", "math/bits.Div64", "math/bits.Rem", "math/bits.Rem32", "math/bits.Rem64",
	"errors.Is", "errors.As", "errors.AsType", "errors.Join", "errors.Unwrap", "unicode/utf8.EncodeRune", "unicode/utf8.AppendRune", "unicode.In", "unicode.Is", "unicode.IsOneOf")

// calm are single functions and methods that do not panic: package fmt recovers
// from what a value's own methods do.
var calm = set(
	"fmt.Print", "fmt.Printf", "fmt.Println", "fmt.Sprint", "fmt.Sprintf", "fmt.Sprintln", "fmt.Errorf",
	"log.Print", "log.Printf", "log.Println",
	"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "(time.Time).Sub", "(time.Time).Add", "(time.Time).Unix", "(time.Time).UnixNano",
	"(time.Time).Before", "(time.Time).After", "(time.Time).Equal", "(time.Time).IsZero", "(time.Duration).Seconds", "(time.Duration).Milliseconds", "(time.Duration).String",
	"runtime.Gosched", "runtime.Goexit", "runtime.GC", "runtime.NumGoroutine",
	"os.Exit", "os.Getenv", "os.Getpid", "context.Background", "context.TODO",
)

// onTheirOwn are the methods of sync and sync/atomic that do not panic where what they are
// called on is there: a variable or a field, not a pointer that may be nil.
var onTheirOwn = set(
	"(*sync.Mutex).Lock", "(*sync.Mutex).Unlock", "(*sync.Mutex).TryLock", "(*sync.RWMutex).Lock", "(*sync.RWMutex).Unlock",
	"(*sync.RWMutex).RLock", "(*sync.RWMutex).RUnlock",
	"(*sync/atomic.Bool).Load", "(*sync/atomic.Bool).Store", "(*sync/atomic.Bool).Swap", "(*sync/atomic.Bool).CompareAndSwap",
	"(*sync/atomic.Int32).Add", "(*sync/atomic.Int32).Load", "(*sync/atomic.Int32).Store", "(*sync/atomic.Int64).Add", "(*sync/atomic.Int64).Load", "(*sync/atomic.Int64).Store",
	"(*sync/atomic.Uint32).Add", "(*sync/atomic.Uint32).Load", "(*sync/atomic.Uint32).Store", "(*sync/atomic.Uint64).Add", "(*sync/atomic.Uint64).Load", "(*sync/atomic.Uint64).Store",
)

// call reports whether the call at c may panic, its arguments aside.
func (w *panicWalk) call(c inspector.Cursor, n *ast.CallExpr) bool {
	fun := ast.Unparen(n.Fun)
	if tv := w.p.TypesInfo.Types[n.Fun]; tv.IsType() {
		return w.converts(n.Args[0], tv.Type)
	}
	if _, isLit := fun.(*ast.FuncLit); isLit {
		return false // its body is asked on its own, or runs elsewhere
	}
	if w.p.isBuiltin(n) {
		return w.builtin(n)
	}
	fn := w.p.Callee(n)
	_, isGo := c.Parent().Node().(*ast.GoStmt)
	switch {
	case fn == nil:
		return !isGo // to start nothing ends the process at once
	case isGo:
		return false // what it does there is no matter here; how it is selected is asked on its own
	case fn.Pkg() == nil:
		return true
	case calm[fn.FullName()] || calmPackages[fn.Pkg().Path()] && !jumpy[fn.FullName()] && fn.Signature().Recv() == nil && !takesFunc(fn):
		return false
	case onTheirOwn[fn.FullName()]:
		sel, ok := fun.(*ast.SelectorExpr)
		return !ok || w.mayBeNil(c, sel)
	}
	return w.callee(c, n, fn)
}

// takesFunc reports whether a function calls what it is given.
func takesFunc(fn *types.Func) bool {
	for v := range fn.Signature().Params().Variables() {
		switch v.Type().Underlying().(type) {
		case *types.Signature, *types.Interface:
			return true
		}
	}
	return false
}

// mayBeNil reports whether the receiver of a method is a pointer that may be nil.
func (w *panicWalk) mayBeNil(c inspector.Cursor, sel *ast.SelectorExpr) bool {
	_, isPtr := w.under(sel.X).(*types.Pointer)
	return isPtr && !w.nonNil(c, sel.X)
}

// callee looks into a function of the package that the call at c calls.
func (w *panicWalk) callee(c inspector.Cursor, n *ast.CallExpr, fn *types.Func) bool {
	if w.seen[fn] || len(w.seen) > 8 {
		return true // it may call itself without end
	}
	body := w.p.Declaration(fn)
	if body == nil {
		return true
	}
	if recv := w.receiver(body); recv != nil {
		if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && !w.mayBeNil(c, sel) {
			defer func(was bool) { w.there[recv] = was }(w.there[recv])
			w.there[recv] = true
		}
	}
	w.seen[fn] = true
	in, ok := body.Cursor.FindNode(body.Body)
	may := !ok || w.may(in)
	delete(w.seen, fn)
	return may
}

// receiver returns the variable that a method has its receiver in; nil if it
// has none or gives it another value.
func (w *panicWalk) receiver(fn *Func) types.Object {
	d, ok := fn.Cursor.Node().(*ast.FuncDecl)
	if !ok || d.Recv == nil || len(d.Recv.List) != 1 || len(d.Recv.List[0].Names) != 1 {
		return nil
	}
	v, _ := w.p.TypesInfo.Defs[d.Recv.List[0].Names[0]].(*types.Var)
	if v == nil || slices.ContainsFunc(w.p.Uses(fn.Cursor, v), func(c inspector.Cursor) bool { return assigns(c) || addressed(c) }) {
		return nil
	}
	return v
}

// builtin is a call of a function of the language.
func (w *panicWalk) builtin(n *ast.CallExpr) bool {
	switch name := calledAs(n); name {
	case "append", "cap", "clear", "complex", "copy", "imag", "len", "max", "min", "new", "print", "println", "real", "recover":
		return false
	case "delete":
		m, ok := w.under(n.Args[0]).(*types.Map)
		return !ok || !hashable(m.Key())
	case "make":
		for _, size := range n.Args[1:] {
			if w.p.TypesInfo.Types[size].Value == nil && !w.measures(size) {
				return true
			}
		}
		return false
	}
	return true // close, panic, what unsafe offers
}

// measures reports whether e is a length or a capacity.
func (w *panicWalk) measures(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	return ok && (w.p.IsBuiltin(call, "len") || w.p.IsBuiltin(call, "cap"))
}

// converts reports whether a conversion of e to a type may panic: that of a
// slice to an array does if it is too short.
func (w *panicWalk) converts(e ast.Expr, to types.Type) bool {
	if ptr, ok := to.Underlying().(*types.Pointer); ok {
		to = ptr.Elem()
	}
	_, isArray := to.Underlying().(*types.Array)
	_, isSlice := w.under(e).(*types.Slice)
	_, isParam := types.Unalias(to).(*types.TypeParam)
	return isArray && isSlice || isParam
}
