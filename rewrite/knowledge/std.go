// Package knowledge has the tables of the world: what functions do that are not
// loaded with their bodies, those of the standard library and well-known others.
// Each table is closed; a function that is not in it is unknown, and unknown
// means silent. A row is about one function, never about a package, and there is
// no logic here but to look something up.
package knowledge

import "strings"

// Standard reports whether an import path is one of the standard library, also
// one that only the library itself can import.
func Standard(path string) bool {
	return Std(path) || strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "vendor/")
}

// Std reports whether an import path is one of the standard library: its
// first element has no dot.
func Std(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && path != "main" && stdRoots[first]
}

var stdRoots = set("archive", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug", "embed",
	"encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "io", "iter", "log", "maps", "math", "mime",
	"net", "os", "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "sync", "syscall", "testing",
	"text", "time", "unicode", "unique", "unsafe", "weak")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}
