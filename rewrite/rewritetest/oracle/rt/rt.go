// Package rt runs generated functions, each along all of its paths, and
// measures what they do and leave behind.
package rt

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Choice is the answer to the k-th question of a site.
type Choice struct{ Site, K int }

// Most questions of one site that may be answered with yes: loops end.
const mostAsked = 2

// How goroutines are scheduled: as it comes, those that the function starts
// step by step and last, or the function itself.
const (
	free = iota
	slowGoroutines
	slowFunction
	modes // and what is above is a schedule at random
)

// E is one run of a function, as one of its goroutines knows it.
type E struct {
	*state
	id  int // of the goroutine; 0 is the function itself
	own int // its steps
}

// state is what the goroutines of a run share.
type state struct {
	mu       sync.Mutex
	bits     map[Choice]bool
	asked    []Choice
	count    map[int]int
	mode     int
	started  int // goroutines
	begun    int
	returns  int // line of the last return statement that the function has come to
	next     int
	ended    int
	seqs     map[int][]string
	frozen   bool // the process has ended
	returned bool
	steps    int
	crash    chan string
	waited   map[int]bool // goroutines that ran when a Wait had returned
	running  map[int]bool
	early    bool
	parent   context.Context
	end      context.CancelFunc // of the parent
	made     []made
	reached  []string // names of channels, groups and the like
	ctxPeaks []string
	kept     []context.Context
	later    []func()
	bodies   []*body
	scanned  []*bufio.Scanner // that were asked for a line
	peaks    []int            // sites of bodies of which several were open at once
	host     string
	runaway  bool
}

// step is called at every event: it lets others go first, and ends what runs for ever.
func (e *E) step() {
	if e.mode == slowGoroutines && e.id != 0 || e.mode == slowFunction && e.id == 0 {
		time.Sleep(time.Nanosecond) // of the time of the bubble: until all others wait
	}
	e.mu.Lock()
	if e.mode >= modes {
		// The same for each variant: the k-th step of a goroutine that waits as long.
		e.own++
		wait := time.Duration(rand.New(rand.NewPCG(uint64(e.mode), uint64(e.id)<<32|uint64(e.own))).IntN(4))
		if rand.New(rand.NewPCG(uint64(e.mode), uint64(e.id))).IntN(3) == 0 {
			wait = 16*wait + 16 // far after the others
		}
		e.mu.Unlock()
		time.Sleep(wait)
		e.mu.Lock()
	}
	e.steps++
	stop := e.frozen
	if e.steps > 2000 {
		e.runaway, stop = true, true
	}
	if e.waited[e.id] {
		e.early = true
	}
	e.mu.Unlock()
	if stop {
		select {}
	}
}

// Ask returns the next bit of the input that the site of a branch reads.
func (e *E) Ask(site int) bool {
	e.step()
	e.mu.Lock()
	defer e.mu.Unlock()
	c := Choice{site, e.count[site]}
	e.count[site]++
	if c.K >= mostAsked {
		return false
	}
	e.asked = append(e.asked, c)
	return e.bits[c]
}

// Items returns as many items as the input says.
func (e *E) Items(site int) (out []string) {
	for e.Ask(site) {
		out = append(out, strings.Repeat("x", len(out)+1))
	}
	return out
}

// Log notes an event.
func (e *E) Log(event string, values ...any) {
	e.step()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.frozen {
		id := e.id
		if e.returned && id == 0 {
			id = -1 // a function that was kept for later
		}
		e.seqs[id] = append(e.seqs[id], strings.ReplaceAll(strings.TrimSuffix(fmt.Sprintln(append([]any{event}, values...)...), "\n"), e.host, "host"))
	}
}

// Keep looks at a context after the function has returned.
func (e *E) Keep(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept = append(e.kept, ctx)
}

// Later calls a function after the one that is run has returned.
func (e *E) Later(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.later = append(e.later, f)
}

// The rest is written into the functions before they are compiled.

// Start counts a goroutine that is about to start.
func Start(e *E) {
	e.mu.Lock()
	e.started++
	e.mu.Unlock()
}

// Go begins a goroutine.
func Go(e *E) *E { return e.enter(true) }

// Call begins a function that package context or time calls.
func Call(e *E) *E { return e.enter(false) }

func (e *E) enter(counts bool) *E {
	e.mu.Lock()
	e.next++
	g := &E{state: e.state, id: e.next}
	e.running[g.id] = true
	if counts {
		e.begun++
	} else {
		e.ended-- // End counts it
	}
	e.mu.Unlock()
	g.step()
	return g
}

