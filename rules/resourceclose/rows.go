package resourceclose

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// row is a resource with what the rule says of it.
type row struct {
	mustcall.Resource
	Undo     string                    // the method that a fix calls: harmless after any other release
	Released string                    // in a message: "is never ..."
	Harm     string                    // what is left behind without a release
	Soft     bool                      // the garbage collector frees it, if it finds it in time
	Apart    func(*mustcall.Owed) bool // what is not followed; may be nil
	Within   bool                      // it ends with the context that the call gets
	Intended bool                      // which release is right is the author's to say, unless there is one
	Scans    func(usage.Event) bool    // a use that may fill a sql.RawBytes; may be nil
}

// What a transaction gives ends with it. A statement of it gives more.
var (
	queried = &usage.Resource{
		Type:    pointer("database/sql", "Rows"),
		Release: []string{"Close"},
		Borrow:  []string{"Next", "NextResultSet", "Scan", "Err", "Columns", "ColumnTypes"},
	}
	one = &usage.Resource{
		Type:    pointer("database/sql", "Row"),
		Release: []string{"Scan"},
		Borrow:  []string{"Err"},
	}
	prepared = &usage.Resource{
		Type:    pointer("database/sql", "Stmt"),
		Release: []string{"Close"},
		Borrow:  []string{"Exec", "ExecContext", "Query", "QueryContext", "QueryRow", "QueryRowContext"},
		Gives:   map[string]*usage.Resource{"Query": queried, "QueryContext": queried, "QueryRow": one, "QueryRowContext": one},
	}
)

func init() {
	usage.Register(one)
}

var (
	asks     = mustcall.From("(*database/sql.DB).Query", "(*database/sql.DB).QueryContext", "(*database/sql.Conn).QueryContext")
	asksStmt = mustcall.From("(*database/sql.Stmt).Query", "(*database/sql.Stmt).QueryContext")
	prepares = mustcall.From("(*database/sql.DB).Prepare", "(*database/sql.DB).PrepareContext", "(*database/sql.Conn).PrepareContext")
)

// queries is the Acquire of rows. Those of a statement that may belong to a transaction
// end with that.
func queries(p *code.Pass, call *ast.CallExpr) (mustcall.Acquired, bool) {
	if a, ok := asks(p, call); ok {
		return a, true
	}
	a, ok := asksStmt(p, call)
	if !ok {
		return a, false
	}
	sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !isSel {
		return a, false
	}
	v := p.VarOf(sel.X)
	if v == nil || v.IsField() || v.Parent() == p.Pkg.Scope() {
		return a, false
	}
	prepared := false
	for _, use := range p.VarUses(v) {
		if !code.IsAssigned(use) {
			if code.Addressed(use) {
				return a, false
			}
			continue
		}
		as, isAssign := use.Parent().Node().(*ast.AssignStmt)
		if !isAssign || len(as.Rhs) != 1 || use.Node() != as.Lhs[0] {
			return a, false
		}
		made, isCall := ast.Unparen(as.Rhs[0]).(*ast.CallExpr)
		if !isCall {
			return a, false
		}
		if _, fresh := prepares(p, made); !fresh {
			return a, false
		}
		prepared = true
	}
	return a, prepared
}

