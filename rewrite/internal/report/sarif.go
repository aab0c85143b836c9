package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// maxResults is the number of results from which GitHub refuses a run.
const maxResults = 25000

// sarifSchema is where the schema of the standard is published.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// semver is the form that SARIF asks of a semantic version.
var semver = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// SARIF writes the run as SARIF 2.1.0, as code scanning of GitHub takes it:
// paths relative to the repository, columns in UTF-16 code units, the way to
// the leak as a code flow. A finding that is settled has a suppression that
// says how. A run that is incomplete has an invocation that failed and a
// notification for each reason. If there are more results than GitHub takes,
// the most important ones are there and a notification counts the others.
func SARIF(w io.Writer, run Run, opt Options) error { return sarifUpTo(w, run, opt, maxResults) }

// sarifUpTo is SARIF for a host that takes at most so many results.
func sarifUpTo(w io.Writer, run Run, opt Options, most int) error {
	s := sarifWriter{opt: opt, src: newSources(run, opt), index: map[string]int{}}
	driver := sarif.NewToolComponent().WithName("goroutinefix").WithInformationURI(homepage).
		WithSemanticVersion(semanticVersion(opt.Version))
	for i, r := range opt.Rules {
		s.index[r.Name] = i
		driver.AddRule(sarifRule(r))
	}
	out := sarif.NewRun()
	out.WithTool(sarif.NewTool().WithDriver(driver)).WithColumnKind("utf16CodeUnits")

	results := byImportance(run.Findings)
	left := max(0, len(results)-most)
	unique := map[*finding.Finding]string{}
	for i, fp := range fingerprints(run.Findings) {
		unique[&run.Findings[i]] = fp
	}
	for _, f := range results[:len(results)-left] {
		out.AddResult(s.result(f, unique[f]))
	}
	invocation := sarif.NewInvocation().WithExecutionSuccessful(!run.incomplete())
	for _, p := range problems(run) {
		invocation.AddToolExecutionNotification(sarifNotification(p, "error"))
	}
	if left > 0 {
		invocation.AddToolExecutionNotification(sarifNotification(
			fmt.Sprintf("%d of %d findings are left out, because GitHub takes %d results", left, len(results), most), "warning"))
	}
	out.AddInvocation(invocation)
	properties := sarif.NewPropertyBag()
	for name, n := range document(run, opt).Summary {
		properties.Add(name, n)
	}
	out.WithProperties(properties)
	doc := sarif.NewReport()
	doc.Schema = sarifSchema
	doc.AddRun(out)
	return writeSARIF(w, doc)
}

// writeSARIF writes a report without what says nothing: the library spells out
// each absent index as -1 and each absent list as an empty one, which makes the
// document twice as large.
func writeSARIF(w io.Writer, doc *sarif.Report) error {
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // as they were written
	var v any
	if err := dec.Decode(&v); err != nil {
		return err
	}
	prune(v)
	return encode(w, v)
}

// prune removes the absent from a SARIF document. A list of results stays,
// because its absence says that nothing was looked for.
func prune(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			list, isList := x.([]any)
			if x == json.Number("-1") || isList && len(list) == 0 && name != "results" {
				delete(v, name)
			}
			prune(x)
		}
	case []any:
		for _, x := range v {
			prune(x)
		}
	}
}

// semanticVersion returns the version of a module without its "v", and that of
// no release if it has none.
func semanticVersion(v string) string {
	if v = strings.TrimPrefix(v, "v"); semver.MatchString(v) {
		return v
	}
	return "0.0.0-devel"
}

func sarifNotification(text, level string) *sarif.Notification {
	return sarif.NewNotification().WithLevel(level).WithMessage(sarifMessage(text))
}

func sarifRule(r Rule) *sarif.ReportingDescriptor {
	p := parsePage(r.Doc)
	headline := cmp.Or(oneLine(p.headline), r.Name)
	why := cmp.Or(oneLine(p.sections[whyItLeaks]), headline)
	bag := sarif.NewPropertyBag().WithTags([]string{"correctness", "goroutine-leak"})
	bag.Add("precision", "very-high").Add("problem.severity", "warning")
	return sarif.NewReportingDescriptor().WithID(r.Name).
		WithShortDescription(sarifText(headline)).
		WithFullDescription(sarifText(why)).
		WithHelp(sarifText(cmp.Or(strings.TrimSpace(r.Doc), headline)).WithMarkdown(p.markdown(2))).
		WithHelpURI(homepage + "#" + r.Name).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel("warning")).
		WithProperties(bag)
}

// sarifMessage returns a message that shows text. In SARIF, brackets before
// a parenthesis are a link, whoever wrote them; a space between keeps them code.
func sarifMessage(text string) *sarif.Message {
	return sarif.NewTextMessage(strings.ReplaceAll(oneLine(text), "](", "] ("))
}

