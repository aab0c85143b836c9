package rules_test

import (
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest"
	"github.com/goroutinefix/goroutinefix/rules"
)

func TestLaw(t *testing.T) {
	rewritetest.Law(t, rules.All(), "../fixtures", "../golden")
}
