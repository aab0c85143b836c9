package main

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// watcherstop is made of one row: what watch.Start returns is to be stopped.
var watcherstop = rule.Rule{Name: "watcherstop", Doc: "Watchers that are not stopped on every path.", Find: find}

var watcher = &mustcall.Resource{
	Resource: usage.Register(&usage.Resource{
		Type:    func(t types.Type) bool { return typeis.Named(t, "example.com/third/watch", "Watcher") },
		Release: []string{"Stop"},
		Borrow:  []string{"Events"},
	}),
	Acquire: mustcall.From("example.com/third/watch.Start"),
}

func find(p *code.Pass) (out []rule.Match) {
	for o := range watcher.Find(p) {
		unmet := o.Open()
		if len(unmet.Exits) == 0 {
			continue
		}
		m := rule.Match{Pos: o.Call.Pos(), End: o.Call.End(), Message: o.Var.Name() + " is not stopped on every path, so nobody else gets it"}
		place := o.Place(unmet, func(*ast.DeferStmt) bool { return false })
		if place.Kind != mustcall.Defer {
			out = append(out, m.None(place.Why))
			continue
		}
		out = append(out, m.Safe("Defer the stop", func(d *dstedit.Decl) error {
			return d.InsertAfter(place.Guard.After, dstedit.Defer(dstedit.Call(dstedit.Sel(o.Var.Name(), "Stop"))))
		}))
	}
	return out
}
