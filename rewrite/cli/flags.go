package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/config"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/report"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

const description = `Without a mode, findings go to standard error and a unified diff of the safe
fixes to standard output; nothing is written. The diff is for "git apply".

Exit codes: 0 nothing found, or nothing left after -w; 1 findings remain;
2 an error, or a package that could not be analysed. Flags may come after
the arguments; -x is the same as --x.`

// flags returns the flags of the program in the order of its help.
func flags() []urfave.Flag {
	return []urfave.Flag{
		&urfave.BoolFlag{Name: "d", Usage: "print the diff; the default"},
		&urfave.BoolFlag{Name: "w", Usage: "write the safe fixes (with -d, -l: and print them)"},
		&urfave.BoolFlag{Name: "l", Usage: "list the files that would change"},
		&urfave.BoolFlag{Name: "check", Usage: "print findings only"},
		&urfave.BoolFlag{Name: "i", Usage: "ask for each finding whether to fix it, then write"},
		&urfave.BoolFlag{Name: "unsafe", Usage: "print or write the unsafe fixes, too"},
		&urfave.BoolFlag{Name: "allow-dirty", Usage: "let -w -unsafe write files with uncommitted changes"},
		&urfave.StringSliceFlag{Name: "rules", Usage: "run these `RULES` (a,b or all)"},
		&urfave.StringSliceFlag{Name: "skip", Usage: "do not run these `RULES`"},
		&urfave.StringFlag{Name: "new-from-rev", Usage: "report only what touches lines changed since the commit `REV`"},
		&urfave.StringFlag{Name: "new-from-merge-base", Usage: "report only what touches lines changed since the branch left `REF`"},
		&urfave.StringFlag{Name: "baseline", Usage: "do not report the findings that are listed in `FILE`"},
		&urfave.BoolFlag{Name: "generated", Usage: "show findings in generated files, too"},
		&urfave.StringFlag{Name: "config", Usage: "read `FILE`, not the nearest " + config.Name + " (none: no file)"},
		&urfave.StringFlag{Name: "shard", Usage: "analyse only the part `I/N` of the packages, such as 1/4"},
		&urfave.BoolFlag{Name: "tests", Value: true, Usage: "analyse test files, too (-tests=false: leave them out)"},
		&urfave.StringFlag{Name: "matrix", Usage: "analyse each of these `BUILDS`, GOOS[/GOARCH][:tag+tag],...; a fix must work in all of them"},
		&urfave.StringFlag{Name: "tags", Usage: "comma-separated build `TAGS`"},
		&urfave.StringFlag{Name: "mod", Usage: "module `MODE` of the go command: readonly, vendor or mod"},
		&urfave.StringFlag{Name: "C", Usage: "run as if started in `DIR`"},
		&urfave.IntFlag{Name: "j", Usage: "analyse `N` packages at a time (0: one for each CPU)"},
		&urfave.BoolFlag{Name: "no-cache", Usage: "analyse everything anew, without the results of earlier runs"},
		&urfave.StringFlag{Name: "format", Value: "text", Usage: "print the result in this `FORMAT`: " + strings.Join(report.Formats(), ", ")},
		&urfave.StringSliceFlag{Name: "o", Usage: "also write the result to a file: `FORMAT=PATH`, repeatable"},
		&urfave.StringFlag{Name: "color", Value: "auto", Usage: "colours: `WHEN` is auto, always or never"},
		&urfave.BoolFlag{Name: "v", Usage: "print what is done"},
		&urfave.BoolFlag{Name: "q", Usage: "no findings and no summary on standard error"},
		&urfave.BoolFlag{Name: "exit-zero", Usage: "exit 0 when findings remain"},
	}
}

// options are the flags, checked.
type options struct {
	dir                      string // absolute
	patterns                 []string
	diff, write, list, check bool // which of the modes were named
	ask                      bool
	unsafe, allowDirty       bool
	rules                    []rule.Rule
	config                   *config.Config // never nil
	newFrom, newFromBase     string         // revisions
	baseline                 string         // absolute path, or ""
	foreignBaseline          bool           // the configuration alone names it, and it lies elsewhere
	generated                bool
	shard                    load.Shard
	matrix                   []rewrite.Build
	tests                    bool
	tags, mod                string
	jobs                     int
	noCache                  bool
	format                   string
	outputs                  []output
	color                    string
	verbose, quiet, exitZero bool
}

// output is one -o FORMAT=PATH; the path is absolute.
type output struct{ format, path string }

