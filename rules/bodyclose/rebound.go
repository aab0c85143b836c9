package bodyclose

import (
	"go/ast"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
	"github.com/goroutinefix/goroutinefix/rules/bodyclose/internal/hidden"
)

// rebound is "resp.Body = gzip.NewReader(resp.Body)": what is closed later is not the
// body that came with the response.
func (b *bodyLeak) rebound(m rule.Match) (rule.Match, bool) {
	if b.Var == nil || b.Parsed {
		return m, false
	}
	r, at := hidden.Find(&b.Response)
	if len(at) == 0 || r.EndsWithFunction() || r.Head() {
		return m, false
	}
	i := slices.IndexFunc(at, func(h hidden.Replacement) bool { return comesOpen(&r, h.Stmt) })
	if i < 0 {
		return m, false // it is closed, or handed on, before
	}
	h := at[i]
	name := b.Var.Name()
	m.Message = name + ".Body is replaced by a reader of " + h.By + ", which does not close what it reads, so the connection and two goroutines of the first body leak"
	m.Related = []rule.Related{{Pos: h.Stmt.Pos(), End: h.Stmt.End(), Message: "replaced here before the first body is closed"}}
	if r.HandedOn {
		return m.None("whoever gets " + name + " goes on reading the first body, so that the new one has to close both"), true
	}
	b.Response = r
	// What is closed after it, also by a deferred literal, is the new body.
	switch place := placeOf(&b.Response, mustcall.Unmet{Overwritten: true}); {
	case place.Why != "":
		return m.None(place.Why), true
	case place.Kind != deferred:
		return m.None("a deferred close would keep the connection for too long"), true
	default:
		return b.offer(m, "Defer closing the first body", func(d *dstedit.Decl) error {
			return insertAfter(d, place.Guard, deferClose(name))
		}), true
	}
}

// comesOpen reports whether control comes to stmt with a body that is not closed, not
// deferred to be closed, and that nobody else has.
func comesOpen(b *response.Response, stmt ast.Stmt) bool {
	over := map[ast.Node]bool{}
	for _, e := range b.Events {
		switch e.Kind {
		case usage.Reads, usage.ClosesLate:
		default:
			over[e.Node] = over[e.Node] || e.Node != ast.Node(stmt)
		}
	}
	return mustcall.MayMeet(b.Pass, b.Obligation(), func(n ast.Node) (now, late, stop bool) { return n == ast.Node(stmt), false, over[n] })
}
