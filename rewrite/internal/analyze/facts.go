package analyze

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"go/types"
	"maps"
	"slices"
	"sync"

	"golang.org/x/tools/go/analysis"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/summary"
)

// facts holds what is known of the functions of one package, encoded until
// somebody asks.
type facts struct {
	data   []byte // JSON of []namedFacts, sorted by name; gob would depend on what was encoded before
	sum    [sha256.Size]byte
	decode func() map[string]summary.Known
}

// known is what is known of the functions of a package, by their names.
type known map[string]summary.Known

type namedFacts struct {
	Name  string
	Facts json.RawMessage
}

func newFacts(data []byte) *facts {
	return &facts{data: data, sum: sha256.Sum256(data), decode: sync.OnceValue(func() map[string]summary.Known {
		var list []namedFacts
		if len(data) > 0 && json.Unmarshal(data, &list) != nil {
			return nil // unknown, which is silent
		}
		m := map[string]summary.Known{}
		for _, f := range list {
			if m[f.Name], _ = code.DecodeFacts(f.Facts); m[f.Name] == nil {
				return nil
			}
		}
		return m
	})}
}

// encode returns the facts as data, which is the same for the same facts.
func encode(all known) ([]byte, error) {
	if len(all) == 0 {
		return nil, nil
	}
	var list []namedFacts
	for _, name := range slices.Sorted(maps.Keys(all)) {
		data, err := json.Marshal(all[name])
		if err != nil {
			return nil, fmt.Errorf("internal error: encode facts of %s: %w", name, err)
		}
		list = append(list, namedFacts{name, data})
	}
	data, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("internal error: encode facts: %w", err)
	}
	return data, nil
}

// factName returns the name of a function within its package: F or T.M. It is
// "" for a function that other packages cannot call.
func factName(fn *types.Func) string {
	recv := fn.Signature().Recv()
	if recv == nil {
		if !fn.Exported() {
			return ""
		}
		return fn.Name()
	}
	t := types.Unalias(recv.Type())
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok {
		return ""
	}
	return named.Obj().Name() + "." + fn.Name()
}

// summaries returns the analyzer that stands in for [code.Summaries] on one
// package: it takes the facts of other packages from v and gives those of
// this one to out, by their names. With plain it does so also for the package
// without its test files, as other packages see it.
func (g *graph) summaries(v []*view, out, plain known, ask lifetime.Asked) *analysis.Analyzer {
	a := *code.Summaries
	a.FactTypes = nil
	visible := g.look(v)
	a.Run = func(pass *analysis.Pass) (any, error) {
		if plain != nil {
			p := connect(WithoutTests(pass), visible, plain)
			code.Summarise(p, ask)
		}
		return code.Summarise(connect(pass, visible, out), ask), nil
	}
	return &a
}

// connect returns a copy of pass that imports facts from visible and exports
// them to out, which may be nil.
func connect(pass *analysis.Pass, visible func(path string) *facts, out known) *analysis.Pass {
	p := *pass
	p.ImportObjectFact = func(obj types.Object, fact analysis.Fact) bool {
		fn, ok := obj.(*types.Func)
		if !ok || fn.Pkg() == nil {
			return false
		}
		from := visible(fn.Pkg().Path())
		if from == nil {
			return false
		}
		into := fact.(summary.Fact)
		is := from.decode()[factName(fn)][into.Domain()]
		if is != nil {
			into.CopyFrom(is)
		}
		return is != nil
	}
	p.ExportObjectFact = func(obj types.Object, fact analysis.Fact) {
		if fn, ok := obj.(*types.Func); ok && out != nil {
			if name := factName(fn); name != "" {
				if out[name] == nil {
					out[name] = summary.Known{}
				}
				f := fact.(summary.Fact)
				out[name][f.Domain()] = f
			}
		}
	}
	return &p
}
