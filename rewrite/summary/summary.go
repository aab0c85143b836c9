// Package summary keeps what is known of functions: what one does with its
// arguments, what it returns, whether it comes back. Each kind of knowledge is
// a Domain, which is registered by the package that can work it out. This
// package computes domains on demand, cuts recursion, contains panics, and
// carries the results between packages as facts. It does not look at syntax.
package summary

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/types"
	"reflect"

	"golang.org/x/tools/go/analysis"
)

// Domain is one kind of knowledge of functions. P is what it is computed from,
// a function as its registry sees one; T is the knowledge. The zero value of T
// says that nothing is known. T must be a type of the domain's own, and with
// exported fields only, so that it can be encoded.
type Domain[P, T any] struct {
	name    string
	index   int
	worth   func(*types.Signature, *ast.FuncDecl) bool
	compute func(P) T
	whole   func(P) map[*types.Func]T
}

// domain is a Domain whatever its type of knowledge.
type domain[P any] interface {
	fact() Fact
	worthwhile(*types.Signature, *ast.FuncDecl) bool
	computed(P) any
	wrap(known any) Fact
	wholly(*Facts[P], P)
	hasWhole() bool
}

// Registry holds domains that are computed from the same.
type Registry[P any] struct {
	domains []domain[P]
	named   map[string]func() Fact
}

// Register returns a new domain of r. Domains are computed in the order of their
// registration. The name is that in encoded facts.
func Register[P, T any](r *Registry[P], name string) *Domain[P, T] {
	d := &Domain[P, T]{name: name, index: len(r.domains)}
	if r.named == nil {
		r.named = map[string]func() Fact{}
	}
	if _, ok := r.named[name]; ok {
		panic("two domains are named " + name) // a mistake of the build
	}
	r.domains, r.named[name] = append(r.domains, d), d.fact
	return d
}

// Compute says how the domain is worked out. It is apart from Register because
// what computes a domain asks for it, too. Worth is a cheap look at a function:
// could there be anything to know? A function that no domain finds worth a look
// is left out.
func (d *Domain[P, T]) Compute(worth func(*types.Signature, *ast.FuncDecl) bool, compute func(P) T) {
	d.worth, d.compute = worth, compute
}

func (d *Domain[P, T]) fact() Fact { return &FactOf[T]{domain: d.name} }

func (d *Domain[P, T]) wrap(known any) Fact { return &FactOf[T]{domain: d.name, Known: known.(T)} }

func (d *Domain[P, T]) position() int { return d.index }

// Fact returns an empty fact of the domain, for the FactTypes of an analyzer.
func (d *Domain[P, T]) Fact() analysis.Fact { return d.fact() }

func (d *Domain[P, T]) worthwhile(sig *types.Signature, decl *ast.FuncDecl) bool {
	return d.worth != nil && d.worth(sig, decl)
}

func (d *Domain[P, T]) computed(p P) any {
	if d.compute == nil {
		return nil
	}
	if v := d.compute(p); !reflect.ValueOf(&v).Elem().IsZero() {
		return v
	}
	return nil
}

// Of returns what is known of fn.
func (d *Domain[P, T]) Of(f *Facts[P], fn *types.Func) (known T) {
	fn = fn.Origin()
	if r := f.record(fn); r != nil {
		if v := r[d.index]; v != nil {
			return v.(T)
		}
		return known
	}
	if fn.Pkg() != nil && fn.Pkg() != f.pass.Pkg {
		if fact := (&FactOf[T]{domain: d.name}); f.pass.ImportObjectFact(fn, fact) {
			return fact.Known
		}
	}
	return known
}

// ComputeWhole says how the domain is worked out of a whole package at once, after
// those that are worked out function by function.
func (d *Domain[P, T]) ComputeWhole(compute func(P) map[*types.Func]T) { d.whole = compute }

func (d *Domain[P, T]) hasWhole() bool { return d.whole != nil }

func (d *Domain[P, T]) wholly(f *Facts[P], p P) {
	for fn, v := range d.whole(p) {
		if f.known[fn] == nil {
			f.known[fn] = f.empty()
		}
		if !reflect.ValueOf(&v).Elem().IsZero() {
			f.known[fn][d.index] = v
		}
	}
}

// Fact carries the knowledge of one domain of a function between packages.
type Fact interface {
	analysis.Fact
	// Domain returns the name of the domain.
	Domain() string
	// CopyFrom takes over the knowledge of another fact of the same domain.
	CopyFrom(Fact)
}

// FactOf is the Fact of a domain with the knowledge T.
type FactOf[T any] struct {
	Known  T
	domain string
}

// AFact marks a fact.
func (*FactOf[T]) AFact() {}

// Domain returns the name of the domain.
func (f *FactOf[T]) Domain() string { return f.domain }

// CopyFrom takes over what other knows.
func (f *FactOf[T]) CopyFrom(other Fact) { f.Known = other.(*FactOf[T]).Known }

// Known is what is known of one function, by the names of the domains. It is
// encoded as JSON, the same data for the same knowledge.
type Known map[string]Fact

// MarshalJSON encodes the knowledge alone.
func (f *FactOf[T]) MarshalJSON() ([]byte, error) { return json.Marshal(f.Known) }

// UnmarshalJSON decodes what MarshalJSON has encoded.
func (f *FactOf[T]) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &f.Known) }

// Decode decodes what is known of one function from JSON. What belongs to no
// domain of r is an error.
func (r *Registry[P]) Decode(data []byte) (Known, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	out := Known{}
	for name, text := range raw {
		empty := r.named[name]
		if empty == nil {
			return nil, fmt.Errorf("decode facts: no domain is named %q", name)
		}
		fact := empty()
		if err := json.Unmarshal(text, fact); err != nil {
			return nil, fmt.Errorf("decode facts of %s: %w", name, err)
		}
		out[name] = fact
	}
	return out, nil
}
