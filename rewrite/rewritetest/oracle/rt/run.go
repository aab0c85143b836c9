package rt

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Func is a generated function.
type Func = func(e *E, ctx context.Context, c *http.Client) (int, error)

// Unit is a generated function as it was, and as it is after the fixes.
type Unit struct {
	Name     string
	Variants []Func
}

// Outcome is what one run has shown.
type Outcome struct {
	Unit      string
	Variant   int
	Path      string // the questions that were answered with yes
	Mode      int
	End       string   // what the function returned, or how it ended
	Return    int      // line of the return statement; 0 for none
	Main      []string // events of the function
	Others    []string // events of the other goroutines
	After     []string // what was seen after it had returned
	Uploads   []string
	Bodies    []int    // sites of the bodies left open
	Made      []string // names of the contexts and channels that were made
	Opened    []int    // sites of the bodies that were opened
	Ctxs      []string // names of the contexts left
	CtxsAtEnd []string // those that were left when the function returned
	Peaks     []int    // sites of which several bodies were open at once
	CtxPeaks  []string
	Left      []string // lines where goroutines are left
	Early     bool     // a goroutine went on after the Wait for it
	Runaway   bool
	More      bool // the function has more paths than were run
}

// patience is how long a function runs, of the time of the bubble.
const patience = time.Minute / 2

func run(t *testing.T, unit Unit, variant int, bits map[Choice]bool, mode int, label string, report func(*E, Outcome)) {
	synctest.Test(t, func(*testing.T) {
		e := &E{state: &state{
			bits: bits, mode: mode, count: map[int]int{}, seqs: map[int][]string{}, crash: make(chan string, 1),
			waited: map[int]bool{}, running: map[int]bool{},
		}}
		e.parent, e.end = context.WithCancel(context.Background())
		e.host = fmt.Sprintf("run%s.test", label)
		runs.Store(e.host, e)
		defer runs.Delete(e.host)
		out := Outcome{Unit: unit.Name, Variant: variant, Path: path(bits), Mode: mode}
		ended := make(chan string, 1)
		go pprof.Do(context.Background(), pprof.Labels("run", label), func(context.Context) {
			defer func() {
				if v := recover(); v != nil {
					ended <- "panic: " + fmt.Sprint(v)
				}
			}()
			n, err := unit.Variants[variant](e, e.parent, &http.Client{Transport: http.DefaultTransport})
			ended <- fmt.Sprint(n, " ", err)
		})
		select {
		case out.End = <-ended:
		case out.End = <-e.crash:
		case <-time.After(patience):
			out.End = "hang"
		}
		synctest.Wait()
		_, out.CtxsAtEnd, _ = e.contexts()
		e.mu.Lock()
		e.returned, out.Return = true, e.returns
		kept, later := e.kept, e.later
		over := e.frozen
		e.mu.Unlock()
		if over { // at the very moment of the return
			select {
			case out.End = <-e.crash:
			default:
			}
		}
		if !over {
			for _, ctx := range kept {
				out.After = append(out.After, fmt.Sprint("kept ", ctx.Err()))
			}
			for _, f := range later {
				Start(e)
				go func() {
					defer func() {
						if v := recover(); v != nil {
							e.Log("panic", v)
						}
						e.mu.Lock()
						defer e.mu.Unlock()
						e.ended++
					}()
					e.mu.Lock()
					e.begun++ // at once: f may never come back, and Waited asks for it
					e.mu.Unlock()
					f()
				}()
				synctest.Wait()
			}
			time.Sleep(2500 * time.Millisecond) // of the time of the bubble
			synctest.Wait()
			select {
			case crash := <-e.crash:
				out.End += ", then " + crash
				over = true
			default:
			}
		}
		out.End = strings.ReplaceAll(out.End, e.host, "host")
		out.Main, out.Others = e.events()
		out.Early, out.Runaway = e.early, e.runaway
		open, peaks, uploads := e.left()
		out.Uploads = uploads
		if !over {
			out.Bodies, out.Peaks = open, peaks
			out.Made, out.Ctxs, out.CtxPeaks = e.contexts()
			for _, b := range e.bodies {
				out.Opened = append(out.Opened, b.site)
			}
		} else {
			out.Left = []string{"over"}
		}
		idle := e.started == e.ended && out.End != "hang" && !over
		report(e, out)
		if !idle {
			<-forever
		}
	})
}

// forever is of no bubble: what waits for it keeps its bubble from ending.
var forever = make(chan int)

func path(bits map[Choice]bool) string {
	var out []string
	for _, c := range slices.SortedFunc(maps.Keys(bits), compare) {
		if bits[c] {
			out = append(out, fmt.Sprintf("%d.%d", c.Site, c.K))
		}
	}
	return strings.Join(out, " ")
}

func compare(a, b Choice) int {
	if a.Site != b.Site {
		return a.Site - b.Site
	}
	return a.K - b.K
}

