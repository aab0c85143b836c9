package cli

import (
	"fmt"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

// arrange puts the flags before the other arguments, because people type
// "goroutinefix ./... -w" and the parser stops at the first argument. What
// follows "--" is no flag. The first argument that is no flag may be a
// subcommand: if it analyses packages, its own flags follow it and the others
// go in front; else its arguments stay as they are. A call for help becomes
// the subcommand. Unknown flags and missing values are errors.
func arrange(args []string, flags []urfave.Flag, commands []*urfave.Command) ([]string, error) {
	isBool := map[string]bool{"help": true}
	for _, f := range flags {
		_, b := f.(*urfave.BoolFlag)
		for _, n := range f.Names() {
			isBool[n] = b
		}
	}
	find := func(arg string) *urfave.Command {
		if i := slices.IndexFunc(commands, func(c *urfave.Command) bool { return c.HasName(arg) }); i >= 0 {
			return commands[i]
		}
		return nil
	}

	var first, rest []string
	var command *urfave.Command
	var own []string // flags of the command
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) < 2 || arg[0] != '-':
			if len(rest) == 0 && command == nil && find(arg) != nil {
				if command = find(arg); !analyses(command) {
					return append(first, args[i:]...), nil
				}
				continue
			}
			rest = append(rest, arg)
		default:
			flag, _, hasValue := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
			if flag == "h" || flag == "help" {
				return []string{"help"}, nil
			}
			into := &first
			b, known := isBool[flag]
			if command != nil && hasFlag(command, flag) {
				into, b, known = &own, false, true
			}
			if !known {
				hint := didYouMean(flag, keys(isBool), "-")
				return nil, fmt.Errorf("unknown flag -%s%s; run %q for all flags", flag, hint, name+" -h")
			}
			*into = append(*into, arg)
			if b || hasValue {
				continue
			}
			if i++; i == len(args) {
				return nil, fmt.Errorf("flag -%s needs a value", flag)
			}
			*into = append(*into, args[i])
		}
	}
	if command != nil {
		return slices.Concat(first, []string{command.Name}, own, []string{"--"}, rest), nil
	}
	if len(rest) > 0 && find(rest[0]) != nil {
		rest[0] = "./" + rest[0] // it came after "--": a directory of that name
	}
	return append(append(first, "--"), rest...), nil
}

// analyses reports whether a subcommand takes packages and the flags that go
// with them: the ones that have flags of their own do.
func analyses(c *urfave.Command) bool { return len(c.Flags) > 0 }

// hasFlag reports whether a flag, which takes a value, is one of c alone.
func hasFlag(c *urfave.Command, flag string) bool {
	return slices.ContainsFunc(c.Flags, func(f urfave.Flag) bool { return slices.Contains(f.Names(), flag) })
}

// keys returns the keys of m, sorted.
func keys(m map[string]bool) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// didYouMean returns " (did you mean X?)" for the one of names that is most
// like word, with prefix before it, or "" when none is.
func didYouMean(word string, names []string, prefix string) string {
	best, distance := "", 1+max(1, (len(word)+1)/3)
	for _, n := range names {
		if d := editDistance(strings.ToLower(word), n); d < distance {
			best, distance = n, d
		}
	}
	if best == "" || len(word) < 2 {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s%s?)", prefix, best)
}

// editDistance returns the number of bytes to insert, delete or replace to
// turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
