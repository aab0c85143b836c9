package lifetime_test

import (
	"go/types"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code/codetest"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

func TestSummaries(t *testing.T) {
	p := codetest.Load(t, `
import ("context"; "io"; "log"; "net/http"; "os")
func dies()                           { log.Print("x"); os.Exit(1) }
func diesToo()                        { dies() }
func check(err error)                 { if err != nil { log.Fatal(err) } }
func logs(err error)                  { if err != nil { log.Print(err) } }
func drain(r *http.Response)          { io.Copy(io.Discard, r.Body); r.Body.Close() }
func drainLate(r *http.Response)      { defer func() { r.Body.Close() }() }
func status(r *http.Response) int     { return r.StatusCode }
func both(r *http.Response) int       { defer drain(r); return status(r) }
var kept *http.Response
func keep(r *http.Response)           { kept = r }
func sends(c context.Context) error   { return c.Err() }
func spawns(c context.Context)        { go func() { <-c.Done() }() }
func passes(c context.Context)        { spawns(c) }
func nameless(context.Context)        {}
func blank(_ context.Context)         {}
type open interface{ Do(context.Context) error }
func unknown(c context.Context, o open) error { return o.Do(c) }
func calls(c context.Context, f func(context.Context) error) error { return f(c) }
func again(c context.Context) error   { return again(c) }
`)
	fn := func(name string) *types.Func { return p.Pkg.Scope().Lookup(name).(*types.Func) }
	for name, want := range map[string]bool{"dies": true, "diesToo": true, "check": false, "logs": false} {
		if got := p.Facts.NeverReturns(fn(name)); got != want {
			t.Errorf("NeverReturns(%s) = %v", name, got)
		}
	}
	for name, want := range map[string]bool{"check": true, "logs": false, "dies": false} {
		if i, got := assume.GuardsError(p.Facts, fn(name)); got != want || got && i != 0 {
			t.Errorf("GuardsError(%s) = %d, %v", name, i, got)
		}
	}
	for name, want := range map[string]usage.Effect{"drain": usage.Releases, "drainLate": usage.Releases, "status": usage.Borrows, "both": usage.Releases, "keep": usage.Unknown} {
		if got := usage.Param(p.Facts, fn(name), 0); got != want {
			t.Errorf("Param(%s) = %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]usage.Effect{"sends": usage.Borrows, "spawns": usage.Releases, "passes": usage.Releases,
		"nameless": usage.Borrows, "blank": usage.Borrows, "unknown": usage.Unknown, "calls": usage.Unknown, "again": usage.Unknown} {
		if got := lifetime.Context(p.Facts, fn(name), 0); got != want {
			t.Errorf("Context(%s) = %v, want %v", name, got, want)
		}
	}
}