// Main runs the variants of all units along at most most paths, in each mode and
// in a number of schedules at random, and writes a line of JSON for each different outcome.
func Main(t *testing.T, units []Unit, to io.Writer, most, schedules int) {
	type result struct {
		outs []*Outcome
		unit string
	}
	results := make(chan result)
	var labels = make(chan string)
	go func() {
		for i := 0; ; i++ {
			labels <- strconv.Itoa(i)
		}
	}()
	slots := make(chan bool, 4)
	byLabel := make(chan map[string]*Outcome, 1)
	byLabel <- map[string]*Outcome{}
	go func() {
		for _, u := range units {
			slots <- true
			go func() {
				r := result{unit: u.Name}
				more := explore(u, most, schedules, func(variant int, bits map[Choice]bool, mode int) (asked []Choice, alone bool) {
					label, done := <-labels, make(chan bool)
					go run(t, u, variant, bits, mode, label, func(e *E, o Outcome) {
						e.mu.Lock()
						asked, alone = slices.Clone(e.asked), e.next == 0 && e.started == 0
						e.mu.Unlock()
						all := <-byLabel
						all[label] = &o
						byLabel <- all
						r.outs = append(r.outs, &o)
						close(done)
					})
					<-done
					return asked, alone
				})
				for _, o := range r.outs {
					o.More = more
				}
				results <- r
				<-slots
			}()
		}
	}()
	var outs []*Outcome
	for range units {
		outs = append(outs, (<-results).outs...)
	}
	all := <-byLabel
	for label, lines := range goroutines() {
		if o := all[label]; o != nil && !slices.Equal(o.Left, []string{"over"}) {
			o.Left = lines
		}
	}
	w := bufio.NewWriter(to)
	defer w.Flush()
	seen := map[string]bool{}
	for _, o := range outs {
		if slices.Equal(o.Left, []string{"over"}) {
			o.Left = nil
		}
		line, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if !seen[string(line)] {
			seen[string(line)] = true
			w.Write(append(line, '\n'))
		}
	}
}

// explore runs a unit on every path, in all modes and in a number of schedules
// at random: what a run asks and no other has answered
// is answered with no, and with yes by runs to come.
func explore(u Unit, most, schedules int, run func(variant int, bits map[Choice]bool, mode int) (asked []Choice, alone bool)) (more bool) {
	todo, seen := []map[Choice]bool{{}}, map[string]bool{"": true}
	for n := 0; n < len(todo) && n < most; n++ {
		bits := todo[n]
		var asked []Choice
		for variant := range u.Variants {
			if u.Variants[variant] == nil {
				continue
			}
			more := schedules
			if variant == 0 {
				more *= harder
			}
			for mode := range modes + more {
				got, alone := run(variant, bits, mode)
				if variant == 0 {
					asked = append(asked, got...)
				}
				// Where no goroutine is started, only a select may go another way.
				if alone && mode >= more {
					break
				}
			}
		}
		slices.SortFunc(asked, compare)
		for _, c := range slices.Compact(asked) {
			if bits[c] {
				continue
			}
			next := maps.Clone(bits)
			next[c] = true
			if key := path(next); !seen[key] {
				seen[key] = true
				todo = append(todo, next)
			}
		}
	}
	return len(todo) > most
}

// harder is how many times as many schedules show what a unit does before the
// fixes: what it does after them must be among that.
const harder = 12

var group = regexp.MustCompile(`^(\d+) @`)
var labelled = regexp.MustCompile(`"run":"(\d+)"`)
var position = regexp.MustCompile(`\s(\S+\.go):(\d+)$`)

// goroutines returns the lines of generated functions where goroutines stand, by run.
func goroutines() map[string][]string {
	var buf bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&buf, 1); err != nil {
		panic(err)
	}
	out := map[string][]string{}
	n, label := 0, ""
	var at []string
	end := func() {
		for range n {
			if label != "" {
				out[label] = append(out[label], strings.Join(at, " "))
			}
		}
		n, label, at = 0, "", nil
	}
	for line := range strings.Lines(buf.String()) {
		line = strings.TrimSuffix(line, "\n")
		if m := group.FindStringSubmatch(line); m != nil {
			end()
			n, _ = strconv.Atoi(m[1])
		}
		if m := labelled.FindStringSubmatch(line); m != nil && strings.HasPrefix(line, "# labels") {
			label = m[1]
		}
		if m := position.FindStringSubmatch(line); m != nil {
			line, _ := strconv.Atoi(m[2])
			if g := generated(m[1], line); g != "" {
				at = append(at, g)
			}
		}
	}
	end()
	for _, lines := range out {
		slices.Sort(lines)
	}
	return out
}

// Test runs units and writes the outcomes to the file that ORACLE_OUT names.
func Test(t *testing.T, units []Unit) {
	f, err := os.Create(os.Getenv("ORACLE_OUT"))
	if err != nil {
		t.Fatal(err)
	}
	skip := strings.Fields(os.Getenv("ORACLE_SKIP"))
	units = slices.DeleteFunc(units, func(u Unit) bool { return slices.Contains(skip, u.Name) })
	most, _ := strconv.Atoi(os.Getenv("ORACLE_PATHS"))
	schedules, _ := strconv.Atoi(os.Getenv("ORACLE_SCHEDULES"))
	Main(t, units, f, max(most, 1), schedules)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
