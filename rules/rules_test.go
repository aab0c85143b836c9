package rules_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/cli"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest"
	"github.com/goroutinefix/goroutinefix/rules"
)

func TestLaw(t *testing.T) {
	all := rules.All()
	program := func(args ...string) (out, errs []byte, code int) {
		var stdout, stderr bytes.Buffer
		code = cli.Main(t.Context(), cli.IO{Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr}, all)
		return stdout.Bytes(), stderr.Bytes(), code
	}
	rewritetest.Law(t, all, program, "../fixtures", "../golden")
}
