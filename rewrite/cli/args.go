package cli

import (
	"fmt"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

// arrange puts the flags in front of the other arguments, because people type
// "goroutinefix ./... -w" and the parser stops at the first argument. What
// follows "--" is no flag. The arguments of a subcommand, which is the first
// argument that is no flag, stay as they are; a call for help becomes the
// subcommand. Unknown flags and missing values are errors.
func arrange(args []string, flags []urfave.Flag, commands []*urfave.Command) ([]string, error) {
	isBool := map[string]bool{"help": true}
	for _, f := range flags {
		_, b := f.(*urfave.BoolFlag)
		for _, n := range f.Names() {
			isBool[n] = b
		}
	}
	isCommand := func(arg string) bool {
		return slices.ContainsFunc(commands, func(c *urfave.Command) bool { return c.HasName(arg) })
	}

	var first, rest []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) < 2 || arg[0] != '-':
			if len(rest) == 0 && isCommand(arg) {
				return append(first, args[i:]...), nil
			}
			rest = append(rest, arg)
		default:
			flag, _, hasValue := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
			b, known := isBool[flag]
			if flag == "h" || flag == "help" {
				return []string{"help"}, nil
			}
			if !known {
				hint := didYouMean(flag, keys(isBool), "-")
				return nil, fmt.Errorf("unknown flag -%s%s; run %q for all flags", flag, hint, name+" -h")
			}
			first = append(first, arg)
			if b || hasValue {
				continue
			}
			if i++; i == len(args) {
				return nil, fmt.Errorf("flag -%s needs a value", flag)
			}
			first = append(first, args[i])
		}
	}
	if len(rest) > 0 && isCommand(rest[0]) {
		rest[0] = "./" + rest[0] // it came after "--": a directory of that name
	}
	return append(append(first, "--"), rest...), nil
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
// like word, with prefix in front of it, or "" when none is.
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
