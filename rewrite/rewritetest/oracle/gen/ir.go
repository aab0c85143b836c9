// Package gen makes small concurrent functions at random, from a grammar of
// what leaks and of what surrounds it in real code.
package gen

import (
	"fmt"
	"strings"
)

// A Node is a piece of a generated function: a statement, or several that
// belong together, such as a request with the check of its error. Everything
// that the function does is in its tree, so that a smaller function is made by
// taking nodes out.
type Node struct {
	Kind string
	ID   int       // names what the node declares, and its questions
	Ref  int       // ID of the node whose value it uses
	Opt  [4]int    // which spelling; 0 is the simplest
	Kids [][]*Node // blocks; a node that declares something has the statements that may use it in its first
}

// String prints the tree on one line.
func (n *Node) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%d", n.Kind, n.ID)
	if n.Ref != 0 {
		fmt.Fprintf(&b, "->%d", n.Ref)
	}
	if n.Opt != [4]int{} {
		fmt.Fprint(&b, n.Opt)
	}
	for _, block := range n.Kids {
		b.WriteByte('{')
		for i, k := range block {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(k.String())
		}
		b.WriteByte('}')
	}
	return b.String()
}

// Each calls f for n and all nodes in it.
func (n *Node) Each(f func(*Node)) {
	f(n)
	for _, block := range n.Kids {
		for _, k := range block {
			k.Each(f)
		}
	}
}

// Size says how large a tree is: a simpler spelling makes it smaller, too.
func (n *Node) Size() (size int) {
	n.Each(func(k *Node) {
		size += 3
		for _, o := range k.Opt {
			if o != 0 {
				size++
			}
		}
	})
	return size
}

func (n *Node) clone() *Node {
	c := *n
	c.Kids = make([][]*Node, len(n.Kids))
	for i, block := range n.Kids {
		for _, k := range block {
			c.Kids[i] = append(c.Kids[i], k.clone())
		}
	}
	return &c
}

// Smaller returns the trees that are one step smaller than n: without one
// node, with the statements of a node in its place, with nothing but one node,
// or with a simpler spelling.
func (n *Node) Smaller() (out []*Node) {
	var at []int // path to a block: index of the block, index in it, and so on
	var walk func(n *Node)
	root := n
	edit := func(change func(n *Node)) {
		c := root.clone()
		k := c
		for i := 0; i+1 < len(at); i += 2 {
			k = k.Kids[at[i]][at[i+1]]
		}
		change(k)
		out = append(out, c)
	}
	walk = func(n *Node) {
		for b, block := range n.Kids {
			for i, k := range block {
				if only := k; only.Size() > 3 {
					c := *root
					c.Kids = [][]*Node{{only.clone()}}
					if c.Size() < root.Size() { // not the only one already
						out = append(out, &c)
					}
				}
				edit(func(n *Node) { n.Kids[b] = append(n.Kids[b][:i:i], n.Kids[b][i+1:]...) })
				for kb := range k.Kids {
					if len(k.Kids[kb]) > 0 {
						edit(func(n *Node) {
							inner := n.Kids[b][i].Kids[kb]
							n.Kids[b] = append(append(n.Kids[b][:i:i], inner...), n.Kids[b][i+1:]...)
						})
					}
				}
				at = append(at, b, i)
				walk(k)
				at = at[:len(at)-2]
			}
		}
		for o, v := range n.Opt {
			for _, w := range []int{0, v / 2, v - 1} {
				if w >= 0 && w < v {
					edit(func(n *Node) { n.Opt[o] = w })
				}
			}
		}
	}
	walk(n)
	return out
}

// Parse reads what String has printed; options at the end that are 0 may be left out.
func Parse(text string) (*Node, error) {
	p := parser{text}
	n, err := p.node()
	if err == nil && p.text != "" {
		err = fmt.Errorf("unexpected %q", p.text)
	}
	return n, err
}

type parser struct{ text string }

func (p *parser) take(set string) string {
	n := len(p.text) - len(strings.TrimLeft(p.text, set))
	out := p.text[:n]
	p.text = p.text[n:]
	return out
}

func (p *parser) skip(prefix string) (ok bool) {
	p.text, ok = strings.CutPrefix(p.text, prefix)
	return ok
}

func (p *parser) node() (*Node, error) {
	const digits = "0123456789"
	n := &Node{Kind: p.take("abcdefghijklmnopqrstuvwxyz")}
	if _, err := fmt.Sscan(p.take(digits), &n.ID); n.Kind == "" || err != nil {
		return nil, fmt.Errorf("no node at %q", p.text)
	}
	if p.skip("->") {
		if _, err := fmt.Sscan(p.take(digits), &n.Ref); err != nil {
			return nil, fmt.Errorf("no number at %q", p.text)
		}
	}
	if p.skip("[") {
		for i, o := range strings.Fields(p.take(digits + " ")) {
			if _, err := fmt.Sscan(o, &n.Opt[i]); err != nil {
				return nil, err
			}
		}
		if !p.skip("]") {
			return nil, fmt.Errorf("no ] at %q", p.text)
		}
	}
	for p.skip("{") {
		var block []*Node
		for !p.skip("}") {
			p.skip(" ")
			k, err := p.node()
			if err != nil {
				return nil, err
			}
			block = append(block, k)
		}
		n.Kids = append(n.Kids, block)
	}
	return n, nil
}