func sarifText(s string) *sarif.MultiformatMessageString {
	return sarif.NewMultiformatMessageString().WithText(s)
}

type sarifWriter struct {
	opt   Options
	src   *sources
	index map[string]int // of the rules
}

func (s sarifWriter) result(f *finding.Finding, fingerprint string) *sarif.Result {
	r := sarif.NewResult().WithRuleID(f.Rule).WithMessage(sarifMessage(f.Message)).
		WithLocations([]*sarif.Location{s.location(f.Place)})
	// Under a name of its own: the upload action adds GitHub's, which is computed
	// in another way and complained about where it differs.
	r.PartialFingerprints = map[string]string{"goroutinefix/v1": fingerprint}
	r.RuleIndex = -1
	if i, ok := s.index[f.Rule]; ok {
		r.RuleIndex = i
	}
	bag := sarif.NewPropertyBag().Add("status", string(f.Status)).Add("applicability", string(f.Applicability))
	for name, value := range map[string]string{"reason": f.Reason, "category": f.Category, "function": f.Function} {
		if value != "" {
			bag.Add(name, value)
		}
	}
	r.WithProperties(bag)
	r.WithLevel("warning")
	if settled(f) {
		kind := "external"
		if f.Status == finding.Suppressed {
			kind = "inSource"
		}
		r.WithLevel("note")
		r.AddSuppression(sarif.NewSuppression().WithKind(kind).WithJustification(verdict(f)))
	}
	if len(f.Related) > 0 {
		flow := sarif.NewThreadFlow()
		for _, step := range steps(f) {
			flow.AddLocation(sarif.NewThreadFlowLocation().WithLocation(
				s.location(step.Place).WithMessage(sarifMessage(step.Message))))
		}
		r.AddCodeFlow(sarif.NewCodeFlow().AddThreadFlow(flow))
	}
	for i, rel := range f.Related {
		r.AddRelatedLocation(s.location(rel.Place).WithID(i + 1).WithMessage(sarifMessage(rel.Message)))
	}
	if f.Status == finding.Fixable && s.src.fixed(f) != nil && isText(f.Fix) {
		r.AddFixe(s.fix(f.Fix))
	}
	return r
}

// location returns a place with all four bounds of its region, at least 1.
func (s sarifWriter) location(p finding.Place) *sarif.Location {
	line := max(1, p.Line)
	endLine := max(line, p.EndLine)
	column := s.src.utf16Column(p.Path, line, p.Column)
	endColumn := s.src.utf16Column(p.Path, endLine, p.EndColumn)
	if endLine == line {
		endColumn = max(column, endColumn)
	}
	return sarif.NewLocation().WithPhysicalLocation(sarif.NewPhysicalLocation().
		WithArtifactLocation(s.artifact(p.Path)).
		WithRegion(sarif.NewRegion().WithStartLine(line).WithStartColumn(column).WithEndLine(endLine).WithEndColumn(endColumn)))
}

// artifact returns a path relative to the repository as a URI, and as an
// absolute one where it lies elsewhere.
func (s sarifWriter) artifact(path string) *sarif.ArtifactLocation {
	if local(s.opt, path) {
		u := url.URL{Path: relative(s.opt.root(), path)}
		// Without the "./" a colon would end a scheme.
		uri := strings.ReplaceAll(strings.TrimPrefix(u.String(), "./"), ":", "%3A")
		return sarif.NewArtifactLocation().WithURI(uri).WithURIBaseID("%SRCROOT%")
	}
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a Windows volume
	}
	u := url.URL{Scheme: "file", Path: slashed}
	return sarif.NewArtifactLocation().WithURI(u.String())
}

// isText reports whether the edits of a fix can stand in JSON, which replaces
// bytes that are no UTF-8.
func isText(fix *finding.Fix) bool {
	for _, e := range fix.Edits {
		if !utf8.ValidString(e.New) {
			return false
		}
	}
	return true
}

func (s sarifWriter) fix(fix *finding.Fix) *sarif.Fix {
	var changes []*sarif.ArtifactChange
	var last *sarif.ArtifactChange
	path := ""
	for _, e := range fix.Edits {
		if last == nil || e.Path != path {
			path = e.Path
			last = sarif.NewArtifactChange().WithArtifactLocation(s.artifact(path))
			changes = append(changes, last)
		}
		line, column := s.src.position(path, e.Start)
		endLine, endColumn := s.src.position(path, e.End)
		last.AddReplacement(sarif.NewReplacement().
			WithDeletedRegion(sarif.NewRegion().WithStartLine(line).WithStartColumn(s.src.utf16Column(path, line, column)).
				WithEndLine(endLine).WithEndColumn(s.src.utf16Column(path, endLine, endColumn))).
			WithInsertedContent(sarif.NewArtifactContent().WithText(e.New)))
	}
	return sarif.NewFix().WithDescription(sarifMessage(fix.Message)).WithArtifactChanges(changes)
}
