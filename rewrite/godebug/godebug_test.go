package godebug_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/godebug"
)

func TestAsyncTimers(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{"module m\n\ngo 1.26\n", false},
		{"module m\n\ngodebug asynctimerchan=1\n", true},
		{"module m\n\ngodebug (\n\tpanicnil=1\n\tasynctimerchan=1 // for now\n)\n", true},
		{"module m\n\ngodebug (\n\tasynctimerchan=0\n)\n", false},
		{"module m\n\ngodebug default=go1.21\n", true},
		{"module m\n\ngodebug default=go1.24\n", false},
		{"module m\n\n// godebug asynctimerchan=1\n", false},
		{"module m\n\ngodebug (\n\tpanicnil=1\n)\n\nexclude asynctimerchan=1 v1.0.0\n", false},
	} {
		name := filepath.Join(t.TempDir(), "go.mod")
		if err := os.WriteFile(name, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := godebug.AsyncTimersIn(name); got != c.want {
			t.Errorf("%q: got %v", c.text, got)
		}
	}
}
