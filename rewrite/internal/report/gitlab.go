package report

import (
	"fmt"
	"io"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

type gitlabIssue struct {
	Description string         `json:"description"`
	CheckName   string         `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
}

type gitlabLocation struct {
	Path  string      `json:"path"`
	Lines gitlabLines `json:"lines"`
}

type gitlabLines struct {
	Begin int `json:"begin"`
	End   int `json:"end"`
}

// GitLab writes the run as a code quality report of GitLab: an array of
// issues, paths relative to the repository. GitLab takes issues with the same
// fingerprint for one, so these differ. The format has no place for what was
// not analysed; it becomes a blocker at the top of the repository.
func GitLab(w io.Writer, run Run, opt Options) error {
	issues := []gitlabIssue{}
	unique := fingerprints(run.Findings)
	for i := range run.Findings {
		f := &run.Findings[i]
		issues = append(issues, gitlabIssue{
			Description: fmt.Sprintf("%s (%s)", oneLine(f.Message), oneLine(verdict(f))),
			CheckName:   f.Rule,
			Fingerprint: unique[i],
			Severity:    gitlabSeverity(f),
			Location:    gitlabLocation{relative(opt.root(), f.Place.Path), gitlabLines{max(1, f.Place.Line), max(1, f.Place.Line, f.Place.EndLine)}},
		})
	}
	for _, p := range problems(run) {
		// A stand-in for a finding: what tells it apart is its text.
		id := finding.Finding{Rule: "incomplete", Message: p}
		issues = append(issues, gitlabIssue{
			Description: p, CheckName: "incomplete", Fingerprint: id.Fingerprint(), Severity: "blocker",
			Location: gitlabLocation{".", gitlabLines{1, 1}},
		})
	}
	return encode(w, issues)
}

func gitlabSeverity(f *finding.Finding) string {
	switch {
	case settled(f):
		return "info"
	case inTest(f):
		return "minor"
	}
	return "major"
}
