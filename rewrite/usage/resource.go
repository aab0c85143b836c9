package usage

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Resource is a kind of value that somebody must release: a row of a table. Methods and
// fields are given by their names, functions by their full names. What is on no list
// takes the resource over: then whoever has it may release it.
type Resource struct {
	// Type reports whether a value of type t is such a resource.
	Type func(t types.Type) bool
	// Holds is the field that carries the resource Held, such as Body; "" if the value is
	// the resource itself.
	Holds string
	Held  *Resource
	// Takes are the methods of a holder that take the resource over; all others leave it.
	Takes []string
	// Release are the methods that release the resource. With none, and nothing held, it is
	// a function, and to call it releases it.
	Release []string
	// Borrow are the methods that use the resource and leave it as it is.
	Borrow []string
	// Gives are those of Borrow whose first result ends with the resource, such as the rows
	// of a transaction: with what that is, in turn.
	Gives map[string]*Resource
	// Lend are functions that use the argument of the given index and leave it as it is;
	// the result of those in Wrap reads from that argument, or writes to it.
	Lend, Wrap []map[string]int
	// Known says what a call of the function name does with the resource; ok is false
	// for a function that it does not know. May be nil.
	Known func(p *code.Pass, call *ast.CallExpr, name string) (effect Effect, ok bool)
}

// takes reports whether one of tables has the argument of the given index of a function.
func takes(tables []map[string]int, name string, arg int) bool {
	return slices.ContainsFunc(tables, func(table map[string]int) bool {
		i, ok := table[name]
		return ok && i == arg
	})
}

func (r *Resource) isFunc() bool { return len(r.Release) == 0 && r.Held == nil }

// Stream is what is read and closed: the body of a response.
var Stream = &Resource{
	Type: func(t types.Type) bool {
		return typeis.Named(t, "io", "ReadCloser") || typeis.Named(t, "io", "Reader") || typeis.Named(t, "io", "Closer")
	},
	Release: []string{"Close"},
	Borrow:  []string{"Read"},
	Lend:    []map[string]int{knowledge.Readers},
	Wrap:    []map[string]int{knowledge.ReaderMakers},
}

// Func is a function that must be called, such as a context.CancelFunc.
var Func = &Resource{Type: typeis.Callback}

// resources are those that a parameter may be.
var resources = []*Resource{Stream, Func}

// Register makes functions be summarised that have a parameter of the type of r, and
// returns r. It is called while packages are initialised. No type belongs to two resources.
func Register(r *Resource) *Resource {
	resources = append(resources, r)
	return r
}

// ResourceOf returns the resource that a value of type t is; nil if it is none.
func ResourceOf(t types.Type) *Resource {
	for _, r := range resources {
		if r.Type(t) {
			return r
		}
	}
	return nil
}