// rows is the table. Each says where its type's documentation asks for the release.
var rows = []row{
	{ // "Close closes the Rows, preventing further enumeration"; a connection is returned when they are closed or read to their end.
		Resource: mustcall.Resource{
			Resource: usage.Register(queried),
			Acquire:  queries,
			Moot:     readToEnd,
		},
		Undo: "Close", Released: "closed", Harm: "its connection is not given back to the pool", Apart: resultSets, Within: true,
		Scans: func(usage.Event) bool { return true },
	},
	{ // "A transaction must end with a call to Tx.Commit or Tx.Rollback."
		Resource: mustcall.Resource{
			Resource: usage.Register(&usage.Resource{
				Type:    pointer("database/sql", "Tx"),
				Release: []string{"Commit", "Rollback"},
				Borrow: []string{"Exec", "ExecContext", "Query", "QueryContext", "QueryRow", "QueryRowContext",
					"Prepare", "PrepareContext", "Stmt", "StmtContext"},
				Gives: map[string]*usage.Resource{
					"Query": queried, "QueryContext": queried, "QueryRow": one, "QueryRowContext": one,
					"Prepare": prepared, "PrepareContext": prepared, "Stmt": prepared, "StmtContext": prepared,
				},
			}),
			Acquire: mustcall.From("(*database/sql.DB).Begin", "(*database/sql.DB).BeginTx", "(*database/sql.Conn).BeginTx"),
		},
		Undo: "Rollback", Released: "committed or rolled back", Harm: "its connection and a goroutine leak", Intended: true, Within: true,
		Scans: func(e usage.Event) bool { return e.Lent },
	},
	{ // "The caller must call the statement's Close method when the statement is no longer needed." One of a transaction is closed with it.
		Resource: mustcall.Resource{
			Resource: usage.Register(prepared),
			Acquire:  prepares,
		},
		Undo: "Close", Released: "closed", Harm: "the database keeps it prepared",
		Scans: func(e usage.Event) bool { return e.Lent },
	},
	{ // "Close closes the connection."
		Resource: mustcall.Resource{
			Resource: usage.Register(&usage.Resource{
				Type:    func(t types.Type) bool { return typeis.Named(t, "net", "Conn") },
				Release: []string{"Close"},
				Borrow:  []string{"Read", "Write", "SetDeadline", "SetReadDeadline", "SetWriteDeadline", "LocalAddr", "RemoteAddr"},
				Lend:    []map[string]int{knowledge.Readers, knowledge.Writers},
				Wrap:    []map[string]int{knowledge.ReaderMakers, knowledge.WriterMakers},
			}),
			Acquire: mustcall.From("net.Dial", "net.DialTimeout", "(*net.Dialer).Dial", "(*net.Dialer).DialContext"),
		},
		Undo: "Close", Released: "closed", Harm: "the connection stays open until the garbage collector finds it", Soft: true,
	},
	{ // "Close closes the File, rendering it unusable for I/O."
		Resource: mustcall.Resource{
			Resource: usage.Register(&usage.Resource{
				Type:    pointer("os", "File"),
				Release: []string{"Close"},
				Borrow: []string{"Read", "ReadAt", "ReadDir", "ReadFrom", "Readdir", "Readdirnames", "Write", "WriteAt", "WriteString", "WriteTo",
					"Seek", "Stat", "Name", "Sync", "Truncate", "Chmod", "Chown", "SetDeadline", "SetReadDeadline", "SetWriteDeadline"},
				Lend: []map[string]int{knowledge.Readers, knowledge.Writers},
				Wrap: []map[string]int{knowledge.ReaderMakers, knowledge.WriterMakers},
			}),
			Acquire: mustcall.From("os.Open", "os.Create", "os.OpenFile", "os.CreateTemp"),
		},
		Undo: "Close", Released: "closed", Harm: "its descriptor stays open until the garbage collector finds it", Soft: true,
	},
}

// pointer returns what reports whether a type is a pointer to a named one.
func pointer(path, name string) func(types.Type) bool {
	return func(t types.Type) bool {
		_, isPtr := types.Unalias(t).(*types.Pointer)
		return isPtr && typeis.Named(t, path, name)
	}
}

// readToEnd reports whether a condition says that Next of the rows in v has returned
// false, at once or into a variable of it alone: then they have closed themselves.
func readToEnd(p *code.Pass, v *types.Var, cond ast.Expr, taken bool) bool {
	isNext := func(e ast.Expr) bool {
		call, ok := ast.Unparen(e).(*ast.CallExpr)
		if !ok {
			return false
		}
		recv, ok := p.Method(call, "database/sql", "Rows", "Next")
		return ok && p.VarOf(recv) == v
	}
	if taken || isNext(cond) {
		return !taken
	}
	more := p.VarOf(cond)
	if more == nil {
		return false
	}
	values, param, known := p.ValuesOf(more)
	return known && !param && !slices.ContainsFunc(values, func(e ast.Expr) bool { return !isNext(e) })
}

// holdsRaw reports whether a sql.RawBytes may be filled from the resource. It is memory of
// the driver until the rows are closed, and holds a lock of them: a Rollback waits for it.
func holdsRaw(r *row, o *mustcall.Owed) bool {
	return r.Scans != nil && slices.ContainsFunc(o.Events, r.Scans) && bool(code.Shared(o.Pass, namesRaw))
}

// rawNamed says that a package names sql.RawBytes.
type rawNamed bool

func namesRaw(p *code.Pass) rawNamed {
	for _, obj := range p.TypesInfo.Uses {
		name, ok := obj.(*types.TypeName)
		if ok && name.Pkg() != nil && name.Pkg().Path() == "database/sql" && name.Name() == "RawBytes" {
			return true
		}
	}
	return false
}

// resultSets reports whether the function asks for more than one result set: which one is
// the last is not followed.
func resultSets(o *mustcall.Owed) bool {
	return slices.ContainsFunc(o.Events, func(e usage.Event) bool {
		sel, ok := code.Unparen(e.At).Parent().Node().(*ast.SelectorExpr)
		return ok && sel.Sel.Name == "NextResultSet"
	})
}
