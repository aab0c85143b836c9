// Waits for a WaitGroup whose counter never comes back to zero.
//
// # What it does
//
// It reports Add with a larger number than the goroutines after it can count
// down, Add for each element of a slice before a loop that skips some of
// them, Add in a function that WaitGroup.Go starts and so counts by itself, and
// Wait before the receives that the goroutines need to come to their Done.
//
// # Why it leaks
//
// Wait returns when the counter is zero. One count that nobody takes back, or
// that is taken back only after something which happens after the Wait, blocks
// the function for ever, and whatever waits for it.
//
// # Example
//
//	-wg.Wait()
//	-close(results)
//	+go func() {
//	+	wg.Wait()
//	+	close(results)
//	+}()
//	 for r := range results {
//	 	use(r)
//	 }
//
// # What is not reported
//
// A group that anybody else can count down: one in a field or a global variable,
// one that is handed to a function of which it is not known what it does with
// it. An Add that cannot be told from its place which goroutines it is for, or
// whose goroutines count down in loops. A loop after which the function decides
// whether it comes to the Wait.
//
// # Fix safety
//
// All fixes are unsafe. Where a loop skips elements, each goroutine is counted before
// it instead, so the counter is lower at first. Where the results are
// ranged over, the Wait goes to a goroutine of its own, if nothing stands between
// it and the loop that has to do with the goroutines, or leaves the function.
//
// # See also
//
// waitgroupadd, for goroutines that are counted too late or do not count down.
package waitgroupwait

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "waitgroupwait", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed waitgroupwait.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	for c := range p.Candidates((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		fn := p.FuncOf(c)
		if fn == nil {
			continue
		}
		for _, g := range localGroups(p, fn) {
			for _, e := range g.Excesses() {
				out = append(out, tooMany(e))
			}
			if s, ok := g.SkippedIterations(); ok {
				out = append(out, iterationSkipped(p, g, s))
			}
			if d, ok := g.Deadlock(); ok {
				out = append(out, waitsFirst(p, d))
			}
		}
	}
	for _, add := range addsInGo(waitgroup.NewGroups(p)) {
		recv := types.ExprString(add.Recv)
		m := rule.Match{
			Pos: add.Call.Pos(), End: add.Call.End(),
			Message: recv + ".Add runs inside " + recv + ".Go, which counts the goroutine itself, and nobody calls Done, so " + recv + ".Wait blocks forever",
		}
		out = append(out, m.None("whether the Add is too much or a Done is missing is for its author to say"))
	}
	return out
}

// tooMany is wg.Add(2); go func() { wg.Done() }(); wg.Wait().
func tooMany(e excess) rule.Match {
	recv := types.ExprString(e.Add.Recv)
	m := rule.Match{Pos: e.Add.Call.Pos(), End: e.Add.Call.End()}
	if e.Dones == 0 {
		m.Message = fmt.Sprintf("nobody calls Done for this %s.Add, so %s.Wait blocks forever", recv, recv)
		return m.None("where the Done belongs depends on what is to be waited for")
	}
	m.Message = fmt.Sprintf("%s.Add counts %d, but Done is called at most %d times, so %s.Wait blocks forever", recv, e.Count, e.Dones, recv)
	return m.None("whether the number is wrong or a Done is missing is for its author to say")
}

// iterationSkipped is wg.Add(len(xs)); for x := range xs { if ... { continue }; go ... }.
func iterationSkipped(p *code.Pass, g *localGroup, s skipped) rule.Match {
	recv, over := types.ExprString(s.Add.Recv), types.ExprString(s.Of)
	gs := s.Start.Stmt.Node().(*ast.GoStmt)
	m := rule.Match{
		Pos: s.Add.Call.Pos(), End: s.Add.Call.End(),
		Message: fmt.Sprintf("%s.Add counts all of %s, but not every iteration of the loop starts a goroutine, so %s.Wait blocks forever", recv, over, recv),
		Related: []rule.Related{rule.GoroutineStart(s.Start.Stmt)},
	}
	if len(g.Dones) > 0 {
		return m.None("other iterations count down themselves")
	}
	if s.Early {
		return m.None("a goroutine waits before all are counted, and would not wait at all")
	}
	if _, _, ok := code.StmtList(s.Start.Stmt); !ok || !naming.Visible(p, g.Var, gs.Pos()) {
		return m.None("the go statement carries a label")
	}
	add := s.Add.At.Parent().Node().(ast.Stmt)
	return m.Unsafe("Count each goroutine before its go statement", func(d *dstedit.Decl) error {
		one := dstedit.ExprStmt(dstedit.Call(dstedit.Sel(g.Var.Name(), "Add"), dstedit.Int("1")))
		if err := d.InsertBefore(gs, one); err != nil {
			return err
		}
		return d.DeleteLeavingComments(add)
	})
}

// waitsFirst is go func() { defer wg.Done(); ch <- v }(); wg.Wait(); <-ch.
func waitsFirst(p *code.Pass, w deadlock) rule.Match {
	recv, ch := types.ExprString(w.Wait.Recv), w.Chan.Name()
	m := rule.Match{
		Pos: w.Wait.Call.Pos(), End: w.Wait.Call.End(),
		Message: fmt.Sprintf("%s.Wait comes before the receive from %s, so it and the goroutine that sends to %s wait for each other", recv, ch, ch),
		Related: []rule.Related{
			{Pos: w.Send.Op.Node().Pos(), End: w.Send.Op.Node().End(), Message: "sends here, before its Done"},
			{Pos: w.Recv.Op.Node().Pos(), End: w.Recv.At.Node().End(), Message: "received from here"},
		},
	}
	if w.Close == nil {
		return m.None("the receives have to come before the Wait")
	}
	if naming.Shadowed(p, "close", w.Close.Pos()) {
		return m.None("close is shadowed here")
	}
	wait := w.Wait.At.Parent().Node().(ast.Stmt)
	return m.Unsafe("Wait in a goroutine that closes "+ch, func(d *dstedit.Decl) error {
		waits := dstedit.ExprStmt(d.Expr(w.Wait.Call))
		closes := dstedit.ExprStmt(d.Expr(w.Close.(*ast.ExprStmt).X))
		if err := d.InsertBefore(wait, dstedit.Go(waits, closes)); err != nil {
			return err
		}
		if err := d.DeleteLeavingComments(wait); err != nil {
			return err
		}
		return d.DeleteLeavingComments(w.Close)
	})
}
