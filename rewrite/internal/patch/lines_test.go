package patch

import (
	"fmt"
	"strings"
	"testing"
)

// TestSlide pins where an insertion is shown that could stand at several places.
func TestSlide(t *testing.T) {
	a := splitLines([]byte("func a() {\n\tx()\n}\n\nfunc c() {\n\tz()\n}\n"))
	b := splitLines([]byte("func a() {\n\tx()\n}\n\nfunc b() {\n\ty()\n}\n\nfunc c() {\n\tz()\n}\n"))
	if got, want := diffLines(a, b), (span{4, 4, 4, 8}); len(got) != 1 || got[0] != want {
		t.Errorf("got %v, want %v", got, want)
	}
	a = splitLines([]byte("\tif a {\n\t\treturn\n\t}\n\tx()\n"))
	b = splitLines([]byte("\tif a {\n\t\treturn\n\t}\n\tif b {\n\t\treturn\n\t}\n\tx()\n"))
	if got, want := diffLines(a, b), (span{3, 3, 3, 6}); len(got) != 1 || got[0] != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestLimits checks that texts go-diff cannot take still give a diff, and soon.
func TestLimits(t *testing.T) {
	var a, b strings.Builder
	for i := range 510_000 {
		fmt.Fprintf(&a, "a%d\n", i)
		fmt.Fprintf(&b, "b%d\n", i)
	}
	if got := diffLines(splitLines([]byte(a.String())), splitLines([]byte(b.String()))); len(got) != 1 {
		t.Errorf("got %d changes, want 1", len(got))
	}
}

func TestFuncName(t *testing.T) {
	tests := []struct{ text, want string }{
		{"package p\n", "package p"},
		{"package p\n\nfunc F() { \r\n\tx()\n", "func F() {"},
		{"func F() {\nloop:\n\tfor {\n", "func F() {"},
		{"\tx()\n}\n", ""},
		{"_ = x\n", "_ = x"},
		{"func " + strings.Repeat("ü", 60) + "()\n", "func " + strings.Repeat("ü", 37)},
	}
	for _, tt := range tests {
		if got := funcName(splitLines([]byte(tt.text))); got != tt.want {
			t.Errorf("funcName(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestColor(t *testing.T) {
	diff := "# why\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n---- a\n+b\n c\n"
	want := "\x1b[33m# why\x1b[m\n\x1b[1mdiff --git a/x b/x\x1b[m\n\x1b[1m--- a/x\x1b[m\n\x1b[1m+++ b/x\x1b[m\n" +
		"\x1b[36m@@ -1 +1 @@\x1b[m\n\x1b[31m---- a\x1b[m\n\x1b[32m+b\x1b[m\n c\n"
	if got := string(Color([]byte(diff))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// Code that drives the terminal, in a line of a file with CRLF.
	diff = "@@ -1 +1 @@\n\ta\x1b[2K\r\u202e\x9b\r\n"
	want = "\x1b[36m@@ -1 +1 @@\x1b[m\n\ta\\x1b[2K\\x0d\\u202e\\x9b\r\n"
	if got := string(Color([]byte(diff))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