// End ends a goroutine; a panic ends the process, but what waits for the
// deferred calls of the goroutine may go on before.
func (e *E) End() {
	v := recover()
	if v != nil {
		time.Sleep(time.Microsecond)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.running, e.id)
	delete(e.waited, e.id)
	e.ended++
	if v != nil && !e.frozen {
		e.frozen = true
		e.crash <- "crash: " + fmt.Sprint(v)
	}
}

// Returns comes before each return of a function: its goroutines may come far
// before its deferred calls do, although it has no other event after them.
// Its line tells which of them a run has come to.
func Returns(e *E, line int) {
	e.mu.Lock()
	e.returns = line
	e.mu.Unlock()
	e.step()
}

// Waits comes before each Wait.
func Waits(e *E) { e.step() }

// Waited follows each Wait.
func Waited(e *E) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.begun < e.started {
		e.mu.Unlock()
		runtime.Gosched()
		e.mu.Lock()
	}
	for other := range e.running {
		e.waited[other] = e.waited[other] || other != e.id
	}
}

// Wait takes the place of a Wait that is deferred.
func Wait(e *E, wait func()) {
	Waits(e)
	wait()
	Waited(e)
}

// WaitGo takes the place of WaitGroup.Go.
func WaitGo(e *E, add func(int), done func(), f func(*E)) {
	add(1)
	Start(e)
	go func() {
		e := Go(e)
		defer e.End()
		defer done()
		f(e)
	}()
}

// GroupGo takes the place of the method Go of an errgroup.
func GroupGo(e *E, start func(func() error), f func(*E) error) {
	Start(e)
	start(func() error {
		e := Go(e)
		defer e.End()
		return f(e)
	})
}

// Mutex takes the place of sync.Mutex: who waits for that is not idle in a bubble.
type Mutex struct {
	mu     sync.Mutex
	locked chan struct{}
}

func (m *Mutex) state() chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked == nil {
		m.locked = make(chan struct{}, 1)
	}
	return m.locked
}

// Lock locks m.
func (m *Mutex) Lock() { m.state() <- struct{}{} }

// Unlock unlocks m.
func (m *Mutex) Unlock() {
	select {
	case <-m.state():
	default:
		panic("sync: unlock of unlocked mutex")
	}
}

// Exit takes the place of os.Exit.
func Exit(e *E, code int) {
	e.step()
	e.mu.Lock()
	if !e.frozen {
		e.frozen = true
		end := "exit " + fmt.Sprint(code)
		if e.id != 0 { // which cuts off the function anywhere
			end += " in a goroutine"
		}
		e.crash <- end
	}
	e.mu.Unlock()
	select {}
}

// Fatal takes the place of log.Fatal.
func Fatal(e *E, v ...any) { Exit(e, 1) }

// Background takes the place of context.Background.
func Background(e *E) context.Context { return e.parent }

// After takes the place of time.After in a select: the time may be up at once.
func After(e *E, site int, d time.Duration) <-chan time.Time {
	if e.Ask(site) {
		d = 0
	}
	return time.After(d)
}

// Done takes the place of Done in a select: the parent of all contexts may end here.
func Done(e *E, site int, ctx context.Context) <-chan struct{} {
	if ctx == e.parent && e.Ask(site) {
		e.end()
	}
	return ctx.Done()
}

// made is a context of a generated function.
type made struct {
	name string
	ctx  context.Context
}

// Made follows each making of a context.
func Made(e *E, ctx context.Context, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.made {
		if m.name == name && m.ctx.Err() == nil {
			e.ctxPeaks = append(e.ctxPeaks, name)
		}
	}
	e.made = append(e.made, made{name, ctx})
}

// Reached notes the name of a channel, a group or the like that is made.
func Reached(e *E, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reached = append(e.reached, name)
}

// contexts returns the names of the contexts and channels that were made, of those that
// are left, and of those of which several were there at once.
func (e *E) contexts() (all, left, peaks []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all = append(all, e.reached...)
	for _, m := range e.made {
		all = append(all, m.name)
		if m.ctx.Err() == nil {
			left = append(left, m.name)
		}
	}
	return unique(all), unique(left), unique(e.ctxPeaks)
}

func unique(list []string) []string {
	sort.Strings(list)
	return slices.Compact(list)
}

// generated returns file:line if the file holds a generated function.
func generated(file string, line int) string {
	if i := strings.LastIndexByte(file, '/'); i >= 0 && strings.HasPrefix(file[i:], "/unit") {
		return strings.TrimSuffix(file[i+1:], ".go") + ":" + strconv.Itoa(line)
	}
	return ""
}

// events returns what was logged: by the function, and by each of the other
// goroutines, in an order that does not depend on who came first.
func (e *E) events() (main []string, others []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, seq := range e.seqs {
		if id == 0 {
			main = slices.Clone(seq)
		} else {
			others = append(others, strings.Join(seq, "; "))
		}
	}
	sort.Strings(others)
	return main, others
}
