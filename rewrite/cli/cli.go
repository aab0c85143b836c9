// Package cli is the command line of goroutinefix: flags, output streams and
// exit codes. It is the one package that prints.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/report"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

const name = "goroutinefix"

// The exit codes are the same in every mode and format.
const (
	exitClean    = 0 // nothing found, or nothing left after -w
	exitFindings = 1 // findings remain
	exitFailure  = 2 // usage, load, write or internal errors; the run is incomplete
)

// IO is what a run of the program talks to.
type IO struct {
	Args           []string // without the name of the program
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Std returns the arguments and the streams of this process.
func Std() IO {
	return IO{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
}

// Main runs the program with the given rules and returns its exit code. When
// ctx is cancelled nothing is left half-written and the code is 2.
func Main(ctx context.Context, stdio IO, rules []rule.Rule) int {
	p := &program{IO: stdio, rules: rules, engine: rewrite.Run}
	return p.main(ctx)
}

// program is one run of the command line.
type program struct {
	IO
	rules  []rule.Rule
	engine func(context.Context, rewrite.Config) (*rewrite.Result, error)
	root   *urfave.Context // with the flags of the program
	opt    *options        // nil until the flags have been read
	code   int
}

func (p *program) main(ctx context.Context) int {
	app := p.app()
	args, err := arrange(p.Args, app.Flags, app.Commands)
	if err == nil {
		err = app.RunContext(ctx, append([]string{name}, args...))
	}
	if err != nil {
		return p.fail(err)
	}
	return p.code
}

// app describes the command line to the parser. Errors come back from its Run
// and nowhere else: nothing is printed, nothing exits.
func (p *program) app() *urfave.App {
	usageError := func(_ *urfave.Context, err error, _ bool) error { return usage(err) }
	app := &urfave.App{
		Name:                      name,
		Usage:                     "find goroutine leaks in Go code and rewrite them into the safe idiom",
		UsageText:                 name + " [flags] [packages | files.go ...]   (default ./...)",
		Description:               description,
		Flags:                     flags(),
		Commands:                  p.commands(),
		Action:                    p.run,
		Before:                    func(c *urfave.Context) error { p.root = c; return nil },
		Reader:                    p.Stdin,
		Writer:                    p.Stdout,
		ErrWriter:                 p.Stderr,
		HideVersion:               true,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true,
		OnUsageError:              usageError,
		ExitErrHandler:            func(*urfave.Context, error) {},
	}
	app.CustomAppHelpTemplate = helpText(app)
	for _, c := range app.Commands {
		c.OnUsageError = usageError
		c.HideHelpCommand = true
	}
	return app
}

// fail reports an error that kept the run from starting and returns the exit
// code. Where a machine format was asked for there is a document all the same.
func (p *program) fail(err error) int {
	run := report.Run{Err: err}
	opt := report.Options{Rules: pages(p.rules), Version: moduleVersion()}
	format := formatOf(p.Args)
	if p.opt != nil {
		opt = p.opt.report()
		opt.Color = p.opt.colors(p.Stderr)
		err = errors.Join(err, p.opt.save(run))
	}
	// Errors from here on have no other place to go to.
	_ = report.Problems(p.Stderr, report.Run{Err: err}, opt)
	if w := report.Format(format); w != nil && report.Machine(format) {
		_ = w(p.Stdout, run, opt)
	}
	return exitFailure
}

// usage turns an error of the flag parser into one of ours.
func usage(err error) error {
	text := err.Error()
	if flag, ok := strings.CutPrefix(text, "flag provided but not defined: "); ok {
		return fmt.Errorf("unknown flag %s", flag)
	}
	var value, flag string
	if n, _ := fmt.Sscanf(text, "invalid boolean value %q for -%s", &value, &flag); n == 2 {
		return fmt.Errorf("-%s=%s: want true or false", strings.TrimSuffix(flag, ":"), value)
	}
	if n, _ := fmt.Sscanf(text, "invalid value %q for flag -%s", &value, &flag); n == 2 {
		return fmt.Errorf("-%s %s: want a number", strings.TrimSuffix(flag, ":"), value)
	}
	return errors.New(text)
}

// formatOf finds the value of -format in arguments that may be wrong elsewhere.
func formatOf(args []string) string {
	format := ""
	for i, arg := range args {
		flag, value, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		if arg == "--" {
			break
		}
		if flag != "format" || !strings.HasPrefix(arg, "-") {
			continue
		}
		if hasValue {
			format = value
		} else if i+1 < len(args) {
			format = args[i+1]
		}
	}
	return format
}

// abs returns path, which is meant relative to dir, as an absolute path.
func abs(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}
