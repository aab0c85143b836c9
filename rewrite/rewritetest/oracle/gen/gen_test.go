package gen

import (
	"bytes"
	"testing"
)

// Functions are the same each time, they are printed without a mistake of
// syntax, and so are those that are one step smaller.
func TestGenerate(t *testing.T) {
	kinds := map[string]bool{}
	for i := range 300 {
		root := Generate(7, i)
		src, err := Source(i, root)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Source(i, Generate(7, i))
		if err != nil || !bytes.Equal(src, again) {
			t.Fatalf("function %d is another one the second time (%v)", i, err)
		}
		if parsed, err := Parse(root.String()); err != nil || parsed.String() != root.String() {
			t.Fatalf("%s is read as %s (%v)", root, parsed, err)
		}
		root.Each(func(n *Node) { kinds[n.Kind] = true })
		if i%10 > 0 {
			continue
		}
		for _, smaller := range root.Smaller() {
			if smaller.Size() >= root.Size() && smaller.String() == root.String() {
				t.Errorf("not smaller: %s\nthan %s", smaller, root)
			}
			if _, err := Source(i, smaller); err != nil {
				t.Error(err)
			}
		}
	}
	for _, kind := range []string{
		"log", "inc", "leave", "if", "loop", "block", "call", "defer", "go", "resp", "close", "read",
		"ctx", "cancel", "use", "chan", "send", "fan", "recv", "done", "wg", "work", "wait", "tick",
		"svc", "stop", "put", "mutex", "lock", "group", "member", "gather",
	} {
		if !kinds[kind] {
			t.Errorf("no %s is made", kind)
		}
	}
}
