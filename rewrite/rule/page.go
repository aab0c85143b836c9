package rule

import (
	"go/parser"
	"go/token"
)

// Page returns the page of a rule, which is the documentation of its package, from
// the source of the file that has it: what users read stands where the rule is written.
func Page(source string) string {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		panic(err) // the compiler has read it
	}
	return file.Doc.Text()
}
