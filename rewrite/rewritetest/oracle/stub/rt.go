// Package rt is what the analysis sees of the runtime of generated functions:
// the same functions as the one that they run with, without what measures.
package rt

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// E is one run of a function.
type E struct {
	bits  map[int]bool
	lines []string
	kept  []context.Context
	later []func()
}

// Ask returns the next bit of the input that the site of a branch reads.
func (e *E) Ask(site int) bool { return e.bits[site] }

// Items returns as many items as the input says.
func (e *E) Items(site int) (out []string) {
	for e.Ask(site) {
		out = append(out, "item")
	}
	return out
}

// Log notes an event.
func (e *E) Log(event string, values ...any) {
	e.lines = append(e.lines, fmt.Sprintln(event, fmt.Sprint(values...)))
}

// URL returns the address that the request of a site goes to.
func (e *E) URL(site int) string { return fmt.Sprintf("http://oracle.test/%d", site) }

// Body returns a body to upload.
func (e *E) Body(site int) io.Reader { return io.LimitReader(strings.NewReader("chunks"), int64(site)) }

// Keep looks at a context after the function has returned.
func (e *E) Keep(ctx context.Context) { e.kept = append(e.kept, ctx) }

// Later calls a function after the one that is run has returned.
func (e *E) Later(f func()) { e.later = append(e.later, f) }
