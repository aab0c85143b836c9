package assume_test

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code/codetest"
)

// TestAssurances has helpers that check what they get, and says of each what
// holds of its parameters once it has returned; "~" stands for a failed test.
func TestAssurances(t *testing.T) {
	p := codetest.Load(t, `
import ("errors"; "log"; "os"; "reflect"; "testing")
type c struct { *testing.T; name string }
func (c *c) Equal(got, want any) { c.Helper(); if !reflect.DeepEqual(got, want) { c.Fatalf("%v %v", got, want) } } // equal 0 1
func (c *c) NoErr(err error) { c.Helper(); c.Equal(err, nil) } // nil 0
func (c *c) NoErrs(errs ...error) { c.Helper(); for _, err := range errs { c.NoErr(err) } } // nil... 0
func noErr(t testing.TB, err error, msg ...any) { t.Helper(); if err == nil { return }; t.Fatal(msg...) } // nil 1
func ok(t testing.TB, err error) { noErr(t, err, "at", 1) } // nil 1
func okay(t testing.TB, err error) { ok(t, err) } // nil 1
func same[T comparable](t testing.TB, got, want T) { t.Helper(); if got != want { t.Fatalf("%v", got) } } // equal 1 2
func named(t testing.TB, a, b any) { equal := reflect.DeepEqual(a, b); if !equal { t.Fatal(a) } } // equal 1 2
func must[T any](v T, err error) T { if err != nil { panic(err) }; return v } // nil 1
func mustT[T any](t testing.TB, v T, err error) T { okay(t, err); return v } // nil 2
func that(t testing.TB, cond bool) { if !cond { t.FailNow() } } // true 1
func not(t testing.TB, cond bool) { that(t, !cond) } // false 1
func viaThat(t testing.TB, err error) { that(t, err == nil) } // nil 1
func viaSame(t testing.TB, err error) { same(t, err == nil, true) } // nil 1
func viaError(t testing.TB, err error) { same(t, err, nil) } // nil 1
func both(t testing.TB, a, b error) { that(t, a == nil && b == nil) } // nil 1, nil 2
func demands(t testing.TB, err error) { if err == nil { t.Fatal("none") } } // set 1
func demandsEOF(t testing.TB, err error) { if !errors.Is(err, os.ErrClosed) { t.Fatal(err) } } // set 1
func demandsSoftly(t testing.TB, err error) { if err == nil { t.Error("none") } } // ~set 1
func demandsAgain(t testing.TB, err error) { demandsSoftly(t, err) } // ~set 1
func all(t testing.TB, errs ...error) { for _, err := range errs { if err != nil { t.Fatal(err) } } } // nil... 1
func allOn(t testing.TB, errs ...error) { t.Helper(); all(t, errs...) } // nil... 1
func dies(err error) bool { if err != nil { log.Print(err); os.Exit(1) }; return true } // nil 0
func switches(t testing.TB, err error) { switch { case err != nil: t.Fatal(err) } } // nil 1

func soft(t testing.TB, err error) { if err != nil { t.Error(err) } } //
func sometimes(t testing.TB, err error, fatal bool) { if err != nil && fatal { t.Fatal(err) } } //
func other(t testing.TB, err error) { if err != nil { err = nil }; if err != nil { t.Fatal(err) } } //
func other2(t testing.TB, err, e error) { if e != nil { t.Fatal(err) } } // nil 2
func first(t testing.TB, errs ...error) { for _, err := range errs { if err != nil { t.Fatal(err) }; break } } //
func early(t testing.TB, errs ...error) { if len(errs) > 2 { return }; for _, err := range errs { if err != nil { t.Fatal(err) } } } //
func lateToo(t testing.TB, err error) { go func() { if err != nil { t.Fatal(err) } }() } //
func deferred(t testing.TB, err error) { defer func() { if err != nil { t.Log(err) } }() } //
func either(t testing.TB, a, b error) { that(t, a == nil || b == nil) } //
func unequal(t testing.TB, a, b any) { if reflect.DeepEqual(a, b) { t.Fatal(a) } } //
func softly(t testing.TB, a, b any) { if a != b { t.Errorf("%v", a) } } // ~equal 1 2
func recurses(t testing.TB, err error) { recurses(t, err) } //
func kept(t testing.TB, err error) { swap(&err); if err != nil { t.Fatal(err) } } //
func swap(err *error) {}
`)
	kinds := map[assume.AssuranceKind]string{assume.AssuresNil: "nil", assume.AssuresSet: "set", assume.AssuresAllNil: "nil...", assume.AssuresEqual: "equal", assume.AssuresTrue: "true", assume.AssuresFalse: "false"}
	for _, d := range p.Files[0].Decls {
		fd, ok := d.(*ast.FuncDecl)
		if !ok || fd.Name.Name == "swap" {
			continue
		}
		var got []string
		for _, a := range assume.AssuresOf.Of(p.Facts.Facts, p.TypesInfo.Defs[fd.Name].(*types.Func)) {
			s := fmt.Sprintf("%s %d", kinds[a.Kind], a.Param)
			if a.Kind == assume.AssuresEqual {
				s += fmt.Sprintf(" %d", a.Other)
			}
			if a.Soft {
				s = "~" + s
			}
			got = append(got, s)
		}
		want := ""
		for _, g := range p.Files[0].Comments {
			if p.Fset.Position(g.Pos()).Line == p.Fset.Position(fd.Pos()).Line {
				want = strings.TrimSpace(g.Text())
			}
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s assures %q, want %q", fd.Name.Name, s, want)
		}
	}
}
