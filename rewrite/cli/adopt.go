package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/baseline"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/report"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/suppress"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/write"
	"github.com/goroutinefix/goroutinefix/rewrite/policy"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// baselineFile is the name of the baseline where nobody says another one.
const baselineFile = ".goroutinefix-baseline.json"

// This file holds the subcommands by which a code base with findings adopts
// the tool: its comments and its baseline.

// find runs the engine for the findings alone.
func (p *program) find(c *urfave.Context, command string) (o *options, res *rewrite.Result, pol *policy.Policy, err error) {
	o, err = p.options(c.Args().Slice())
	if err != nil {
		return nil, nil, nil, err
	}
	p.opt = o
	switch {
	case o.write, o.list, o.ask, o.check, report.Machine(o.format), len(o.outputs) > 0:
		return nil, nil, nil, fmt.Errorf("%s: goes with none of -w, -l, -i, -check, -format and -o FORMAT=PATH", command)
	case command == "baseline":
		o.baseline = "" // it is written, not applied
		if o.newFrom != "" || o.newFromBase != "" || o.shard.N > 0 || o.diff {
			return nil, nil, nil, errors.New("baseline: goes with none of -d, -shard, -new-from-rev and -new-from-merge-base: it holds all findings")
		}
	}
	if pol, err = o.policy(c.Context); err != nil {
		return nil, nil, nil, err
	}
	o.check = true
	var found []finding.Finding
	res, err = p.analyze(c.Context, o, pol, func(all []finding.Finding) {
		found = slices.Clone(all)
	})
	if c.Context.Err() != nil {
		return nil, nil, nil, errors.New("interrupted, nothing was written")
	}
	if err == nil && command == "baseline" {
		res.Findings = found // also of files that were not named: it counts by function
	}
	return o, res, pol, err
}

// incomplete reports what could not be analysed and sets the exit code.
func (p *program) incomplete(o *options, res *rewrite.Result, err error) error {
	run := report.Run{Skipped: res.Skipped, Err: errors.Join(errors.Join(res.Internal...), err)}
	if run.Err != nil || len(run.Skipped) > 0 {
		p.code = exitFailure
	}
	return report.Problems(p.Stderr, run, report.Options{Dir: o.dir, Color: o.colors(p.Stderr)})
}

// baseline writes what is found now to the baseline file. What this run could
// not have found stays in it.
func (p *program) baseline(c *urfave.Context) error {
	o, res, _, err := p.find(c, "baseline")
	if err != nil {
		return err
	}
	if c.String("o") == "" && o.foreignBaseline {
		return fmt.Errorf("%s: baseline: %s lies outside of the directory of this file; to write it, name it with -o", o.config.Path, o.config.Baseline)
	}
	path := abs(o.dir, cmp.Or(c.String("o"), p.root.String("baseline"), o.config.Baseline, baselineFile))
	now, before := baseline.New(res.Findings), 0
	if _, err := os.Stat(path); err == nil {
		old, err := baseline.Read(path)
		if err != nil {
			return fmt.Errorf("%w; remove the file to start afresh", err)
		}
		before = old.Len()
		now = now.With(old, o.judged(res))
	}
	err = write.Output(path, now.Bytes())
	if err == nil && !o.quiet {
		fmt.Fprintf(p.Stderr, "%s: %d findings, before %d\n", relatives(o.dir, []string{path})[0], now.Len(), before)
	}
	return p.incomplete(o, res, err)
}

// suppress writes a directive for each finding that is not settled.
func (p *program) suppress(c *urfave.Context) error {
	reason := c.String("reason")
	if d, _ := suppress.Parse("//" + suppress.Tool + ":ignore rule " + reason); d.Problem != "" {
		return fmt.Errorf("suppress -reason %q: want a few words", reason)
	}
	o, res, _, err := p.find(c, "suppress")
	if err != nil {
		return err
	}
	targets := map[string][]suppress.Target{}
	var errs []error
	packages := map[string]string{}
	left := func(f finding.Finding, why string) {
		errs = append(errs, fmt.Errorf("%s:%d:%d: not suppressed: %s", relatives(o.dir, []string{f.Place.Path})[0], f.Place.Line, f.Place.Column, why))
	}
	for _, f := range res.Findings {
		switch {
		case f.Status.Settled() || f.Rule == rule.DirectiveName:
		case f.Status == finding.Generated && !o.generated: // only counted
		case f.Status == finding.Generated || f.Status == finding.Cgo || f.Status == finding.Outside:
			left(f, f.Reason)
		default:
			targets[f.Place.Path] = append(targets[f.Place.Path], suppress.Target{Rule: f.Rule, Offset: f.Place.Offset})
			packages[f.Place.Path] = f.Package
		}
	}
	var changes []finding.FileChange
	n := 0
	for path, list := range targets {
		src, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out, err := suppress.Insert(src, list, reason)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", relatives(o.dir, []string{path})[0], err))
		}
		changes = append(changes, finding.FileChange{Path: path, Package: packages[path], Old: src, New: out})
		n += len(list)
	}
	slices.SortFunc(changes, func(a, b finding.FileChange) int { return cmp.Compare(a.Path, b.Path) })
	if o.diff {
		o.check = false
		errs = append(errs, p.printResult(o, report.Run{}, changes))
	} else {
		_, err := write.Files(c.Context, changes)
		errs = append(errs, err)
		if !o.quiet && n > 0 && err == nil {
			fmt.Fprintf(p.Stderr, "suppressed %d findings in %d files\n", n, len(changes))
		}
	}
	return p.incomplete(o, res, errors.Join(errs...))
}
