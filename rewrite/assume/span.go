package assume

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"math"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// A span holds the values that an integer or a string can have after
// comparisons with constants. The zero span is not valid: see Pass.anySpan.
type Span struct {
	lo, hi int64  // of an integer; the extreme values say nothing
	only   string // if not empty, it is one of these
	not    string // and none of these
}

// A comparison compares something that is not constant, the subject, with a
// constant.
type comparison struct {
	Subject ast.Expr
	Op      token.Token
	Value   constant.Value
}

// Comparison returns what cond compares; ok is false if it is no comparison of
// an integer or a string with a constant, the constant on either side.
func Comparison(p *code.Pass, cond ast.Expr) (c comparison, ok bool) {
	be, isBinary := ast.Unparen(cond).(*ast.BinaryExpr)
	if !isBinary {
		return c, false
	}
	c = comparison{ast.Unparen(be.X), be.Op, p.TypesInfo.Types[be.Y].Value}
	if c.Value == nil {
		if mirrored, isOrder := mirror[be.Op]; isOrder {
			c = comparison{ast.Unparen(be.Y), mirrored, p.TypesInfo.Types[be.X].Value}
		}
	}
	if _, isCompare := negated[c.Op]; !isCompare || c.Value == nil || p.TypesInfo.Types[c.Subject].Value != nil {
		return c, false
	}
	switch c.Value.Kind() {
	case constant.Int:
		_, exact := constant.Int64Val(c.Value)
		return c, exact && isInteger(p, c.Subject)
	case constant.String:
		return c, c.Op == token.EQL || c.Op == token.NEQ
	}
	return c, false
}

var (
	mirror = map[token.Token]token.Token{
		token.EQL: token.EQL, token.NEQ: token.NEQ, token.LSS: token.GTR, token.GTR: token.LSS, token.LEQ: token.GEQ, token.GEQ: token.LEQ,
	}
	negated = map[token.Token]token.Token{
		token.EQL: token.NEQ, token.NEQ: token.EQL, token.LSS: token.GEQ, token.GEQ: token.LSS, token.GTR: token.LEQ, token.LEQ: token.GTR,
	}
)

