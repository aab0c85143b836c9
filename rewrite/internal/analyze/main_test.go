package analyze

import (
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/trimpath"
)

func TestMain(m *testing.M) { trimpath.Main(m) }
