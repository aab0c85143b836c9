// Rows, statements, transactions, connections and files that are not released on every path.
//
// # What it does
//
// It follows the *sql.Rows of a query, the *sql.Stmt of a Prepare, the *sql.Tx of a Begin,
// the net.Conn of a dial and the *os.File of an open or create from the call to each exit of the function. It
// reports a path on which the function returns, or takes another value into the same
// variable, without having released it: Close, for a transaction Commit or Rollback.
//
// # Why it leaks
//
// Rows that are neither closed nor read to their end keep their connection, and so does a
// transaction that is neither committed nor rolled back, with a goroutine that waits
// for its end. Nothing else gives them back: a pool of limited size is empty in the end,
// and the next query waits for ever. A statement that is not closed stays prepared as long
// as its connections do, and databases limit how many there are. A connection or a file keeps a descriptor until the
// garbage collector finds it, which need not be before the process has too many.
//
// # Example
//
//	 rows, err := db.Query("SELECT name FROM users")
//	 if err != nil {
//	 	return nil, err
//	 }
//	+defer rows.Close()
//	 for rows.Next() {
//	 	if err := rows.Scan(&name); err != nil {
//	 		return nil, err
//	 	}
//
// # What is not reported
//
// A resource that is returned, stored, sent, captured by a goroutine or passed to a
// function that is not known only to use it: whoever gets it may release it. What is
// handed on like that on one path is still owed on the others, and a new struct that only
// the function has, whose methods leave the field alone, does not count as somebody. Paths
// on which the error is set or the resource is nil. Rows after Next has returned false: they have closed
// themselves. Rows of a transaction, which end with it, and of a statement that may
// belong to one; statements of a transaction. Rows and
// transactions that get a context which the function itself cancels when it returns.
// Rows of which more than one result set is asked for. A release that stands under a flag.
// Paths that end in a panic, os.Exit, log.Fatal or t.Fatal, and those on which a test
// has failed. What runs once in the life of a process, such as main, outside of loops.
// Connections and files in tests. A call that releases at the end of straight code.
//
// # Fix safety
//
// The fix puts the release into a defer statement after the check of the error. It runs
// when the function returns, after every use, because nobody who could outlive the
// function has got the resource. What the function releases by itself stays: the second
// release returns an error that nobody sees, or nil, and changes nothing. For a transaction
// the second one is a Rollback after the Commit. An existing defer moves up if it does
// nothing else and no other call is deferred in between, at any depth; otherwise a
// second one is put before it.
//
// A fix is unsafe where the resource is handed on on another path, and in a loop: it is
// released before each exit that leaves it open, but not on a panic.
// There is no fix for a transaction that is neither committed nor rolled back anywhere,
// because a commit may be meant, and for one whose rows or statements are handed on, or a
// statement whose rows are: they end with it. Nor is there one in packages that scan rows into a sql.RawBytes, which keeps
// a Rollback waiting; where the error is not checked directly after the call; where the
// function goes on for long after the last use; and where a comment says that it is intentional.
//
// # See also
//
// https://pkg.go.dev/database/sql#Rows.Close
package resourceclose

import (
	_ "embed"
	"go/ast"
	"go/types"

	"github.com/dave/dst"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "resourceclose", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed resourceclose.go
var source string

func find(p *code.Pass) (out []rule.Match) {
	for i := range rows {
		r := &rows[i]
		for o := range r.Find(p) {
			if m, ok := match(r, o); ok {
				out = append(out, m)
			}
		}
	}
	return out
}

func match(r *row, o *mustcall.Owed) (m rule.Match, ok bool) {
	p := o.Pass
	if r.Soft && p.InTest(o.Call.Pos()) || endsOtherwise(r, o) || o.Flagged() || r.Apart != nil && r.Apart(o) {
		return m, false
	}
	unmet := o.Open()
	if len(unmet.Exits) == 0 {
		return m, false
	}
	exit, name := unmet.Exits[0], o.Var.Name()
	m = rule.Match{Pos: o.Call.Pos(), End: o.Call.End()}
	switch {
	case o.HandedOn:
		m.Message = name + " of " + types.ExprString(o.Call.Fun) + " is neither released nor handed on on every path, so " + r.Harm
	case unmet.Met || r.Moot != nil:
		m.Message = name + " of " + types.ExprString(o.Call.Fun) + " is not " + r.Released + " on every path, so " + r.Harm
	default:
		m.Message = name + " of " + types.ExprString(o.Call.Fun) + " is never " + r.Released + ", so " + r.Harm
	}
	m.Related = []rule.Related{{Pos: exit.Pos, End: exit.Pos, Message: "returns here without releasing it"}}
	if exit.Assigns {
		m.Related[0].Message = name + " is assigned again here before it is released"
	}
	if r.Intended && !unmet.Met {
		return m.None("whether " + name + " is to be committed is for the author to say"), true
	}
	if holdsRaw(r, o) {
		return m.None("a sql.RawBytes may still be in use when the function returns, or keep a deferred " + r.Undo + " waiting"), true
	}
	return fix(m, r, o, o.Place(unmet, func(d *ast.DeferStmt) bool { return releases(p, r, o.Var, d) })), true
}

// endsOtherwise reports whether the resource ends without a release: with a context that
// the function cancels when it returns, or with the process.
func endsOtherwise(r *row, o *mustcall.Owed) bool {
	c := &ctxcancel.Cancel{Pass: o.Pass, Fn: o.Fn, Call: o.Call, Def: o.Def}
	if c.InLoop() {
		return false // until then, each iteration adds one
	}
	for _, arg := range o.Call.Args {
		if r.Within && typeis.Named(o.Pass.TypesInfo.TypeOf(arg), "context", "Context") && c.Ends(arg, nil) {
			return true
		}
	}
	return launch.OncePerProcess(o.Pass, o.Fn.Cursor)
}

// releases reports whether d defers the release of v that a fix would defer, and nothing else.
func releases(p *code.Pass, r *row, v *types.Var, d *ast.DeferStmt) bool {
	sel, ok := ast.Unparen(d.Call.Fun).(*ast.SelectorExpr)
	return ok && len(d.Call.Args) == 0 && sel.Sel.Name == r.Undo && p.VarOf(sel.X) == v
}

// fix offers to release the resource at its place.
func fix(m rule.Match, r *row, o *mustcall.Owed, at mustcall.Place) rule.Match {
	call := func() *dst.CallExpr { return dstedit.Call(dstedit.Sel(o.Var.Name(), r.Undo)) }
	what := o.Var.Name() + "." + r.Undo + "()"
	switch at.Kind {
	case mustcall.MoveDefer:
		return m.Safe("Move the deferred "+what+" up, before the first return", func(d *dstedit.Decl) error {
			return d.MoveAfter(at.Stmt, at.Guard.After)
		})
	case mustcall.Defer:
		return m.Safe("Defer "+what, func(d *dstedit.Decl) error {
			if at.Guard.First != nil {
				return d.InsertFirst(at.Guard.First, dstedit.Defer(call()))
			}
			return d.InsertAfter(at.Guard.After, dstedit.Defer(call()))
		})
	case mustcall.BeforeExits:
		return m.Unsafe("Call "+what+" before each exit that leaves it open: a panic skips it", func(d *dstedit.Decl) error {
			return d.InsertEach(at.Exits.Before(), at.Exits.Last, func(ast.Stmt) dst.Stmt { return dstedit.ExprStmt(call()) })
		})
	}
	return m.None(at.Why)
}
