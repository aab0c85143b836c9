package dstedit

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// FuzzRewrite makes an edit in a source: the result is what was asked for, with
// all else as it was, or the edit is refused.
func FuzzRewrite(f *testing.F) {
	for _, name := range []string{
		"sync/oncefunc.go", "bufio/export_test.go", "errors/join.go", "time/tick.go", "io/multi.go",
	} {
		if src, err := os.ReadFile(filepath.Join(runtime.GOROOT(), "src", filepath.FromSlash(name))); err == nil {
			for i := range scaleOps {
				f.Add(src, uint16(i), uint16(i), uint16(7*i))
			}
		}
	}
	for _, src := range []string{
		body("\ta() // a\n\n\t// b\n\tc(d,\n\t\te, // e\n\t)\n\tch <- 1 // send\n"),
		body("\tswitch x := y.(type) {\n\tcase a: // a\n\t\tb()\n\t\t// end\n\tdefault:\n\t}\nl:\n\tfor {\n\t\tbreak l\n\t}\n"),
		body("if(a){b();c()};go func(){d()}()\n/* x */ if v := w(); v { return }\n"),
		crlf(body("    a(`\n  raw`)\n    /* b\n       c */\n    d = e\n")),
		"package p; import \"C\"; func f() { a() }; func g() { b() }",
		"\ufeff// c\npackage p\nimport (\n\"a\" // a\n/* b */ \"b\"\n)\nvar x = func(a, b int) { c(a) }",
		"package p\n\nfunc a()    { x() } // a\nfunc bcd(e) { y() } // b\n",
	} {
		for i := range scaleOps {
			f.Add([]byte(src), uint16(i), uint16(0), uint16(i))
			f.Add([]byte(src), uint16(i), uint16(1), uint16(3*i))
		}
	}
	// With -fuzzminimizetime=10x: to minimize an input by default takes a minute.
	f.Fuzz(func(t *testing.T, src []byte, kind, which, place uint16) {
		if len(src) > 1<<14 {
			return
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "x.go", src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil || len(file.Decls) == 0 {
			return
		}
		op, decl := scaleOps[int(kind)%len(scaleOps)], file.Decls[int(which)%len(file.Decls)]
		if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			return
		}
		s := newScaleFile(fset, file, src)
		all := op.find(s.places(decl))
		if len(all) == 0 {
			return
		}
		p := all[int(place)%len(all)]
		edits, err := s.edited.Rewrite(decl, p.edit)
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Fatal(err)
			}
			return
		}
		reason := s.wrongDecl(decl, op, p, edits)
		if reason == "" {
			reason = s.wrongFile(edits)
		}
		if reason != "" {
			t.Errorf("%s at byte %d: %s\n%+v\n%s", op.name, s.tf.Offset(p.at.Pos()), reason, edits, Apply(src, edits))
		}
	})
}
