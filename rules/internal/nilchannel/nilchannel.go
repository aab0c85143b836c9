// Package nilchannel finds operations on channels that are never made, for the
// rules about both directions.
package nilchannel

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Find finds waits on a nil channel.
func Find(p *code.Pass, spec inspector.Cursor, fn *code.Func, kind channel.Kind) (out []rule.Match) {
	for _, u := range channel.NeverMade(p, spec, fn) {
		if (u.Kind == channel.Send) != (kind == channel.Send) {
			continue
		}
		name, verb := types.ExprString(u.At.Node().(ast.Expr)), "receive from "
		end := u.Op.Node().End()
		switch n := u.Op.Node().(type) {
		case *ast.SendStmt:
			verb = "send on "
		case *ast.RangeStmt:
			verb, end = "range over ", n.X.End()
		}
		m := rule.Match{Pos: u.Op.Node().Pos(), End: end, Message: verb + name + " blocks forever because " + name + " is nil: it is declared and never made"}
		out = append(out, m.None("which capacity the channel needs is for the author to say"))
	}
	return out
}
