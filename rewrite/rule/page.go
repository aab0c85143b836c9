package rule

import (
	"go/ast"
	"strings"
)

// Page returns the page of a rule, which is the documentation of its package, from
// the source of the file that has it: what users read stands where the rule is
// written. The file is not parsed, because this runs at each start of the program.
func Page(source string) string {
	above, _, found := strings.Cut(source, "\npackage ")
	if !found {
		panic("no documentation above the package clause") // a mistake of the build
	}
	var page ast.CommentGroup
	for line := range strings.Lines(above) {
		page.List = append(page.List, &ast.Comment{Text: strings.TrimSuffix(line, "\n")})
	}
	return page.Text()
}
