package mustcall_test

import (
	"go/ast"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/code/codetest"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rules/bodyclose"
)

// firsts has responses in functions with many ways out.
const firsts = `
import "net/http"
func b() bool
func use(*http.Response)
func many() error {
	r, err := http.Get("")
	if err != nil { return err }
	if b() { return nil }
	if b() { r.Body.Close(); return nil }
	for b() { if b() { return nil } }
	r.Body.Close()
	return nil
}
func again() {
	for b() {
		r, err := http.Get("")
		if err != nil { continue }
		if b() { return }
		if b() { r.Body.Close() }
	}
	b()
}
func other() {
	var r *http.Response
	for b() {
		r, _ = http.Get("")
		if b() { continue }
		if b() { return }
	}
	if b() { return }
	r.Body.Close()
}
func late() {
	r, err := http.Get("")
	if err != nil { return }
	if b() { return }
	if b() { return }
	defer r.Body.Close()
	b()
}
func never() {
	r, err := http.Get("")
	if err != nil { return }
	if b() { return }
	if b() { r.Body.Read(nil) }
}
`

// TestFirstWaysOut compares what is found when only the first ways out are asked for with
// what is found when all are: the first one that returns and all else is the same.
func TestFirstWaysOut(t *testing.T) {
	p := codetest.Load(t, firsts)
	responses, fewer := 0, 0
	for c := range p.Inspector.Root().Preorder((*ast.CallExpr)(nil)) {
		r, ok := bodyclose.ResponseMade(p, c)
		if !ok {
			continue
		}
		if _, ok := r.Bind(); !ok {
			t.Errorf("%s: not bound", r.Fn.Name())
			continue
		}
		responses++
		o := r.Obligation()
		all := mustcall.Check(p, o)
		o.First = true
		first := mustcall.Check(p, o)
		if len(first.Exits) < len(all.Exits) {
			fewer++
		}
		for i, e := range all.Exits {
			if i >= len(first.Exits) || first.Exits[i] != e {
				t.Errorf("%s: ways out %v, of %v", r.Fn.Name(), first.Exits, all.Exits)
				break
			}
			if !e.Assigns {
				break
			}
		}
		all.Exits, first.Exits = nil, nil
		if first.Met != all.Met || first.Overwritten != all.Overwritten || first.OverwrittenLate != all.OverwrittenLate || first.Again != all.Again {
			t.Errorf("%s: %+v, want %+v", r.Fn.Name(), first, all)
		}
	}
	if responses != 5 || fewer < 2 {
		t.Errorf("%d responses, %d of them with fewer ways out", responses, fewer)
	}
}