// options reads the flags. Errors name the flag and the values it takes.
func (p *program) options(patterns []string) (*options, error) {
	c := p.root
	o := &options{
		patterns: patterns,
		diff:     c.Bool("d"), write: c.Bool("w"), list: c.Bool("l"), check: c.Bool("check"), ask: c.Bool("i"),
		allowDirty: c.Bool("allow-dirty"),
		newFrom:    c.String("new-from-rev"), newFromBase: c.String("new-from-merge-base"),
		mod:  c.String("mod"),
		jobs: c.Int("j"),

		noCache: c.Bool("no-cache"),

		format: c.String("format"),
		color:  c.String("color"),

		verbose: c.Bool("v"), quiet: c.Bool("q"), exitZero: c.Bool("exit-zero"),
	}
	if len(o.patterns) == 0 {
		o.patterns = []string{"./..."}
	}
	var err error
	if o.dir, err = directory(c.String("C")); err != nil {
		return nil, err
	}
	if err := p.configure(o); err != nil {
		return nil, err
	}
	if v := c.String("matrix"); v != "" {
		for _, word := range strings.Split(v, ",") {
			b, err := rewrite.ParseBuild(word)
			if err != nil {
				return nil, fmt.Errorf("-matrix: %w", err)
			}
			o.matrix = append(o.matrix, b)
		}
		if c.String("shard") != "" {
			return nil, errors.New("-matrix: does not go with -shard: builds differ in their packages")
		}
	}
	if v := c.String("shard"); v != "" {
		if o.shard, err = load.ParseShard(v); err != nil {
			return nil, fmt.Errorf("-shard %s: %w", v, err)
		}
	}
	for _, v := range c.StringSlice("o") {
		out, err := parseOutput(o.dir, v)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(o.outputs, func(other output) bool { return other.path == out.path }) {
			return nil, fmt.Errorf("-o %s: this path was given twice", v)
		}
		o.outputs = append(o.outputs, out)
	}
	return o, o.validate()
}

// validate checks values and combinations of flags.
func (o *options) validate() error {
	if err := oneOf("format", o.format, report.Formats()); err != nil {
		return err
	}
	if err := oneOf("color", o.color, []string{"auto", "always", "never"}); err != nil {
		return err
	}
	if o.mod != "" {
		if err := oneOf("mod", o.mod, []string{"readonly", "vendor", "mod"}); err != nil {
			return err
		}
	}
	if o.jobs < 0 {
		return fmt.Errorf("-j %d: want 0 or more", o.jobs)
	}
	switch {
	case o.check && (o.write || o.diff || o.list || o.ask):
		return errors.New("-check goes with none of -d, -i, -l and -w: it plans no changes")
	case o.ask && (o.write || o.diff || o.list || report.Machine(o.format)):
		return errors.New("-i shows each fix and writes it: leave out -d, -l, -w and machine formats")
	case o.newFrom != "" && o.newFromBase != "":
		return errors.New("-new-from-rev and -new-from-merge-base both name a base: choose one")
	case o.diff && o.list:
		return errors.New("-d and -l both print to standard output: choose one")
	case report.Machine(o.format) && (o.diff || o.list):
		return fmt.Errorf("-format=%s prints one document to standard output: leave out -d and -l", o.format)
	}
	return nil
}

// oneOf returns an error unless value is one of the values of a flag.
func oneOf(flag, value string, values []string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return fmt.Errorf("-%s %s: want one of %s%s", flag, value, strings.Join(values, ", "), didYouMean(value, values, ""))
}

// directory returns the absolute path of the directory that -C names.
func directory(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the working directory: %w", err)
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = errors.New("not a directory")
	}
	if err != nil {
		if pe := (*os.PathError)(nil); errors.As(err, &pe) {
			err = pe.Err
		}
		return "", fmt.Errorf("-C %s: %w", dir, err)
	}
	return path, nil
}

// parseOutput reads a value of -o.
func parseOutput(dir, value string) (output, error) {
	format, path, ok := strings.Cut(value, "=")
	if !ok || path == "" {
		return output{}, fmt.Errorf("-o %s: want FORMAT=PATH, such as json=%s.json", value, name)
	}
	if err := oneOf("o", format, report.Formats()); err != nil {
		return output{}, err
	}
	return output{format, abs(dir, path)}, nil
}

// colors reports whether output to w is coloured.
func (o *options) colors(w io.Writer) bool { return colors(o.color, w, os.Getenv) }
