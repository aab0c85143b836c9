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
	"github.com/goroutinefix/goroutinefix/rewrite/internal/patch"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/report"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/revision"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/write"
	"github.com/goroutinefix/goroutinefix/rewrite/policy"
)

// run is the program without a subcommand: analyse, write where asked to,
// print, and set the exit code. Its error is one that left nothing to print.
func (p *program) run(c *urfave.Context) error {
	o, pol, err := p.start(c)
	if err != nil {
		return err
	}
	res, err := p.analyze(c.Context, o, pol, nil)
	var recovered error
	if err == nil && (o.write || o.ask) {
		res, recovered, err = p.recover(c.Context, o, pol, res)
	}
	if c.Context.Err() != nil {
		return errors.New("interrupted, nothing was written")
	}
	if err == nil && o.ask {
		res, err = p.askAndFix(c.Context, o, pol, res)
	}
	if err != nil {
		return err
	}

	run := report.Run{
		Skipped:  res.Skipped,
		Packages: res.Packages, Elsewhere: res.Elsewhere,
		Err: errors.Join(recovered, errors.Join(res.Internal...)),
	}
	run.Findings, run.Hidden = pol.Visible(res.Findings)
	changes := res.Changes
	if o.write {
		if err := o.allowed(c.Context, changes); err != nil {
			return err
		}
		written, err := write.Files(c.Context, changes)
		if errors.Is(err, context.Canceled) {
			err = errors.Join(err, errors.New("interrupted, the files of some packages were not written"))
		}
		run.Err = errors.Join(run.Err, err)
		changes = markFixed(run.Findings, changes, written)
	}
	run.Changes = changes
	run.Err = errors.Join(run.Err, o.prune(pol, res, p.logf(o)))
	// Standard output first, so that on a terminal the summary comes last.
	if err := p.printResult(o, run, changes); err != nil {
		run.Err = errors.Join(run.Err, fmt.Errorf("write standard output: %w", err))
	}
	run.Err = errors.Join(run.Err, o.save(run), o.stepSummary(run))
	p.code = exitCode(o, run, changes)

	p.reportNested(o, res.Dirs)
	text := report.Text
	if o.quiet || report.Accounts(o.format) {
		text = report.Problems
	}
	return text(p.Stderr, run, report.Options{Dir: o.dir, Color: o.colors(p.Stderr), Verbose: o.verbose})
}

// recover finishes what a killed run has left in the packages of res, and
// analyses them again if there was something.
func (p *program) recover(ctx context.Context, o *options, pol *policy.Policy, res *rewrite.Result) (_ *rewrite.Result, recovered, err error) {
	finished, recovered := write.Recover(ctx, res.Dirs)
	if len(finished) == 0 {
		return res, recovered, nil
	}
	if !o.quiet {
		fmt.Fprintf(p.Stderr, "%s: finished the interrupted write of %s\n", name, patch.Visible([]byte(strings.Join(finished, ", "))))
	}
	res, err = p.analyze(ctx, o, pol, nil)
	return res, recovered, err
}

// start reads the flags and what the policy needs.
func (p *program) start(c *urfave.Context) (*options, *policy.Policy, error) {
	o, err := p.options(c.Args().Slice())
	if err != nil {
		return nil, nil, err
	}
	p.opt = o
	if o.ask && (!isTerminal(p.Stdin) || !isTerminal(p.Stderr)) {
		return nil, nil, errors.New("-i: standard input and standard error are no terminal to ask on; use -w, or -d to look first")
	}
	pol, err := o.policy(c.Context)
	return o, pol, err
}

// logf returns what prints a line for -v.
func (p *program) logf(o *options) func(string, ...any) {
	if !o.verbose {
		return func(string, ...any) {}
	}
	return func(format string, args ...any) { fmt.Fprintf(p.Stderr, name+": "+format+"\n", args...) }
}

