package oracle

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

//go:embed rt/*.go stub/*.go errgroup/*.go
var runtimes embed.FS

// perPackage is how many units share a package.
const perPackage = 40

// writeModule writes a module with a runtime, "rt" or "stub", and the given files.
func writeModule(dir, runtime string, files map[string][]byte) error {
	all := map[string][]byte{
		"go.mod":      []byte("module oracle.test\n\ngo 1.26\n\nrequire golang.org/x/sync v0.0.0\n\nreplace golang.org/x/sync => ./sync\n"),
		"sync/go.mod": []byte("module golang.org/x/sync\n\ngo 1.26\n"),
	}
	for from, to := range map[string]string{runtime: "rt", "errgroup": "sync/errgroup"} {
		entries, err := runtimes.ReadDir(from)
		if err != nil {
			return err
		}
		for _, e := range entries {
			text, err := runtimes.ReadFile(from + "/" + e.Name())
			if err != nil {
				return err
			}
			all[to+"/"+e.Name()] = text
		}
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// environ is the environment of the go command. Nobody needs the units fast or
// with debug information: what costs most is to compile them. Those of a seed that
// was judged before are in the go command's cache.
func environ() []string {
	return append(os.Environ(), "GOFLAGS=-trimpath '-gcflags=oracle.test/...=-N -l -e -dwarf=false'", "GOWORK=off")
}

var buildError = regexp.MustCompile(`(?m)^(?:vet: )?(\S*unit\d+\.go):\d+:\d+: (.*)$`)

// build runs the go command in dir until what it complains about is gone: it
// returns the files that do not compile, with the first complaint, and leaves
// them out. drop says what else must go with a file.
func build(ctx context.Context, dir string, drop func(file, why string) error, args ...string) (map[string]string, error) {
	broken := map[string]string{}
	for {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir, cmd.Env = dir, environ()
		out, err := cmd.CombinedOutput()
		if err == nil {
			return broken, nil
		}
		n := len(broken)
		for _, m := range buildError.FindAllStringSubmatch(string(out), -1) {
			file := filepath.ToSlash(filepath.Clean(m[1]))
			if _, ok := broken[file]; ok {
				continue
			}
			broken[file] = m[2]
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				return nil, err
			}
			if err := drop(file, m[2]); err != nil {
				return nil, err
			}
		}
		if n == len(broken) {
			return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// program writes and compiles the test program that runs the units, of which
// variants holds the files, as they were and as they are after the fixes, nil
// for one that did not change. It returns those that do not compile, by unit
// and variant.
func program(ctx context.Context, dir string, variants map[int][][]byte) (broken map[[2]int]string, err error) {
	files := map[string][]byte{}
	order := slices.Sorted(keys(variants))
	for i, u := range order {
		for v, src := range variants[u] {
			if src == nil {
				continue
			}
			text, err := instrument(src)
			if err != nil {
				return nil, fmt.Errorf("unit %d: %w", u, err)
			}
			files[fileName(i, u, v)] = text
		}
	}
	if err := writeModule(dir, "rt", files); err != nil {
		return nil, err
	}
	broken = map[[2]int]string{}
	registry := func() error {
		imports, list := map[string]bool{}, new(bytes.Buffer)
		for i, u := range order {
			fmt.Fprintf(list, "\t{%q, []rt.Func{", fmt.Sprint(u))
			for v, src := range variants[u] {
				pkg := packageName(i, v)
				switch {
				case src == nil || broken[[2]int{u, v}] != "":
					fmt.Fprint(list, "nil, ")
				default:
					imports[pkg] = true
					fmt.Fprintf(list, "%s.F%d, ", pkg, u)
				}
			}
			fmt.Fprintln(list, "}},")
		}
		var text strings.Builder
		text.WriteString("package main\n\nimport (\n\t\"os\"\n\t\"testing\"\n\n\t\"oracle.test/rt\"\n")
		for _, pkg := range slices.Sorted(keys(imports)) {
			fmt.Fprintf(&text, "\t%s \"oracle.test/%s\"\n", pkg, pkg)
		}
		fmt.Fprintf(&text, ")\n\nvar units = []rt.Unit{\n%s}\n\nfunc TestUnits(t *testing.T) { rt.Test(t, units); os.Exit(0) }\n", list)
		return os.WriteFile(filepath.Join(dir, "main_test.go"), []byte(text.String()), 0o666)
	}
	if err := registry(); err != nil {
		return nil, err
	}
	drop := func(file, why string) error {
		v := strings.IndexByte("bsx", file[0])
		u, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "unit"), ".go"))
		broken[[2]int{u, v}] = why
		return registry()
	}
	_, err = build(ctx, dir, drop, "test", "-c", "-vet=off", "-trimpath", "-ldflags=-s -w", "-o", "units.test", ".")
	return broken, err
}

func packageName(i, variant int) string { return fmt.Sprintf("%c%03d", "bsx"[variant], i/perPackage) }

func fileName(i, unit, variant int) string {
	return fmt.Sprintf("%s/unit%05d.go", packageName(i, variant), unit)
}

// waitable are the names of values that goroutines wait for.
var waitable = regexp.MustCompile(`^(?:ch|wg|mu|eg|svc)\d+$`)

// returns lists the return statements of the generated function of a unit.
func returns(file *ast.File) (out []*ast.ReturnStmt) {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Type.Results.NumFields() != 2 || types.ExprString(f.Type.Results.List[0].Type) != "int" {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if r, ok := n.(*ast.ReturnStmt); ok {
				out = append(out, r)
			}
			_, literal := n.(*ast.FuncLit)
			return !literal
		})
	}
	return out
}

