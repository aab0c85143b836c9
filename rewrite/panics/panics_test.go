package panics_test

import (
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/code/codetest"
	"github.com/goroutinefix/goroutinefix/rewrite/panics"
)

// panicking is a statement, and whether it may panic.
type panicking struct {
	stmt string
	may  bool
}

func TestMayPanic(t *testing.T) {
	// What the statements use.
	const around = `
import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

type node struct {
	n    int
	next *node
	mu   sync.Mutex
	*inner
}

type inner struct{ deep int }

func (n *node) add(i int) { n.n += i }
func (n node) value() int { return n.n }
func (n *node) moves() int { n = n.next; return n.n }
func (n *node) chains() int { return n.twice() }
func (n *node) twice() int { return n.n * 2 }

type stringer interface{ String() string }

func half(n int) int { return n / 2 }
func ratio(a, b int) int { return a / b }
func endless(n int) int { return endless(n - 1) }

func body(i, j int, u uint, f float64, s string, list []int, array [4]int, ptr *node, val node, m map[string]int, keys map[any]int,
	x, y any, err error, str stringer, fn func(), ch chan int, w io.Writer, seq func(func(int) bool), arr *[4]int) {
	own := make(chan int, 1)
	shut := make(chan int, 1)
	close(shut)
	lent := make(chan int, 1)
	lend(lent)
	given := open()
	set := &node{}
	late := &node{}
	late = ptr
	<-own
	<-shut
	<-given
	_, _, _ = lent, set, late
	STATEMENT
}

func lend(chan int) {}
func open() chan int { return make(chan int, 1) }

var _, _, _, _ = errors.New, fmt.Sprint, io.EOF, strings.ToUpper
`
	for _, c := range []panicking{
		{"j = i / 2", false}, {"j = i / j", true}, {"j = i % j", true}, {"j /= i", true}, {"j %= 3", false}, {"f = f / f", false}, {"f /= f", false},
		{"j = i << 3", false}, {"j = i << u", false}, {"j = i << j", true}, {"j >>= i", true},
		{"j = array[2]", false}, {"j = array[i]", true}, {"j = list[0]", true}, {"_ = s[0]", true}, {"j = m[s]", false}, {"j = keys[x]", true}, {"j = keys[s]", true}, {"j = arr[1]", true},
		{"m[s] = 1", true}, {"m[s]++", true}, {"m[s] += 2", true}, {"list[0]++", true}, {"delete(m, s)", false}, {"delete(keys, x)", true},
		{"_ = list[:]", false}, {"_ = list[i:]", true}, {"_ = s[:i]", true}, {"_ = arr[:]", true}, {"_ = array[:]", false},
		{"j = ptr.n", true}, {"j = val.n", false}, {"j = set.n", false}, {"j = late.n", true}, {"_ = *ptr", true}, {"_ = &ptr.n", true}, {"j = val.deep", true}, {"j = set.next.n", true},
		{"if ptr != nil { j = ptr.n }", false}, {"if ptr == nil { j = ptr.n }", true}, {"if ptr != nil && ptr.n > 0 { j++ }", false}, {"if ptr != nil { ptr = ptr.next; j = ptr.n }", true},
		{"if ptr != nil { j++ } else { j = ptr.n }", true},
		{"set.add(1)", false}, {"ptr.add(1)", true}, {"val.add(1)", false}, {"j = val.value()", false}, {"j = ptr.value()", true}, {"j = set.moves()", true}, {"j = set.chains()", false},
		{"set.mu.Lock()", false}, {"ptr.mu.Lock()", true},
		{"_ = x.(string)", true}, {"_, _ = x.(string)", false}, {"v, ok := x.(string); _, _ = v, ok", false}, {"var v, ok = x.(string); _, _ = v, ok", false}, {"switch x.(type) { case int: j++ }", false},
		{"_ = x == y", true}, {"_ = x == nil", false}, {"_ = x == i", false}, {"_ = err == io.EOF", false}, {"_ = x != array", false}, {"switch x { case 1: j++ }", true}, {"switch i { case 1: j++ }", false},
		{"_ = err.Error()", true}, {"_ = str.String()", true}, {"_ = str.String", true}, {"fn()", true}, {"func() { j++ }()", false}, {"func() { j = i / j }()", true}, {"_ = func() { j = i / j }", false},
		{"j = half(i)", false}, {"j = ratio(i, j)", true}, {"j = endless(i)", true}, {"defer half(i)", false}, {"defer ratio(i, j)", true}, {"defer fn()", true},
		{"go fn()", false}, {"go ratio(i, j)", false}, {"go half(i / j)", true}, {"go func() { j = i / j }()", false}, {"go ptr.value()", true}, {"go str.String()", true},
		{"own <- 1", false}, {"shut <- 1", true}, {"lent <- 1", true}, {"given <- 1", true}, {"ch <- 1", true}, {"<-ch", false}, {"select { case ch <- 1: default: }", true}, {"select { case <-ch: default: }", false},
		{"close(own)", true}, {"panic(1)", true}, {"_ = append(list, 1)", false}, {"copy(list, list)", false}, {"_ = len(list)", false},
		{"_ = make([]int, 3)", false}, {"_ = make([]int, i)", true}, {"_ = make([]int, len(s))", false}, {"_ = new(int)", false},
		{"_ = [4]int(list)", true}, {"_ = (*[4]int)(list)", true}, {"_ = []byte(s)", false}, {"_ = float64(i)", false}, {"_ = any(list)", false},
		{"for range list { j++ }", false}, {"for range 3 { j++ }", false}, {"for range s { j++ }", false}, {"for range ch { j++ }", false}, {"for range seq { j++ }", true}, {"for range arr { j++ }", true}, {"for m[s] = range list { j++ }", true},
		{"_ = map[any]int{x: 1}", true}, {"_ = map[string]int{s: 1}", false}, {"_ = node{n: 1}", false},
		{"fmt.Println(x, err)", false}, {"_ = fmt.Sprint(str)", false}, {"fmt.Fprintln(w, 1)", true}, {"_ = strings.ToUpper(s)", false}, {"_ = strings.Repeat(s, i)", true}, {"_ = strings.Map(nil, s)", true}, {"_ = errors.New(s)", false}, {"_ = errors.Is(err, err)", true},
		{"_, _ = io.WriteString(w, s)", true},
	} {
		t.Run(c.stmt, func(t *testing.T) {
			p := codetest.Load(t, strings.Replace(around, "STATEMENT", c.stmt, 1))
			list := codetest.Function(t, p, "body").Body.List
			// The statement may be one of several.
			first := len(list) - 1 - strings.Count(strings.Split(c.stmt, "{")[0], ";")
			may := false
			for _, s := range list[first:] {
				may = may || panics.MayPanic(p, s)
			}
			if may != c.may {
				t.Errorf("may panic: %t, want %t", may, c.may)
			}
		})
	}
}

func TestMayPanicThere(t *testing.T) {
	p := codetest.Load(t, "type s struct{ n int }; func body(a, b *s) { a.n++; b.n++ }")
	f := codetest.Function(t, p, "body")
	a := p.TypesInfo.Defs[f.Type.Params.List[0].Names[0]]
	for i, want := range []bool{false, true} {
		if got := panics.MayPanic(p, f.Body.List[i], a); got != want {
			t.Errorf("%s: may panic: %t, want %t", []string{"a.n++", "b.n++"}[i], got, want)
		}
	}
}
