package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/patch"
)

// maxPageDiffs is the number of diffs on a page: with many more, a browser
// takes its time.
const maxPageDiffs = 2000

//go:embed html.tmpl
var htmlSource string

type htmlPage struct {
	Title, Summary, Version     string
	Problems                    []string
	Rules, Safeties, Categories []htmlOption
	Statuses                    []htmlCount
	Packages                    []htmlPackage
	Total                       int
}

type htmlOption struct {
	Value, Label string
	Count        int
}

type htmlCount struct {
	Status string
	Count  int
}

type htmlPackage struct {
	Path  string
	Rules []htmlRule
}

type htmlRule struct {
	Name, Headline, Why string
	Findings            []htmlFinding
}

type htmlFinding struct {
	ID, Rule, Safety, Category, Status string
	At, Function, Message, Verdict     string
	Fix, NoDiff                        string
	Steps                              []htmlStep
	Blocks                             []htmlBlock
}

type htmlStep struct {
	At, Message string
	Self        bool
	Code        template.HTML
}

type htmlBlock struct {
	Path string
	Rows []htmlRow
}

type htmlRow struct {
	Old, New         string // line numbers, "" where there is none
	OldCode, NewCode template.HTML
	Gone, Added      bool
}

// HTML writes the run as one page that needs nothing else, neither network nor
// files: findings by package and rule, each with the way to the leak and its
// fix side by side. It can be filtered, also by its address, as in
// page.html#rule=bodyclose&safety=safe.
func HTML(w io.Writer, run Run, opt Options) error {
	t, err := template.New("page").Parse(htmlSource)
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	h := htmlWriter{run: run, opt: opt, src: newSources(run, opt), lines: map[string][]template.HTML{}, diffs: map[*finding.Finding]bool{}}
	for i, f := range byImportance(run.Findings) {
		h.diffs[f] = i < maxPageDiffs
	}
	return t.Execute(w, h.page())
}

type htmlWriter struct {
	run   Run
	opt   Options
	src   *sources
	lines map[string][]template.HTML
	diffs map[*finding.Finding]bool // the ones that get a diff
}

func (h *htmlWriter) page() htmlPage {
	p := htmlPage{
		Title: "goroutinefix: " + plural(len(h.run.Findings), "finding"), Summary: summary(h.run), Version: h.opt.Version,
		Problems: problems(h.run), Total: len(h.run.Findings),
	}
	if p.Summary == "" {
		p.Summary = plural(len(h.run.Findings), "finding") + " in " + plural(h.run.Packages, "package")
	}
	n := count(h.run.Findings)
	for _, s := range statuses {
		if n[s] > 0 {
			p.Statuses = append(p.Statuses, htmlCount{string(s), n[s]})
		}
	}
	ids := fingerprints(h.run.Findings)
	groups := map[[2]string][]htmlFinding{}
	rules, safeties, categories := map[string]int{}, map[string]int{}, map[string]int{}
	var packages []string
	for i := range h.run.Findings {
		f := &h.run.Findings[i]
		v := h.finding(f, ids[i])
		rules[v.Rule]++
		safeties[v.Safety]++
		categories[v.Category]++
		key := [2]string{f.Package, f.Rule}
		groups[key] = append(groups[key], v)
		packages = append(packages, f.Package)
	}
	slices.Sort(packages)
	names := rulesOf(h.run.Findings, h.opt)
	for _, pkg := range slices.Compact(packages) {
		hp := htmlPackage{Path: pkg}
		for _, name := range names {
			if list := groups[[2]string{pkg, name}]; list != nil {
				page := h.opt.page(name)
				hp.Rules = append(hp.Rules, htmlRule{name, page.headline, page.sections[whyItLeaks], list})
			}
		}
		p.Packages = append(p.Packages, hp)
	}
	p.Rules = htmlOptions(names, rules)
	p.Safeties = htmlOptions([]string{string(finding.Safe), string(finding.Unsafe), string(finding.None)}, safeties)
	var known []string
	for c := range categories {
		if c != "" {
			known = append(known, c)
		}
	}
	slices.Sort(known)
	p.Categories = htmlOptions(known, categories)
	return p
}

// htmlOptions returns the choices of a filter that leave something to see.
func htmlOptions(values []string, counts map[string]int) []htmlOption {
	var list []htmlOption
	for _, v := range values {
		if counts[v] > 0 {
			label := v
			if v == string(finding.None) {
				label = "no fix"
			}
			list = append(list, htmlOption{v, label, counts[v]})
		}
	}
	return list
}

func (h *htmlWriter) finding(f *finding.Finding, id string) htmlFinding {
	v := htmlFinding{
		ID: "f-" + id, Rule: f.Rule, Safety: string(f.Applicability), Category: f.Category, Status: string(f.Status),
		At: h.at(f.Place), Function: f.Function, Message: oneLine(f.Message), Verdict: oneLine(verdict(f)),
	}
	for _, s := range steps(f) {
		v.Steps = append(v.Steps, htmlStep{
			At: h.at(s.Place), Message: oneLine(s.Message),
			Code: template.HTML(strings.TrimLeft(string(h.code(s.Path, s.Line)), "\t ")),
			Self: s.Place == f.Place && s.Message == f.Message,
		})
	}
	if f.Fix == nil {
		return v
	}
	v.Fix = oneLine(f.Fix.Message)
	if !h.diffs[f] {
		v.NoDiff = fmt.Sprintf("The page shows the first %d diffs only; goroutinefix -rules %s shows this one.", maxPageDiffs, f.Rule)
		return v
	}
	for _, c := range h.src.fixed(f) {
		v.Blocks = append(v.Blocks, h.blocks(c)...)
	}
	return v
}

func (h *htmlWriter) at(p finding.Place) string {
	return fmt.Sprintf("%s:%d:%d", oneLine(relative(h.opt.root(), p.Path)), p.Line, p.Column)
}

// code returns a line of a file as it was analysed.
func (h *htmlWriter) code(path string, line int) template.HTML {
	if h.lines[path] == nil {
		h.lines[path] = highlighted(h.src.text(path))
	}
	return htmlLine(h.lines[path], line)
}

func htmlLine(lines []template.HTML, n int) template.HTML {
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

func (h *htmlWriter) blocks(c finding.FileChange) []htmlBlock {
	after := highlighted(c.New)
	var list []htmlBlock
	for _, rows := range patch.Sides(c.Old, c.New) {
		hb := htmlBlock{Path: oneLine(relative(h.opt.root(), c.Path))}
		for _, r := range rows {
			row := htmlRow{Gone: r.Changed && r.Old > 0, Added: r.Changed && r.New > 0}
			if r.Old > 0 {
				row.Old, row.OldCode = fmt.Sprint(r.Old), h.code(c.Path, r.Old)
			}
			if r.New > 0 {
				row.New, row.NewCode = fmt.Sprint(r.New), htmlLine(after, r.New)
			}
			hb.Rows = append(hb.Rows, row)
		}
		list = append(list, hb)
	}
	return list
}