// analyze runs the engine with a progress line.
func (p *program) analyze(ctx context.Context, o *options, pol *policy.Policy, review func([]finding.Finding)) (*rewrite.Result, error) {
	live := !o.quiet && isTerminal(p.Stderr) && os.Getenv("TERM") != "dumb"
	line := newProgress(p.Stderr, live, progressDelay, progressInterval)
	defer line.end()
	cfg := rewrite.Config{
		Dir:      o.dir,
		Patterns: o.patterns,
		Rules:    o.rules,
		Known:    p.ruleNames(),
		Shard:    o.shard,
		Matrix:   o.matrix,
		Policy:   pol,
		Review:   review,
		Tests:    o.tests,
		Tags:     o.tags,
		Mod:      o.mod,
		Jobs:     o.jobs,
		Unsafe:   o.unsafe,
		NoFix:    o.check,
		Progress: line.update,
	}
	cfg.Cache = p.results(o)
	cfg.Large = tuneMemory()
	if o.verbose {
		cfg.Debugf = func(format string, args ...any) { line.printf(name+": "+format, args...) }
	}
	res, err := p.runEngine(ctx, cfg)
	if ctx.Err() != nil {
		return res, err
	}
	if trimErr := cfg.Cache.Trim(); trimErr != nil {
		p.logf(o)("trim the cache of results: %v", trimErr)
	}
	return res, err
}

// allowed returns an error where unsafe fixes would mix with changes that no
// commit holds, so that they could not be told apart or taken back.
func (o *options) allowed(ctx context.Context, changes []finding.FileChange) error {
	if !o.unsafe || o.allowDirty || len(changes) == 0 {
		return nil
	}
	repo, err := revision.Open(ctx, o.dir)
	if err != nil {
		return fmt.Errorf("-w -unsafe: %w; -allow-dirty writes all the same", err)
	}
	var files []string
	for _, c := range changes {
		files = append(files, c.Path)
	}
	dirty, err := repo.Dirty(ctx, files)
	if err != nil {
		return fmt.Errorf("-w -unsafe: %w; -allow-dirty writes all the same", err)
	}
	if len(dirty) == 0 {
		return nil
	}
	slices.Sort(dirty)
	return fmt.Errorf("-w -unsafe: uncommitted changes in %s; commit them, or write all the same with -allow-dirty", strings.Join(relatives(o.dir, dirty), ", "))
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
			fmt.Fprintln(&buf, patch.Quote(path))
		}
	case o.check, o.write && !o.diff:
		return nil
	default:
		diff, err := patch.Unified(changes, patch.Options{Root: patch.Root(o.dir)})
		if err != nil {
			return err
		}
		switch {
		case o.colors(p.Stdout):
			diff = patch.Color(diff)
		case isTerminal(p.Stdout):
			diff = patch.Visible(diff)
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
		list = append(list, c.Path)
	}
	list = relatives(dir, list)
	slices.Sort(list)
	return list
}

// relatives returns paths relative to dir, where they can be.
func relatives(dir string, paths []string) []string {
	list := slices.Clone(paths)
	for i, path := range paths {
		if rel, err := filepath.Rel(dir, path); err == nil {
			list[i] = rel
		}
	}
	return list
}

// markFixed sets the status of the findings whose fixes are on disk now, and
// returns the changes that were written. A fix that reaches into a file that
// was not written is not on disk.
func markFixed(findings []finding.Finding, changes []finding.FileChange, written []string) []finding.FileChange {
	fixed := map[finding.Key]bool{}
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
				fixed[c.Findings[i].Key()] = value
			}
		}
	}
	set(done, true)
	set(open, false)
	for i := range findings {
		if f := &findings[i]; f.Status == finding.Fixable && fixed[f.Key()] {
			f.Outcome = finding.Outcome{Status: finding.Fixed}
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
		case finding.Fixed, finding.Suppressed, finding.Baselined:
		default:
			remain = true
		}
	}
	if remain && !o.exitZero {
		return exitFindings
	}
	return exitClean
}
