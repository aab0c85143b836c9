package oracle

import (
	"context"
	"fmt"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle/gen"
)

// candidates is how many smaller trees of one failure are tried in one program.
const candidates = 24

// concerns reports whether a tree has one of the values that a failure is about.
func (f *Failure) concerns(tree *gen.Node) (has bool) {
	tree.Each(func(n *gen.Node) {
		name := n.Kind
		if name == "chan" {
			name = "ch"
		}
		has = has || slices.Contains(f.subjects, fmt.Sprint(name, n.ID))
	})
	return has || slices.Contains(f.subjects, "")
}

// shrink replaces failures by the smallest functions that fail in the same way:
// up to a number of each kind and rule; of the others it keeps what they are.
func (j *judge) shrink(ctx context.Context, r *Report, cfg Config) error {
	count := map[string]int{}
	var todo []*Failure
	for i := range r.Failures {
		f := &r.Failures[i]
		if count[f.Key()]++; count[f.Key()] <= cfg.Shrink {
			todo = append(todo, f)
		}
	}
	small := *j
	small.unsafe = slices.ContainsFunc(todo, func(f *Failure) bool { return f.Kind == Unsafe || f.Kind == UnsafeLeak })
	tried := map[string]bool{}
	for step := 0; len(todo) > 0; step++ {
		cfg.Logf("shrinking %d failures, step %d", len(todo), step)
		var units []*unit
		of := map[*unit]*Failure{}
		more := map[*Failure]bool{} // there are candidates that were not tried yet
		for _, f := range todo {
			list := f.Tree.Smaller()
			slices.SortStableFunc(list, func(a, b *gen.Node) int { return a.Size() - b.Size() })
			n := 0
			for _, tree := range list {
				id := f.Key() + tree.String()
				if tried[id] || !f.concerns(tree) {
					continue
				}
				if n++; n > candidates {
					more[f] = true
					break
				}
				tried[id] = true
				u := &unit{id: len(units), tree: tree}
				units = append(units, u)
				of[u] = f
			}
		}
		if len(units) == 0 {
			break
		}
		smaller := map[*Failure]bool{}
		for batch := range slices.Chunk(units, max(cfg.Batch, 400)) {
			if err := small.measure(ctx, batch); err != nil {
				return err
			}
			for _, u := range batch {
				f := of[u]
				for _, g := range u.failures() {
					if g.Key() == f.Key() && g.Tree.Size() < f.Tree.Size() {
						g.Seed, g.Function = f.Seed, f.Function
						*f = g
						smaller[f] = true
						cfg.Found([]Failure{*f})
					}
				}
			}
		}
		todo = slices.DeleteFunc(todo, func(f *Failure) bool { return !smaller[f] && !more[f] })
	}
	return nil
}
