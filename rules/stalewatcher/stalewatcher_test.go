package stalewatcher_test

import (
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest"
	"github.com/goroutinefix/goroutinefix/rules"
)

func TestRule(t *testing.T) { rewritetest.Rule(t, rules.All(), "stalewatcher") }
