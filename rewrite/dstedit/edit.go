// Package dstedit computes minimal text edits for a Go file by editing one
// top-level declaration as a dst tree.
//
// Printing a whole file would reformat code that nobody asked about, so the
// declaration alone is cut out, formatted, decorated, edited and printed, and
// only the lines that the edit changed are transplanted onto the original
// bytes. Whatever cannot be proved to be a faithful transplant is refused.
package dstedit

import (
	"errors"
	"fmt"
	"strings"
)

// ErrRefused is wrapped in every error that says an edit cannot be made
// without harm to the source. The text of such an error is a one-line,
// lower-case reason that can be shown to a user.
var ErrRefused = errors.New("edit refused")

// refusal is a reason; it unwraps to ErrRefused and does not repeat its text,
// so that the reason can be shown as it is.
type refusal struct{ reason string }

func (r *refusal) Error() string { return r.reason }
func (r *refusal) Unwrap() error { return ErrRefused }

// refuse returns an error that wraps ErrRefused with the formatted reason.
func refuse(format string, args ...any) error {
	return &refusal{reason: fmt.Sprintf(format, args...)}
}

// Edit replaces the bytes [Start,End) of a source by New.
// Start and End are byte offsets into the source as it was parsed.
type Edit struct {
	Start, End int
	New        string
}

// Apply returns src with edits carried out. The edits must be sorted, must not
// overlap and must lie within src, as those of Rewrite do; Apply panics
// otherwise. src is not modified.
func Apply(src []byte, edits []Edit) []byte {
	var b strings.Builder
	last := 0
	for _, e := range edits {
		if e.Start < last || e.End < e.Start || e.End > len(src) {
			panic(fmt.Sprintf("dstedit: edit [%d,%d) out of order or out of range", e.Start, e.End))
		}
		b.Write(src[last:e.Start])
		b.WriteString(e.New)
		last = e.End
	}
	b.Write(src[last:])
	return []byte(b.String())
}
