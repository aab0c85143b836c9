// Package godebug says what the GODEBUG settings of a module change about leaks.
package godebug

import (
	"go/version"
	"os"
	"path/filepath"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// AsyncTimersIn reports whether the package or its module asks for the timers of
// before Go 1.23, after whose Stop a value may still come: by a line
// "//go:debug asynctimerchan=1", by one of go.mod, or by a default that is as old.
func AsyncTimers(p *code.Pass) bool {
	for _, f := range p.Files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				if setting, ok := strings.CutPrefix(c.Text, "//go:debug "); ok && c.Pos() < f.Package && isAsyncTimers(setting) {
					return true
				}
			}
		}
	}
	if len(p.Files) == 0 {
		return false
	}
	for dir := filepath.Dir(p.Fset.File(p.Files[0].FileStart).Name()); ; dir = filepath.Dir(dir) {
		gomod := filepath.Join(dir, "go.mod")
		if _, err := os.Stat(gomod); err == nil || dir == filepath.Dir(dir) {
			return AsyncTimersIn(gomod)
		}
	}
}

// AsyncTimersIn reports whether a file go.mod asks for the timers of before Go 1.23
// by its godebug settings.
func AsyncTimersIn(gomod string) bool {
	src, err := os.ReadFile(gomod)
	if err != nil {
		return false
	}
	block := false
	for line := range strings.Lines(string(src)) {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "godebug" && len(words) > 1 && words[1] == "(":
			block = true
		case words[0] == ")":
			block = false
		case words[0] == "godebug" && len(words) > 1 && isAsyncTimers(words[1]), block && isAsyncTimers(words[0]):
			return true
		}
	}
	return false
}

func isAsyncTimers(setting string) bool {
	key, value, _ := strings.Cut(strings.TrimSpace(setting), "=")
	switch key {
	case "asynctimerchan":
		return value != "0"
	case "default":
		return version.IsValid(value) && version.Compare(value, "go1.23") < 0
	}
	return false
}
