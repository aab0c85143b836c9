package report

import (
	"fmt"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// A table says more than the summary line where there are several rules and
// more findings than one sees at once.
const (
	tableRules    = 2
	tableFindings = 10
)

// headings are the words for statuses above the columns of a table.
var headings = map[finding.Status]string{
	finding.UnsafeHidden: "unsafe", finding.WouldNotCompile: "no compile", finding.NoFix: "no fix",
}

// table returns a table that accounts for every finding, a line for each rule
// and a column for each status that occurs, or nil where the summary line does.
func table(findings []finding.Finding, opt Options) []string {
	rules := rulesOf(findings, opt)
	if len(rules) < tableRules || len(findings) <= tableFindings {
		return nil
	}
	total := count(findings)
	var columns []finding.Status
	head := []string{"", "findings"}
	for _, s := range statuses {
		if total[s] > 0 {
			columns = append(columns, s)
			name := headings[s]
			if name == "" {
				name = string(s)
			}
			head = append(head, name)
		}
	}
	row := func(name string, n map[finding.Status]int) []string {
		cells, sum := []string{name, ""}, 0
		for _, s := range columns {
			sum += n[s]
			cell := "-"
			if n[s] > 0 {
				cell = fmt.Sprint(n[s])
			}
			cells = append(cells, cell)
		}
		cells[1] = fmt.Sprint(sum)
		return cells
	}
	byRule := map[string]map[finding.Status]int{}
	for i := range findings {
		f := &findings[i]
		if byRule[f.Rule] == nil {
			byRule[f.Rule] = map[finding.Status]int{}
		}
		byRule[f.Rule][f.Status]++
	}
	rows := [][]string{head}
	for _, r := range rules {
		rows = append(rows, row(r, byRule[r]))
	}
	rows = append(rows, row("all", total))

	width := make([]int, len(head))
	for _, r := range rows {
		for i, c := range r {
			width[i] = max(width[i], len(c))
		}
	}
	var lines []string
	for _, r := range rows {
		line := fmt.Sprintf("%-*s", width[0], r[0])
		for i := 1; i < len(r); i++ {
			line += fmt.Sprintf("  %*s", width[i], r[i])
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}
