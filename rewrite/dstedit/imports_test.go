package dstedit

import (
	"errors"
	"go/types"
	"strings"
	"testing"
)

const useDecl = "\nfunc f() {\n\ta()\n}\n"

func TestImport(t *testing.T) {
	tests := []struct {
		name    string
		header  string // of the file, which useDecl follows
		decl    string // instead of useDecl
		path    string
		local   string // the name that Import gives
		want    string // the header afterwards
		refused string
	}{
		{
			name: "none", path: "context", local: "context",
			header: "package p\n",
			want:   "package p\n\nimport \"context\"\n",
		},
		{
			name: "none, comment after the package clause", path: "context", local: "context",
			header: "// doc\npackage p // why\n\n// free\n",
			want:   "// doc\npackage p // why\n\nimport \"context\"\n\n// free\n",
		},
		{
			name: "present", path: "context", local: "context",
			header: "package p\n\nimport \"context\"\n",
			want:   "package p\n\nimport \"context\"\n",
		},
		{
			name: "present with alias", path: "context", local: "ctx",
			header: "package p\n\nimport ctx \"context\"\n",
			want:   "package p\n\nimport ctx \"context\"\n",
		},
		{
			name: "lone import", path: "context", local: "context",
			header: "package p\n\nimport \"fmt\"\n",
			want:   "package p\n\nimport (\n\t\"context\"\n\t\"fmt\"\n)\n",
		},
		{
			name: "lone import that sorts first", path: "time", local: "time",
			header: "package p\n\nimport str \"strings\"\n",
			want:   "package p\n\nimport (\n\tstr \"strings\"\n\t\"time\"\n)\n",
		},
		{
			name: "lone import of another kind", path: "time", local: "time",
			header: "package p\n\nimport \"github.com/a/b\"\n",
			want:   "package p\n\nimport (\n\t\"time\"\n\n\t\"github.com/a/b\"\n)\n",
		},
		{
			name: "lone import with comment", path: "time", local: "time",
			header: "package p\n\nimport \"fmt\" // why\n",
			want:   "package p\n\nimport \"fmt\" // why\nimport \"time\"\n",
		},
		{
			name: "several lone imports", path: "context", local: "context",
			header: "package p\n\nimport \"bytes\"\n\n// of fmt\nimport \"fmt\"\n",
			want:   "package p\n\nimport \"bytes\"\n\nimport \"context\"\n\n// of fmt\nimport \"fmt\"\n",
		},
		{
			name: "empty block", path: "context", local: "context",
			header: "package p\n\nimport ()\n",
			want:   "package p\n\nimport (\n\t\"context\"\n)\n",
		},
		{
			name: "sorted into the standard group", path: "fmt", local: "fmt",
			header: "package p\n\nimport (\n\t\"bytes\" // b\n\t// of io\n\t\"io\"\n\n\t\"github.com/a/b\"\n)\n",
			want:   "package p\n\nimport (\n\t\"bytes\" // b\n\t\"fmt\"\n\t// of io\n\t\"io\"\n\n\t\"github.com/a/b\"\n)\n",
		},
		{
			name: "end of the standard group", path: "time", local: "time",
			header: "package p\n\nimport (\n\t\"bytes\"\n\t\"io\" // i\n\n\t\"github.com/a/b\"\n)\n",
			want:   "package p\n\nimport (\n\t\"bytes\"\n\t\"io\" // i\n\t\"time\"\n\n\t\"github.com/a/b\"\n)\n",
		},
		{
			name: "comments are aligned again", path: "strings", local: "strings",
			header: "package p\n\nimport (\n\t\"os\"            // o\n\t\"path/filepath\" // p\n\t\"time\"          // t\n)\n",
			want:   "package p\n\nimport (\n\t\"os\"            // o\n\t\"path/filepath\" // p\n\t\"strings\"\n\t\"time\" // t\n)\n",
		},
		{
			name: "no standard group", path: "time", local: "time",
			header: "package p\n\nimport (\n\t// of b\n\t\"github.com/a/b\"\n)\n",
			want:   "package p\n\nimport (\n\t\"time\"\n\n\t// of b\n\t\"github.com/a/b\"\n)\n",
		},
		{
			name: "no foreign group", path: "golang.org/x/sync/errgroup", local: "errgroup",
			header: "package p\n\nimport (\n\t\"time\" // t\n)\n",
			want:   "package p\n\nimport (\n\t\"time\" // t\n\n\t\"golang.org/x/sync/errgroup\"\n)\n",
		},
		{
			name: "longest common prefix", path: "our.org/x/sync", local: "sync",
			header: "package p\n\nimport (\n\t\"fmt\"\n\n\t\"github.com/a/b\"\n\n\t\"our.org/x/util\"\n\t\"our.org/y\"\n)\n",
			want:   "package p\n\nimport (\n\t\"fmt\"\n\n\t\"github.com/a/b\"\n\n\t\"our.org/x/sync\"\n\t\"our.org/x/util\"\n\t\"our.org/y\"\n)\n",
		},
		{
			name: "cgo alone", path: "time", local: "time",
			header: "package p\n\n/*\n#include <stdio.h>\n*/\nimport \"C\"\n",
			want:   "package p\n\n/*\n#include <stdio.h>\n*/\nimport \"C\"\n\nimport \"time\"\n",
		},
		{
			name: "cgo before a block", path: "time", local: "time",
			header: "package p\n\n// #include <stdio.h>\nimport \"C\"\n\nimport (\n\t\"fmt\"\n)\n",
			want:   "package p\n\n// #include <stdio.h>\nimport \"C\"\n\nimport (\n\t\"fmt\"\n\t\"time\"\n)\n",
		},
		{
			name: "cgo in a block", path: "bytes", local: "bytes",
			header: "package p\n\nimport (\n\t// #include <stdio.h>\n\t\"C\"\n\n\t\"fmt\"\n)\n",
			want:   "package p\n\nimport (\n\t// #include <stdio.h>\n\t\"C\"\n\n\t\"bytes\"\n\t\"fmt\"\n)\n",
		},
		{
			name: "blank import of it", path: "time", local: "time",
			header: "package p\n\nimport (\n\t\"fmt\"\n\t_ \"time\"\n)\n",
			want:   "package p\n\nimport (\n\t\"fmt\"\n\t\"time\"\n\t_ \"time\"\n)\n",
		},
		{
			name: "dot import of it", path: "time", local: "time",
			header: "package p\n\nimport . \"time\"\n",
			want:   "package p\n\nimport (\n\t\"time\"\n\t. \"time\"\n)\n",
		},
		{
			name: "CRLF", path: "context", local: "context",
			header: "package p\r\n\r\nimport (\r\n\t\"fmt\" // f\r\n)\r\n",
			want:   "package p\r\n\r\nimport (\r\n\t\"context\"\r\n\t\"fmt\" // f\r\n)\r\n",
		},
		{
			name: "block on one line", path: "context", local: "context",
			header: "package p\n\nimport ( \"fmt\" )\n",
			want:   "package p\n\nimport ( \"fmt\" )\n\nimport \"context\"\n",
		},
		{
			name: "name of another import", path: "math/rand", local: "randpkg",
			header: "package p\n\nimport \"crypto/rand\"\n",
			want:   "package p\n\nimport (\n\t\"crypto/rand\"\n\trandpkg \"math/rand\"\n)\n",
		},
		{
			name: "name of the package scope", path: "time", local: "timepkg",
			header: "package p\n\nvar time, timepk int\n",
			want:   "package p\n\nimport timepkg \"time\"\n\nvar time, timepk int\n",
		},
		{
			name: "name of another file", path: "time", local: "timepkg",
			header: "package p\n\nvar v = time()\n",
			want:   "package p\n\nimport timepkg \"time\"\n\nvar v = time()\n",
		},
		{
			name: "local of another function", path: "time", local: "time",
			header: "package p\n\nfunc g(time int) int { return time }\n",
			want:   "package p\n\nimport \"time\"\n\nfunc g(time int) int { return time }\n",
		},
		{
			name: "local", path: "time", local: "timepkg",
			header: "package p\n",
			decl:   "\nfunc f(time int) {\n\ta()\n}\n",
			want:   "package p\n\nimport timepkg \"time\"\n",
		},
		{
			name: "shadowed", path: "time", refused: "the import time is shadowed",
			header: "package p\n\nimport \"time\"\n",
			decl:   "\nfunc f() {\n\ta()\n\ttime := time.Now()\n}\n",
		},
		{
			name: "version", path: "math/rand/v2", local: "rand",
			header: "package p\n",
			want:   "package p\n\nimport \"math/rand/v2\"\n",
		},
		{
			name: "name not known", path: "our.org/go-x", refused: "the name of package \"our.org/go-x\" is not known",
			header: "package p\n",
		},
		{
			name: "cgo", path: "C", refused: "cannot be added",
			header: "package p\n",
		},
		{
			name: "code after the package clause", path: "time", refused: "shares its line",
			header: "package p; var v int\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			decl := tt.decl
			if decl == "" {
				decl = useDecl
			}
			if strings.Contains(tt.header, "\r\n") {
				decl = crlf(decl)
			}
			tr := parse(t, tt.header+decl)
			got, local, err := importAndInsert(tr, tt.path)
			if tt.refused != "" {
				if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), tt.refused) {
					t.Fatalf("error = %v, want a refusal with %q", err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if local != tt.local {
				t.Errorf("name %q, want %q", local, tt.local)
			}
			eol := defaultEOL([]byte(tr.src))
			want := tt.want + strings.Replace(decl, "\ta()"+eol, "\ta()"+eol+"\tx()"+eol, 1)
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// importAndInsert imports path and inserts a statement after a().
func importAndInsert(tr *tree, path string, opts ...Option) (got, local string, err error) {
	got, _, err = tr.rewrite(func(d *Decl) error {
		if local, err = d.Import(path); err != nil {
			return err
		}
		return d.InsertAfter(tr.stmt("a()"), x())
	}, opts...)
	return got, local, err
}

func TestImportSeveral(t *testing.T) {
	tr := parse(t, "\ufeffpackage p\n"+useDecl)
	got, edits, err := tr.rewrite(func(d *Decl) error {
		for _, path := range []string{"time", "github.com/a/b", "context", "time"} {
			if _, err := d.Import(path); err != nil {
				return err
			}
		}
		return d.InsertAfter(tr.stmt("a()"), x())
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "\ufeffpackage p\n\nimport (\n\t\"context\"\n\t\"time\"\n\n\t\"github.com/a/b\"\n)\n" +
		strings.Replace(useDecl, "a()\n", "a()\n\tx()\n", 1)
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if len(edits) != 2 {
		t.Errorf("edits = %+v", edits)
	}
}

func TestImportWithPackage(t *testing.T) {
	pkg := types.NewPackage("our.org/p", "p")
	pkg.Scope().Insert(types.NewVar(0, pkg, "time", types.Typ[types.Int]))
	pkg.SetImports([]*types.Package{types.NewPackage("our.org/go-x", "odd")})

	tr := parse(t, "package p\n\nimport \"our.org/go-x\"\n"+useDecl)
	if _, local, err := importAndInsert(tr, "our.org/go-x", WithPackage(pkg)); err != nil || local != "odd" {
		t.Errorf("the known name is %q, %v", local, err)
	}
	if _, local, err := importAndInsert(tr, "time", WithPackage(pkg)); err != nil || local != "timepkg" {
		t.Errorf("beside a package-level time the name is %q, %v", local, err)
	}
}
