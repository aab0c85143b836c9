package load

import "testing"

func TestAdvise(t *testing.T) {
	for msg, want := range map[string]string{
		"go.mod requires go >= 1.99 (running go 1.26)":                             "go.mod requires go >= 1.99 (running go 1.26); install that version of Go, or set GOTOOLCHAIN=auto",
		"package requires newer Go version go1.99 (application built with go1.26)": "package requires newer Go version go1.99 (application built with go1.26); build goroutinefix again with that version of Go",
		"x.go:1:1: undefined: y":                                                   "x.go:1:1: undefined: y",
	} {
		if got := advise(msg); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
