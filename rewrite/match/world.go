package match

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// World knowledge: what functions do that are not loaded with their bodies.
// Each table is closed; a function that is not in it is unknown, and unknown
// means silent.

// neverReturn lists functions after which nothing of the caller runs, other
// than deferred calls.
var neverReturn = map[string]bool{
	"os.Exit": true, "syscall.Exit": true, "runtime.Goexit": true,
	"log.Fatal": true, "log.Fatalf": true, "log.Fatalln": true,
	"log.Panic": true, "log.Panicf": true, "log.Panicln": true,
	"(*log.Logger).Fatal": true, "(*log.Logger).Fatalf": true, "(*log.Logger).Fatalln": true,
	"(*log.Logger).Panic": true, "(*log.Logger).Panicf": true, "(*log.Logger).Panicln": true,
}

// fatalMethods end the test or the process in these packages, whatever their receiver.
var fatalMethods = map[string]map[string]bool{
	"testing":                             set("Fatal", "Fatalf", "FailNow", "Skip", "Skipf", "SkipNow"),
	"go.uber.org/zap":                     set("Fatal", "Fatalf", "Fatalw", "Fatalln", "Panic", "Panicf", "Panicw", "Panicln"),
	"github.com/sirupsen/logrus":          set("Fatal", "Fatalf", "Fatalln", "Exit", "Panic", "Panicf", "Panicln"),
	"k8s.io/klog/v2":                      set("Fatal", "Fatalf", "Fatalln", "Exit", "Exitf", "Exitln"),
	"k8s.io/klog":                         set("Fatal", "Fatalf", "Fatalln", "Exit", "Exitf", "Exitln"),
	"github.com/golang/glog":              set("Fatal", "Fatalf", "Fatalln", "Exit", "Exitf", "Exitln"),
	"github.com/stretchr/testify/require": set("Fail", "Failf", "FailNow", "FailNowf"),
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// ends reports whether call, of fn, is known by the tables to end the goroutine,
// the test or the process.
func (p *Pass) ends(call *ast.CallExpr, fn *types.Func) bool {
	return neverReturn[p.FullName(call)] || fatalMethods[fn.Pkg().Path()][fn.Name()]
}

// NeverReturns reports whether control does not come back from call.
func (p *Pass) NeverReturns(call *ast.CallExpr) bool {
	if p.IsBuiltin(call, "panic") {
		return true
	}
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil {
		return false
	}
	if p.ends(call, fn) {
		return true
	}
	return p.Facts.NeverReturns(fn)
}

// requireNoError lists testify's checks that end the test unless the error is
// nil, with the index of the error among the arguments behind t.
var requireNoError = set("NoError", "NoErrorf", "Nil", "Nilf")

// requiredNil returns the error that is certainly nil once call, one of
// testify's checks such as require.NoError(t, err), has returned; nil for other calls.
func (p *Pass) requiredNil(call *ast.CallExpr) ast.Expr {
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "github.com/stretchr/testify/require" || !requireNoError[fn.Name()] {
		return nil
	}
	i := 1
	if fn.Signature().Recv() != nil {
		i = 0
	}
	if i < len(call.Args) && typeis.Error(p.TypesInfo.TypeOf(call.Args[i])) {
		return call.Args[i]
	}
	return nil
}

// expectError lists testify's checks that the error is set.
var expectError = set("Error", "Errorf", "ErrorIs", "ErrorIsf", "ErrorAs", "ErrorAsf", "ErrorContains", "ErrorContainsf",
	"EqualError", "EqualErrorf", "NotNil", "NotNilf")

// ExpectsError reports whether n is a check of a test that err is set: what
// comes with the error is nil then, unless the test fails.
func (p *Pass) ExpectsError(n ast.Node, err *types.Var) bool {
	es, ok := n.(*ast.ExprStmt)
	if !ok || err == nil {
		return false
	}
	call, ok := ast.Unparen(es.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	if p.demandsError(call, err) {
		return true
	}
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil || !expectError[fn.Name()] || !p.Mentions(call, err) {
		return false
	}
	path := fn.Pkg().Path()
	return path == "github.com/stretchr/testify/require" || path == "github.com/stretchr/testify/assert"
}

// FailsTest reports whether n marks a test as failed and goes on. What leaks on
// the way to a failing test's end is nobody's concern.
func (p *Pass) FailsTest(n ast.Node) bool {
	es, ok := n.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := ast.Unparen(es.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "testing" {
		return false
	}
	return fn.Name() == "Error" || fn.Name() == "Errorf" || fn.Name() == "Fail"
}

// readers lists functions that read from an argument and neither close it nor
// keep it beyond the value they return, with the index of that argument.
var readers = map[string]int{
	"io.ReadAll": 0, "io/ioutil.ReadAll": 0, "io.Copy": 1, "io.CopyN": 1, "io.CopyBuffer": 1,
	"io.ReadFull": 0, "io.ReadAtLeast": 0, "encoding/binary.Read": 0,
	"fmt.Fscan": 0, "fmt.Fscanf": 0, "fmt.Fscanln": 0,
	"(*bytes.Buffer).ReadFrom": 0, "(*bufio.Writer).ReadFrom": 0, "(*strings.Reader).WriteTo": 0,
	"image.Decode": 0, "image/png.Decode": 0, "image/jpeg.Decode": 0, "image/gif.Decode": 0,
}

// readerMakers return a reader or decoder on top of an argument; closing the
// result, where it can be closed, does not close the argument.
var readerMakers = map[string]int{
	"encoding/json.NewDecoder": 0, "encoding/xml.NewDecoder": 0, "encoding/gob.NewDecoder": 0,
	"encoding/csv.NewReader": 0, "encoding/base64.NewDecoder": 1, "encoding/hex.NewDecoder": 0,
	"bufio.NewReader": 0, "bufio.NewReaderSize": 0, "bufio.NewScanner": 0,
	"io.LimitReader": 0, "io.TeeReader": 0, "io.NopCloser": 0, "io/ioutil.NopCloser": 0,
	"compress/gzip.NewReader": 0, "compress/zlib.NewReader": 0, "compress/flate.NewReader": 0,
	"compress/bzip2.NewReader": 0, "archive/tar.NewReader": 0, "mime/multipart.NewReader": 0,
}

// lookers lists functions that do nothing with their arguments but look at
// them, by package and name, whatever their receiver.
var lookers = table(map[string]string{
	"fmt": "Errorf Fprint Fprintf Fprintln Fscan Fscanf Fscanln Print Printf Println Scan Scanf Scanln " +
		"Sprint Sprintf Sprintln Sscan Sscanf Sscanln",
	"log":               "Fatal Fatalf Fatalln Output Panic Panicf Panicln Print Printf Println",
	"testing":           "Error Errorf Fatal Fatalf Log Logf Skip Skipf",
	"reflect":           "DeepEqual",
	"net/http/httputil": "DumpResponse",
})

// looksOnly reports whether fn does nothing with its arguments but look at
// them: printing, formatting, test assertions.
func looksOnly(fn *types.Func) bool {
	if fn.Pkg() == nil {
		return false
	}
	switch path := fn.Pkg().Path(); path {
	case "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require":
		return !runsFunc[strings.TrimSuffix(fn.Name(), "f")]
	default:
		return lookers[path][fn.Name()]
	}
}

// runsFunc lists testify's checks that run a function, or keep what they are made of.
var runsFunc = set("Condition", "Eventually", "EventuallyWithT", "Never", "New")
