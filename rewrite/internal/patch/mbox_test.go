package patch

import (
	"bytes"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// TestMbox sends every tree through git am.
func TestMbox(t *testing.T) {
	isolate(t)
	for name, tree := range forms() {
		t.Run(name, func(t *testing.T) {
			dir, changes := repo(t, tree)
			box, err := Mbox([]Commit{{Subject: "größe: a subject: with\nodd things", Body: hostile, Changes: changes}}, Options{Root: dir})
			if err != nil {
				t.Fatal(err)
			}
			run(t, dir, box, "git", "am", "-q")
			check(t, dir, tree)
			message := run(t, dir, nil, "git", "log", "-1", "--format=%an <%ae>%n%B")
			want := "t <t@example.com>\ngröße: a subject: with odd things\n\n" + hostileWant
			if strings.TrimRight(message, "\n")+"\n" != want {
				t.Errorf("got\n%s\nwant\n%s", message, want)
			}
		})
	}
}

// hostile is text in which git would see a header, a patch and another message.
const hostile = `From: somebody else <x@example.com>
Why it leaks: a channel.

From 0000 Mon Sep 17 00:00:00 2001
---
--- a/p.go
diff --git a/x b/x
Index: x
`

const hostileWant = ` From: somebody else <x@example.com>
Why it leaks: a channel.

 From 0000 Mon Sep 17 00:00:00 2001
 ---
 --- a/p.go
 diff --git a/x b/x
 Index: x
`

// TestMboxSeries changes one file in two steps.
func TestMboxSeries(t *testing.T) {
	isolate(t)
	tree := map[string][2]string{"a.go": {"package a\n\nvar x = 1\n", "package a\n\nvar x = 3\n"}}
	dir, changes := repo(t, tree)
	first, second := changes[0], changes[0]
	first.New = []byte("package a\n\nvar x = 2\n")
	second.Old = first.New
	box, err := Mbox([]Commit{{Subject: "one", Changes: []finding.FileChange{first}}, {Subject: "two", Body: "b", Changes: []finding.FileChange{second}}}, Options{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(box, []byte("Subject: [PATCH 1/2] one\n")) {
		t.Errorf("got\n%s", box)
	}
	run(t, dir, box, "git", "am", "-q")
	check(t, dir, tree)
	if got := run(t, dir, nil, "git", "log", "--format=%s"); got != "two\none\nold\n" {
		t.Errorf("log %q", got)
	}
}

func TestAuthor(t *testing.T) {
	isolate(t)
	if got := author(Options{Root: t.TempDir()}); got != nobody {
		t.Errorf("outside of a repository: %s", got)
	}
	dir := t.TempDir()
	run(t, dir, nil, "git", "init", "-q")
	for name, want := range map[string]string{
		"A B": "A B <t@example.com>", "B, A. C": `"B, A. C" <t@example.com>`, "Ä B": "=?UTF-8?q?=C3=84_B?= <t@example.com>",
	} {
		t.Setenv("GIT_AUTHOR_NAME", name)
		if got := author(Options{Root: dir}); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := author(Options{Root: dir, NoGit: true}); got != nobody {
		t.Errorf("without git: %s", got)
	}
}
