package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/patch"
	"github.com/goroutinefix/goroutinefix/rewrite/report"
	"github.com/goroutinefix/goroutinefix/rewrite/write"
)

// run is the program without a subcommand: analyse, write where asked to,
// print, and set the exit code. Its error is one that left nothing to print.
func (p *program) run(c *urfave.Context) error {
	o, err := p.options(c)
	if err != nil {
		return err
	}
	p.opt = o
	res, err := p.analyze(c.Context, o)
	var recovered error
	if err == nil && o.write {
		res, recovered, err = p.recover(c.Context, o, res)
	}
	if c.Context.Err() != nil {
		return errors.New("interrupted, nothing was written")
	}
	if err != nil {
		return err
	}

	run := report.Run{
		Findings: slices.Clone(res.Findings),
		Skipped:  res.Skipped,
		Packages: res.Packages,
		Err:      errors.Join(recovered, errors.Join(res.Internal...)),
	}
	changes := res.Changes
	if o.write {
		written, err := write.Files(c.Context, changes)
		if errors.Is(err, context.Canceled) {
			err = errors.Join(err, errors.New("interrupted, the files of some packages were not written"))
		}
		run.Err = errors.Join(run.Err, err)
		changes = markFixed(run.Findings, changes, written)
	}
	run.Changes = changes
	// Standard output first, so that on a terminal the summary comes last.
	if err := p.printResult(o, run, changes); err != nil {
		run.Err = errors.Join(run.Err, fmt.Errorf("write standard output: %w", err))
	}
	run.Err = errors.Join(run.Err, o.save(run), o.stepSummary(run))
	p.code = exitCode(o, run, changes)

	text := report.Text
	if o.quiet || report.Accounts(o.format) {
		text = report.Problems
	}
	return text(p.Stderr, run, report.Options{Dir: o.dir, Color: o.colors(p.Stderr), Verbose: o.verbose})
}

// recover finishes what a killed run has left in the packages of res, and
// analyses them again if there was something.
func (p *program) recover(ctx context.Context, o *options, res *rewrite.Result) (_ *rewrite.Result, recovered, err error) {
	finished, recovered := write.Recover(ctx, res.Dirs)
	if len(finished) == 0 {
		return res, recovered, nil
	}
	if !o.quiet {
		fmt.Fprintf(p.Stderr, "%s: finished the interrupted write of %s\n", name, strings.Join(finished, ", "))
	}
	res, err = p.analyze(ctx, o)
	return res, recovered, err
}

// analyze runs the engine behind a progress line.
func (p *program) analyze(ctx context.Context, o *options) (*rewrite.Result, error) {
	live := !o.quiet && isTerminal(p.Stderr) && os.Getenv("TERM") != "dumb"
	line := newProgress(p.Stderr, live, progressDelay, progressInterval)
	defer line.end()
	cfg := rewrite.Config{
		Dir:      o.dir,
		Patterns: o.patterns,
		Rules:    o.rules,
		Tests:    o.tests,
		Tags:     o.tags,
		Mod:      o.mod,
		Jobs:     o.jobs,
		Unsafe:   o.unsafe,
		NoFix:    o.check,
		Progress: line.update,
	}
	if o.verbose {
		cfg.Debugf = func(format string, args ...any) { line.printf(name+": "+format, args...) }
	}
	return p.engine(ctx, cfg)
}

// printResult writes the diff, the list or the document to standard output.
func (p *program) printResult(o *options, run report.Run, changes []finding.FileChange) error {
	var buf bytes.Buffer
	switch {
	case report.Machine(o.format):
		if err := report.Format(o.format)(&buf, run, o.report()); err != nil {
			return err
		}
	case o.list:
		for _, path := range paths(o.dir, changes) {
			fmt.Fprintln(&buf, path)
		}
	case o.check, o.write && !o.diff:
		return nil
	default:
		diff, err := patch.Unified(changes, patch.Options{Root: patch.Root(o.dir)})
		if err != nil {
			return err
		}
		if o.colors(p.Stdout) {
			diff = patch.Color(diff)
		}
		buf.Write(diff)
	}
	if buf.Len() == 0 {
		return nil
	}
	_, err := io.Copy(p.Stdout, &buf)
	return err
}

// paths returns the paths of the changes relative to dir, sorted.
func paths(dir string, changes []finding.FileChange) []string {
	var list []string
	for _, c := range changes {
		path := c.Path
		if rel, err := filepath.Rel(dir, path); err == nil {
			path = rel
		}
		list = append(list, path)
	}
	slices.Sort(list)
	return list
}

// key identifies a finding within a run.
type key struct {
	rule, message string
	place         finding.Place
}

func keyOf(f *finding.Finding) key { return key{f.Rule, f.Message, f.Place} }

// markFixed sets the status of the findings whose fixes are on disk now, and
// returns the changes that were written. A fix that reaches into a file that
// was not written is not on disk.
func markFixed(findings []finding.Finding, changes []finding.FileChange, written []string) []finding.FileChange {
	fixed := map[key]bool{}
	var done, open []finding.FileChange
	for _, c := range changes {
		if slices.Contains(written, c.Path) {
			done = append(done, c)
		} else {
			open = append(open, c)
		}
	}
	set := func(changes []finding.FileChange, value bool) {
		for _, c := range changes {
			for i := range c.Findings {
				fixed[keyOf(&c.Findings[i])] = value
			}
		}
	}
	set(done, true)
	set(open, false)
	for i := range findings {
		if f := &findings[i]; f.Status == finding.Fixable && fixed[keyOf(f)] {
			f.Status = finding.Fixed
		}
	}
	return done
}

// exitCode returns the exit code of a run with the given result.
func exitCode(o *options, run report.Run, changes []finding.FileChange) int {
	if run.Err != nil || len(run.Skipped) > 0 {
		return exitFailure
	}
	remain := !o.write && len(changes) > 0
	for i := range run.Findings {
		switch run.Findings[i].Status {
		case finding.Fixed, "suppressed", "baselined":
		default:
			remain = true
		}
	}
	if remain && !o.exitZero {
		return exitFindings
	}
	return exitClean
}
