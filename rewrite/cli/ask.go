package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/patch"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/plan"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/report"
	"github.com/goroutinefix/goroutinefix/rewrite/policy"
)

const askHelp = `y - fix this
n - leave this
q - quit: leave this and all that follows
a - fix this and all that follows in this file
d - leave this and all that follows in this file
e - edit the fixed file by hand, then fix with what it differs
? - print this
`

// askAndFix shows the fixes of a dry run one by one and runs the engine again
// with those that the user wants, so that what is written has passed the same
// checks as always. The result is that of the second run; what was declined
// keeps the status that it had in the first.
func (p *program) askAndFix(ctx context.Context, o *options, pol *policy.Policy, dry *rewrite.Result) (*rewrite.Result, error) {
	o.write = true
	if err := o.allowed(ctx, dry.Changes); err != nil {
		return nil, err
	}
	q := newQuestions(ctx, p.Stdin, p.Stderr, o)
	if err := q.all(dry.Changes); err != nil {
		return nil, err
	}
	if len(q.accepted) == 0 {
		res := *dry
		res.Changes = nil
		return &res, nil
	}
	before := map[finding.Key]finding.Finding{}
	for _, f := range dry.Findings {
		before[f.Key()] = f
	}
	res, err := p.analyze(ctx, o, pol, func(found []finding.Finding) {
		for i := range found {
			f := &found[i]
			if f.Status.Settled() {
				continue
			}
			if fix, ok := q.accepted[f.Key()]; !ok {
				f.Outcome = finding.Outcome{Status: finding.Declined}
			} else if fix != nil {
				f.Fix = fix
			}
		}
	})
	if ctx.Err() != nil {
		return nil, errors.New("interrupted, nothing was written")
	}
	if err != nil {
		return nil, err
	}
	for i := range res.Findings {
		f := &res.Findings[i]
		if old, ok := before[f.Key()]; ok && f.Status == finding.Declined {
			*f = old
		}
	}
	return res, nil
}

// questions asks about findings on a terminal.
type questions struct {
	ctx   context.Context
	in    *bufio.Scanner
	out   io.Writer
	opt   *options
	color bool
	// accepted holds the findings to fix, with the fix if the user edited it.
	accepted map[finding.Key]*finding.Fix
}

func newQuestions(ctx context.Context, in io.Reader, out io.Writer, o *options) *questions {
	return &questions{ctx: ctx, in: bufio.NewScanner(in), out: out, opt: o, color: o.colors(out), accepted: map[finding.Key]*finding.Fix{}}
}

// line reads one line, and no more: an editor may want the next one. more is
// false at the end of input.
func (q *questions) line() (text string, more bool, err error) {
	read := make(chan bool, 1)
	go func() { read <- q.in.Scan() }()
	select {
	case more = <-read:
		return strings.TrimSpace(q.in.Text()), more, nil
	case <-q.ctx.Done():
		return "", false, errors.New("interrupted, nothing was written")
	}
}

// all asks about each finding that the changes fix, file by file.
func (q *questions) all(changes []finding.FileChange) error {
	total, n := 0, 0
	for _, c := range changes {
		total += len(c.Findings)
	}
	for _, c := range changes {
		rest := byte(0) // the answer to all that follows in the file
		for _, f := range c.Findings {
			n++
			if f.Fix == nil {
				continue
			}
			answer := rest
			if answer == 0 {
				var err error
				if answer, err = q.one(c, f, fmt.Sprintf("(%d/%d)", n, total)); err != nil {
					return err
				}
			}
			switch answer {
			case 'a', 'd':
				rest = answer
			case 'q':
				return nil
			}
			if answer == 'y' || answer == 'a' {
				q.accepted[f.Key()] = nil
			}
		}
	}
	return nil
}

// one asks about one finding until the answer is one of y, n, a, d and q, or
// e with a text that differs.
func (q *questions) one(c finding.FileChange, f finding.Finding, count string) (byte, error) {
	fixed := plan.Apply(c.Old, f.Fix.Edits)
	diff, err := patch.Unified([]finding.FileChange{{Path: c.Path, Old: c.Old, New: fixed}}, patch.Options{Root: patch.Root(q.opt.dir), NoGit: true})
	if err != nil {
		return 0, err
	}
	if i := bytes.Index(diff, []byte("\n@@ ")); i >= 0 {
		diff = diff[i+1:]
	}
	if q.color {
		diff = patch.Color(diff)
	} else {
		diff = patch.Visible(diff)
	}
	show := func() {
		report.Finding(q.out, &f, report.Options{Dir: q.opt.dir, Color: q.color})
		fmt.Fprintf(q.out, "%s", diff)
	}
	show()
	for {
		fmt.Fprintf(q.out, "%s %s [y,n,q,a,d,e,?]? ", count, patch.Visible([]byte(strings.TrimSuffix(f.Fix.Message, "."))))
		line, more, err := q.line()
		if err != nil {
			return 0, err
		}
		if !more {
			fmt.Fprintln(q.out)
			return 'q', nil
		}
		switch answer := (line + " ")[0]; answer {
		case 'y', 'n', 'q', 'a', 'd':
			return answer, nil
		case 'e':
			text, err := edit(q.ctx, c.Path, fixed)
			switch {
			case err != nil:
				fmt.Fprintf(q.out, "%s: edit: %v\n", name, err)
			case bytes.Equal(text, c.Old):
				fmt.Fprintf(q.out, "%s: edit: the file is as it was before the fix\n", name)
			case bytes.Equal(text, fixed):
				return 'y', nil
			default:
				q.accepted[f.Key()] = &finding.Fix{Message: f.Fix.Message, Edits: []finding.Edit{between(c.Path, c.Old, text)}, Edited: true}
				return 'e', nil
			}
		default:
			fmt.Fprint(q.out, askHelp)
			if answer != '?' && answer != ' ' {
				show()
			}
		}
	}
}

// between returns the one edit that turns the old text of a file into the new
// one, cut at whole lines.
func between(path string, old, text []byte) finding.Edit {
	a, b := bytes.SplitAfter(old, []byte("\n")), bytes.SplitAfter(text, []byte("\n"))
	head := 0
	for head < min(len(a), len(b)) && bytes.Equal(a[head], b[head]) {
		head++
	}
	tail := 0
	for tail < min(len(a), len(b))-head && bytes.Equal(a[len(a)-1-tail], b[len(b)-1-tail]) {
		tail++
	}
	size := func(lines [][]byte) int { return len(slices.Concat(lines...)) }
	return finding.Edit{
		Path: path, Start: size(a[:head]), End: size(a[:len(a)-tail]),
		New: string(slices.Concat(b[head : len(b)-tail]...)),
	}
}