// instrument adds to a unit what the runtime must know to run it within one
// process with others; lines stay what they are.
func instrument(src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	type edit struct {
		at, end int
		text    string
	}
	var edits []edit
	at := func(p token.Pos) int { return fset.Position(p).Offset }
	insert := func(p token.Pos, text string) { edits = append(edits, edit{at(p), at(p), text}) }
	begin := func(body *ast.BlockStmt, how string) { insert(body.Lbrace+1, " e := rt."+how+"(e); defer e.End(); ") }
	sources := 0
	replaced := map[string]string{"context.Background": "rt.Background(e", "os.Exit": "rt.Exit(e, ", "log.Fatal": "rt.Fatal(e, ",
		"http.NewRequest": "rt.NewRequest(e, context.Background(), ", "http.NewRequestWithContext": "rt.NewRequest(e, "}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "produce") {
			insert(f.Body.Lbrace+1, " e = rt.Go(e); defer e.End(); ")
		}
	}
	for _, r := range returns(file) {
		insert(r.Pos(), fmt.Sprintf("rt.Returns(e, %d); ", fset.Position(r.Pos()).Line))
	}
	method := func(e ast.Expr) (call *ast.CallExpr, recv, name string) {
		if call, ok := e.(*ast.CallExpr); ok {
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
				if id, ok := sel.X.(*ast.Ident); ok {
					return call, id.Name, sel.Sel.Name
				}
			}
		}
		return nil, "", ""
	}
	endless := map[ast.Node]bool{} // statements of loops that go on for ever
	sites := 9000
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ForStmt:
			for _, s := range n.Body.List {
				endless[s] = n.Cond == nil
			}
		case *ast.SelectStmt:
			if endless[n] {
				break
			}
			for _, s := range n.Body.List {
				comm := s.(*ast.CommClause).Comm
				if comm == nil {
					continue
				}
				ast.Inspect(comm, func(n ast.Node) bool {
					e, _ := n.(ast.Expr)
					call, recv, name := method(e)
					switch {
					case call == nil:
					case recv+name == "timeAfter":
						sites++
						edits = append(edits, edit{at(call.Pos()), at(call.Lparen) + 1, fmt.Sprintf("rt.After(e, %d, ", sites)})
					case recv+name == "ctxDone":
						sites++
						edits = append(edits, edit{at(call.Pos()), at(call.End()), fmt.Sprintf("rt.Done(e, %d, ctx)", sites)})
					}
					return true
				})
			}
		case *ast.GoStmt:
			insert(n.Pos(), "rt.Start(e); ")
			if lit, ok := n.Call.Fun.(*ast.FuncLit); ok {
				begin(lit.Body, "Go")
			}
		case *ast.AssignStmt:
			if _, recv, name := method(n.Rhs[0]); recv == "context" && strings.HasPrefix(name, "With") && len(n.Lhs) == 2 {
				if id, ok := n.Lhs[0].(*ast.Ident); ok {
					insert(n.End(), fmt.Sprintf("; rt.Made(e, %s, %q)", id.Name, id.Name))
				}
			}
			if id, ok := n.Lhs[0].(*ast.Ident); ok && n.Tok == token.DEFINE && waitable.MatchString(id.Name) {
				insert(n.End(), fmt.Sprintf("; rt.Reached(e, %q)", id.Name))
			}
		case *ast.DeclStmt:
			if spec, ok := n.Decl.(*ast.GenDecl).Specs[0].(*ast.ValueSpec); ok && waitable.MatchString(spec.Names[0].Name) {
				insert(n.End(), fmt.Sprintf("; rt.Reached(e, %q)", spec.Names[0].Name))
			}
		case *ast.DeferStmt:
			if _, recv, name := method(n.Call); name == "Wait" && strings.HasPrefix(recv, "wg") {
				edits = append(edits, edit{at(n.Call.Pos()), at(n.Call.End()), "rt.Wait(e, " + recv + ".Wait)"})
			}
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && id.Name == "sync" && n.Sel.Name == "Mutex" {
				edits = append(edits, edit{at(n.Pos()), at(n.End()), "rt.Mutex"})
			}
		case *ast.ExprStmt:
			call, recv, name := method(n.X)
			if strings.HasPrefix(recv, "eg") && name == "Go" {
				edits = append(edits, edit{at(n.Pos()), at(call.Lparen) + 1, fmt.Sprintf("rt.GroupGo(e, %s.Go, ", recv)})
				insert(call.Args[0].(*ast.FuncLit).Type.Params.Opening+1, "e *rt.E")
			}
			if !strings.HasPrefix(recv, "wg") {
				break
			}
			switch name {
			case "Wait":
				insert(n.Pos(), "rt.Waits(e); ")
				insert(n.End(), "; rt.Waited(e)")
			case "Go":
				edits = append(edits, edit{at(n.Pos()), at(call.Lparen) + 1, fmt.Sprintf("rt.WaitGo(e, %s.Add, %s.Done, ", recv, recv)})
				if lit, ok := call.Args[0].(*ast.FuncLit); ok {
					insert(lit.Type.Params.Opening+1, "e *rt.E")
				}
			}
		case *ast.CallExpr:
			call, recv, name := method(n)
			if name == "AfterFunc" {
				if lit, ok := call.Args[1].(*ast.FuncLit); ok {
					begin(lit.Body, "Call")
				}
			}
			switch {
			case recv+"."+name == "http.ReadResponse": // it may fail
				sources++
				edits = append(edits, edit{at(n.Pos()), at(n.Lparen) + 1, fmt.Sprintf("rt.ReadResponse(e, %d, ", 5000+sources)})
			case name == "Scan" && strings.HasPrefix(recv, "lines"): // there may be nothing to read
				sources++
				edits = append(edits, edit{at(n.Pos()), at(n.Rparen), fmt.Sprintf("rt.Scan(e, %d, %s", 5000+sources, recv)})
			}
			if call != nil && replaced[recv+"."+name] != "" {
				edits = append(edits, edit{at(n.Pos()), at(n.Lparen) + 1, replaced[recv+"."+name]})
			}
		}
		return true
	})
	sort.SliceStable(edits, func(i, j int) bool { return edits[i].at < edits[j].at })
	var out bytes.Buffer
	last := 0
	for _, e := range edits {
		out.Write(src[last:e.at])
		out.WriteString(e.text)
		last = e.end
	}
	out.Write(src[last:])
	for _, imp := range file.Imports {
		switch imp.Path.Value {
		case `"os"`:
			out.WriteString("\nvar _ = os.Exit\n")
		case `"sync"`:
			out.WriteString("\nvar _ sync.Mutex\n")
		case `"log"`:
			out.WriteString("\nvar _ = log.Fatal\n")
		}
	}
	return out.Bytes(), nil
}
