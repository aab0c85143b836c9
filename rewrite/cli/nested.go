package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
)

// reportNested says which modules below the patterns were left out, which the go command
// does in silence, and how they are taken in.
func (p *program) reportNested(o *options, loaded []string) {
	if o.quiet {
		return
	}
	nested := load.NestedModules(o.dir, o.patterns, loaded)
	if len(nested) == 0 {
		return
	}
	modules := "1 nested module"
	if len(nested) > 1 {
		modules = fmt.Sprintf("%d nested modules", len(nested))
	}
	args := slices.Clone(p.Args)
	if !slices.Contains(args, o.patterns[0]) { // the default
		args = append(args, o.patterns...)
	}
	for i, arg := range args {
		args[i] = shellQuote(arg)
	}
	for _, n := range nested {
		args = append(args, shellQuote(n))
	}
	fmt.Fprintf(p.Stderr, "%s: %s left out; to take in all: %s %s\n", name, modules, name, strings.Join(args, " "))
}

// shellQuote returns arg as a word of a shell.
func shellQuote(arg string) string {
	plain := arg != "" && strings.Trim(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-=,:+@%") == ""
	if plain {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
