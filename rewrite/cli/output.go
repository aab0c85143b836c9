package cli

import (
	"bytes"
	"errors"
	"os"
	"runtime/debug"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/internal/patch"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/report"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/write"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// report returns what every format is told about the run.
func (o *options) report() report.Options {
	return report.Options{Dir: o.dir, Root: patch.Root(o.dir), Rules: pages(o.rules), Version: moduleVersion()}
}

// pages returns what formats tell of rules, and of directives, which are
// reported as if by one.
func pages(rules []rule.Rule) []report.Rule {
	var list []report.Rule
	for _, r := range rules {
		list = append(list, report.Rule{Name: r.Name, Doc: r.Doc})
	}
	return append(list, report.Rule{Name: rule.DirectiveName, Doc: rule.DirectiveDoc})
}

// moduleVersion returns the version that the program was built as, or "".
func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
}

// save writes the reports that -o asks for, and returns an error for each one
// that could not be written.
func (o *options) save(run report.Run) error {
	opt := o.report()
	opt.Verbose = true
	var errs []error
	for _, out := range o.outputs {
		var buf bytes.Buffer
		if err := report.Format(out.format)(&buf, run, opt); err != nil {
			errs = append(errs, err)
			continue
		}
		if err := write.Output(out.path, buf.Bytes()); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// stepSummary tells GitHub what its annotations have no room for, in the file
// that it names for that.
func (o *options) stepSummary(run report.Run) error {
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" || o.format != "github" && !slices.ContainsFunc(o.outputs, func(out output) bool { return out.format == "github" }) {
		return nil
	}
	var buf bytes.Buffer
	if err := report.StepSummary(&buf, run, o.report()); err != nil {
		return err
	}
	return write.Append(path, buf.Bytes())
}