func isInteger(p *code.Pass, e ast.Expr) bool {
	t := p.TypesInfo.TypeOf(e)
	if t == nil {
		return false
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsInteger != 0
}

// anySpan holds all values of a subject: a length and an unsigned number are not
// negative.
func anySpan(p *code.Pass, subject ast.Expr) Span {
	s := Span{lo: math.MinInt64, hi: math.MaxInt64}
	if call, ok := subject.(*ast.CallExpr); ok && p.IsBuiltin(call, "len") {
		s.lo = 0
	} else if isInteger(p, subject) && p.TypesInfo.TypeOf(subject).Underlying().(*types.Basic).Info()&types.IsUnsigned != 0 {
		s.lo = 0
	}
	return s
}

// and returns what is left of s where the comparison c came out as taken; ok is
// false if nothing is left, so that it cannot.
func (s Span) and(c comparison, taken bool) (out Span, ok bool) {
	op := c.Op
	if !taken {
		op = negated[op]
	}
	key := spanKey(c.Value)
	n, isInt := constant.Int64Val(constant.ToInt(c.Value))
	switch op {
	case token.EQL:
		if !s.holds(c.Value) {
			return s, false
		}
		s.only, s.not = key, ""
		if isInt {
			s.lo, s.hi = n, n
		}
		return s, true
	case token.NEQ:
		if s.only != "" {
			s.only = strings.ReplaceAll(s.only, key, "")
			return s, s.only != ""
		}
		if len(s.not) < maxSpan && !strings.Contains(s.not, key) {
			s.not += key
		}
		return s.tightened()
	case token.LSS, token.LEQ:
		if op == token.LSS && n > math.MinInt64 {
			n--
		}
		s.hi = min(s.hi, n)
	case token.GTR, token.GEQ:
		if op == token.GTR {
			if n == math.MaxInt64 {
				return s, true
			}
			n++
		}
		s.lo = max(s.lo, n)
	}
	return s.tightened()
}

// maxSpan bounds how much is remembered of what a subject is not.
const maxSpan = 100

// tightened moves the ends of s past the values that it does not hold.
func (s Span) tightened() (out Span, ok bool) {
	for s.lo <= s.hi && s.lo != math.MinInt64 && strings.Contains(s.not, spanKey(constant.MakeInt64(s.lo))) {
		s.lo++
	}
	for s.lo <= s.hi && s.hi != math.MaxInt64 && strings.Contains(s.not, spanKey(constant.MakeInt64(s.hi))) {
		s.hi--
	}
	if s.lo > s.hi {
		return s, false
	}
	if s.only == "" {
		return s, true
	}
	var only strings.Builder
	for n := range strings.FieldsFuncSeq(s.only, func(r rune) bool { return r == 0 }) {
		v := constant.MakeFromLiteral(n, token.INT, 0)
		if v.Kind() != constant.Int || s.within(v) {
			only.WriteString("\x00" + n + "\x00")
		}
	}
	s.only = only.String()
	return s, s.only != ""
}

func (s Span) within(v constant.Value) bool {
	n, exact := constant.Int64Val(v)
	return exact && s.lo <= n && n <= s.hi
}

func (s Span) holds(v constant.Value) bool {
	key := spanKey(v)
	switch {
	case v.Kind() == constant.Int && !s.within(v), strings.Contains(s.not, key):
		return false
	}
	return s.only == "" || strings.Contains(s.only, key)
}

// oneOf returns s where the subject is one of values.
func (s Span) oneOf(values []constant.Value) (out Span, ok bool) {
	only := ""
	for _, v := range values {
		if s.holds(v) {
			only += spanKey(v)
		}
	}
	s.only = only
	return s, only != ""
}

// spanKey writes a constant so that no other constant holds it: quoted, or a number.
func spanKey(v constant.Value) string { return "\x00" + v.ExactString() + "\x00" }

// switchTag returns the comparison of the tag of a switch with one of its cases.
func switchTag(p *code.Pass, sw *ast.SwitchStmt, e ast.Expr) (comparison, bool) {
	return Comparison(p, &ast.BinaryExpr{X: sw.Tag, Op: token.EQL, OpPos: e.Pos(), Y: e})
}

// assumeCase notes what holds in a clause of a switch: that it was chosen, and
// none before it; no other at all if it is the default.
func assumeCase(p *code.Pass, out Assumptions, sw *ast.SwitchStmt, cc *ast.CaseClause, fn *code.Func) {
	list := sw.Body.List
	at := slices.Index(list, ast.Stmt(cc))
	if at < 0 || at > 0 && fallsThrough(list[at-1].(*ast.CaseClause)) {
		return
	}
	var values []constant.Value
	for _, e := range cc.List {
		switch {
		case sw.Tag == nil && len(cc.List) == 1:
			Assume(p, out, e, true, fn)
		case sw.Tag != nil:
			if c, ok := switchTag(p, sw, e); ok {
				values = append(values, c.Value)
			}
		}
	}
	if len(values) > 0 && len(values) == len(cc.List) && ConstantIn(p, sw.Tag, fn) {
		key := condition(p, sw.Tag)
		if s, ok := out.span(key, ast.Unparen(sw.Tag)).oneOf(values); ok {
			out.Spans[key] = s
		}
	}
	if cc.List != nil {
		list = list[:at]
	}
	for _, other := range list {
		assumeNot(p, out, sw, other.(*ast.CaseClause), fn)
	}
}

// assumeNot notes that a clause of a switch was not chosen though it was its turn.
func assumeNot(p *code.Pass, out Assumptions, sw *ast.SwitchStmt, cc *ast.CaseClause, fn *code.Func) {
	for _, e := range cc.List {
		if sw.Tag == nil {
			Assume(p, out, e, false, fn)
		} else if c, ok := switchTag(p, sw, e); ok && ConstantIn(p, sw.Tag, fn) {
			out.narrow(c, false)
		}
	}
}

func fallsThrough(cc *ast.CaseClause) bool {
	if len(cc.Body) == 0 {
		return false
	}
	br, ok := cc.Body[len(cc.Body)-1].(*ast.BranchStmt)
	return ok && br.Tok == token.FALLTHROUGH
}

// assumePassed notes what holds after a switch: none of the first clauses was
// chosen as long as these leave.
func assumePassed(p *code.Pass, out Assumptions, sw *ast.SwitchStmt, fn *code.Func) {
	for _, s := range sw.Body.List {
		cc := s.(*ast.CaseClause)
		if cc.List == nil || !leaves(p, cc.Body) {
			return
		}
		if br, ok := cc.Body[len(cc.Body)-1].(*ast.BranchStmt); ok && (br.Label == nil && br.Tok == token.BREAK || br.Tok == token.FALLTHROUGH) {
			return
		}
		assumeNot(p, out, sw, cc, fn)
	}
}

// assumeElement notes in the body of a loop over something what that says of its
// length. The condition of a test of the length is looked up by its text, so the loop
// writes one.
func assumeElement(p *code.Pass, out Assumptions, loop *ast.RangeStmt, fn *code.Func) {
	if !fixedLength(p, loop.X) || !ConstantIn(p, loop.X, fn) {
		return
	}
	length := &ast.CallExpr{Fun: ast.NewIdent("len"), Args: []ast.Expr{loop.X}}
	out.Spans[newCondition(p, length)] = Span{lo: 1, hi: math.MaxInt64}
}

// fixedLength reports whether what e denotes has one length as long as e has one
// value: a slice, a string or an array.
func fixedLength(p *code.Pass, e ast.Expr) bool {
	t := p.TypesInfo.TypeOf(e)
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Slice, *types.Array:
		return true
	case *types.Basic:
		return u.Info()&types.IsString != 0
	}
	return false
}

// span returns the values that the subject with the given key can have.
func (a Assumptions) span(key string, subject ast.Expr) Span {
	if s, ok := a.Spans[key]; ok {
		return s
	}
	return anySpan(a.P, subject)
}

func (a Assumptions) narrow(c comparison, taken bool) {
	key := condition(a.P, c.Subject)
	if s, ok := a.span(key, c.Subject).and(c, taken); ok {
		a.Spans[key] = s
	}
}

// Narrowed is what a path knows of one subject by the comparisons on its way.
// The zero value knows nothing.
type Narrowed struct {
	subject string
	values  Span
}

// Narrow returns what is known after the comparison cond, which comes out as
// taken, of what was known before; ok is false if it cannot come out so. The
// subject must have one value in fn.
func (a Assumptions) Narrow(n Narrowed, cond ast.Expr, taken bool, fn *code.Func) (out Narrowed, ok bool) {
	c, isComparison := Comparison(a.P, cond)
	if !isComparison || !ConstantIn(a.P, c.Subject, fn) {
		return n, true
	}
	key := condition(a.P, c.Subject)
	s := n.values
	if n.subject != key {
		s = a.span(key, c.Subject)
	}
	s, ok = s.and(c, taken)
	return Narrowed{key, s}, ok
}
