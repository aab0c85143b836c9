package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle/gen"
)

// shape describes a leak: what leaks, and why it is not released.
func (u *unit) shape(leak string) string {
	subject, op, _ := strings.Cut(strings.TrimPrefix(leak, "go:"), " ")
	var at *gen.Node
	u.tree.Each(func(n *gen.Node) {
		name := map[string]string{"chan": "ch", "mutex": "mu", "group": "eg"}[n.Kind]
		if fmt.Sprint(cmp.Or(name, n.Kind), n.ID) == subject {
			at = n
		}
	})
	switch {
	case at == nil:
		return "goroutine that no value names"
	case !strings.HasPrefix(leak, "go:"):
		return acquired(at) + ": " + u.unreleased(at)
	case at.Kind == "chan" && strings.HasSuffix(op, "in a select"):
		return "goroutine that waits in a select"
	case at.Kind == "chan":
		return "goroutine that waits to " + op + ": " + u.unmatched(at, op)
	case at.Kind == "wg":
		return "goroutine that waits for a WaitGroup"
	case at.Kind == "ctx":
		return "goroutine that waits for a context: " + u.unreleased(at)
	case at.Kind == "group":
		return "goroutine that waits for a group"
	case at.Kind == "mutex":
		return "goroutine that waits for a mutex"
	case at.Kind == "svc":
		return "goroutine of a value: " + u.unreleased(at)
	}
	return "goroutine that uses a " + at.Kind
}

// acquired names the kind of call that makes a value.
func acquired(n *gen.Node) string {
	switch {
	case n.Kind == "resp" && n.Opt[0] < 4:
		return "response of a client"
	case n.Kind == "resp":
		return "response of a transport or wrapper"
	case n.Opt[0] == 0 || n.Opt[0] == 3:
		return "context without a deadline"
	}
	return "context with a deadline"
}

// How a value is released other than by a call or a plain defer, by the
// spelling of the release.
var (
	byAnother   = map[string][]int{"close": {3, 5, 6, 11, 12, 13}, "cancel": {4, 7}, "stop": {3, 6}}
	byGoroutine = map[string][]int{"close": {7, 10}, "cancel": {5, 6, 8}, "stop": {4, 5}}
)

// unreleased says why the release of a response or context may not happen.
func (u *unit) unreleased(at *gen.Node) string {
	var releases, leaving []*gen.Node
	branch := false
	var walk func(n *gen.Node, within bool)
	walk = func(n *gen.Node, within bool) {
		if n.Ref == at.ID && slices.Contains([]string{"close", "cancel", "stop"}, n.Kind) {
			releases = append(releases, n)
			branch = branch || within || n.Kind == "cancel" && n.Opt[0] == 9 || n.Kind == "stop" && n.Opt[0] == 7
		}
		if n != at && leaves(n) {
			leaving = append(leaving, n)
		}
		for _, block := range n.Kids {
			for _, k := range block {
				walk(k, within || n != at && slices.Contains([]string{"if", "leave", "loop", "read", "recv", "use", "resp"}, n.Kind))
			}
		}
	}
	walk(at, false)
	spelled := func(how map[string][]int) bool {
		return slices.ContainsFunc(releases, func(n *gen.Node) bool { return slices.Contains(how[n.Kind], n.Opt[0]) })
	}
	switch {
	case len(releases) == 0 && u.within(at, "loop"):
		return "never released, in a loop"
	case len(releases) == 0:
		return "never released"
	case u.within(at, "loop"):
		return "in a loop"
	case spelled(byGoroutine):
		return "released by a goroutine or later"
	case spelled(byAnother):
		return "released by a helper or under another name"
	case branch:
		return "released in a branch"
	case len(leaving) > 0:
		return "early return"
	}
	return "other"
}

// unmatched says why a goroutine may wait for a channel.
func (u *unit) unmatched(at *gen.Node, op string) string {
	counterparts, many, early := 0, false, false
	other := map[string][]string{"send": {"recv"}, "receive": {"send", "fan", "done"}}[op]
	u.tree.Each(func(n *gen.Node) {
		early = early || leaves(n)
		if n.Ref != at.ID {
			return
		}
		if slices.Contains(other, n.Kind) {
			counterparts++
		}
		many = many || n.Kind == "fan" || n.Kind == "send" && n.Opt[1] != 0 || n.Kind == "recv" && n.Opt[1] == 2
	})
	switch {
	case counterparts == 0:
		return "no other side"
	case many:
		return "one of many"
	case early:
		return "early return"
	}
	return "other"
}

// leaves reports whether a path may leave the function at n.
func leaves(n *gen.Node) bool {
	return n.Kind == "leave" || n.Kind == "read" && n.Opt[0] == 3 || n.Kind == "log" && n.Opt[0] == 2 || n.Kind == "resp" ||
		n.Kind == "recv" && (n.Opt[1] == 4 || n.Opt[1] == 9) || n.Kind == "wait" && n.Opt[0] == 3
}

// within reports whether a node is in one of a kind.
func (u *unit) within(at *gen.Node, kind string) (in bool) {
	u.tree.Each(func(n *gen.Node) {
		if n.Kind == kind && n != at {
			n.Each(func(k *gen.Node) { in = in || k == at })
		}
	})
	return in
}
