package rewrite

import (
	"errors"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/summary"
)

// contained names the rules and declarations of a package on which a panic has
// cost one declaration only.
func contained(internal []error, pkg string) map[string]bool {
	known := map[string]bool{}
	for _, err := range internal {
		if p := (*summary.PanicError)(nil); errors.As(err, &p) && p.Package == pkg && p.Function != "" {
			known[p.Rule+" "+p.Function] = true
		}
	}
	return known
}

// unknown returns the errors that the first analysis did not have. A rule that
// panics where it did so before says as much of a fix as it has said of the
// package; one that only panics after the fix says nothing.
func (s *packageState) unknown(errs []error) []error {
	return slices.DeleteFunc(slices.Clone(errs), func(err error) bool {
		p := (*summary.PanicError)(nil)
		return errors.As(err, &p) && p.Function != "" && s.panics[p.Rule+" "+p.Function]
	})
}
