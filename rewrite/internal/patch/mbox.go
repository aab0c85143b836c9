package patch

import (
	"bytes"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// Commit is one commit of a series.
type Commit struct {
	Subject string // one line
	Body    string // lines of text, may be empty
	// Changes lead from the state that the commits before have left; the
	// findings in them are not printed.
	Changes []finding.FileChange
}

// magicDate is what git itself writes into the line that starts a message in
// an mbox: it says that the message is a patch, and no time.
const magicDate = "Mon Sep 17 00:00:00 2001"

// nobody is the author where git knows of none.
const nobody = "goroutinefix <goroutinefix@localhost>"

// Mbox returns the commits as a mailbox for "git am". The author is the one
// that git would take for a commit in the repository. There is no date, so that
// the output is the same in every run; git puts in the time of applying.
func Mbox(commits []Commit, opt Options) ([]byte, error) {
	var out bytes.Buffer
	from := author(opt)
	for i, c := range commits {
		changes := make([]finding.FileChange, len(c.Changes))
		for j, ch := range c.Changes {
			ch.Findings = nil
			changes[j] = ch
		}
		diff, err := Unified(changes, opt)
		if err != nil {
			return nil, err
		}
		text := body(c.Body) + "---\n\n" + string(diff) + "-- \ngoroutinefix\n"

		number := ""
		if len(commits) > 1 {
			number = fmt.Sprintf(" %d/%d", i+1, len(commits))
		}
		fmt.Fprintf(&out, "From %040d %s\nFrom: %s\n", 0, magicDate, from)
		fmt.Fprintf(&out, "Subject: %s\n", foldHeader("[PATCH"+number+"] "+oneLine(c.Subject)))
		encoding := "8bit"
		if needsEncoding(text) {
			// git am takes a bare CR at the end of a line for the mailer's.
			encoding, text = "quoted-printable", encode(text)
		}
		fmt.Fprintf(&out, "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: %s\n\n%s\n", encoding, text)
	}
	return out.Bytes(), nil
}

// author returns the author of commits as a header field.
func author(opt Options) string {
	if opt.NoGit {
		return nobody
	}
	if _, err := os.Lstat(filepath.Join(opt.Root, ".git")); err != nil {
		return nobody
	}
	// "Name <address> time zone"; an error where git does not know it.
	out, err := git(opt.Root, nil, "var", "GIT_AUTHOR_IDENT")
	if err != nil {
		return nobody
	}
	name, rest, ok := strings.Cut(oneLine(string(out)), " <")
	address, _, ok2 := strings.Cut(rest, ">")
	if !ok || !ok2 || strings.ContainsAny(address, "<\"") {
		return nobody
	}
	return fmt.Sprintf("%s <%s>", headerName(name), address)
}

// headerName returns a name as it stands before an address.
func headerName(name string) string {
	for _, r := range name {
		switch {
		case r >= 0x7f:
			return mime.QEncoding.Encode("UTF-8", name)
		case strings.ContainsRune(`()<>[]:;@\,."`, r):
			return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
		}
	}
	return name
}

// foldHeader encodes a header that is not ASCII; the encoded words stand on
// lines of their own, which git joins.
func foldHeader(s string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("UTF-8", s), "?= =?", "?=\n =?")
}

// body returns the text of a message so that nothing in it is taken for the
// start of a patch, of another message or of a header.
func body(text string) string {
	var b strings.Builder
	first := true
	for line := range strings.Lines(strings.Trim(text, "\n")) {
		line = strings.TrimRight(line, "\r\n")
		name, _, isHeader := strings.Cut(line, ":")
		if strings.HasPrefix(line, "---") || strings.HasPrefix(line, "diff ") || strings.HasPrefix(line, "Index: ") ||
			strings.HasPrefix(line, "From ") || strings.HasPrefix(line, ">From ") ||
			first && isHeader && !strings.Contains(name, " ") {
			b.WriteByte(' ')
		}
		b.WriteString(line + "\n")
		first = false
	}
	return b.String()
}

// needsEncoding reports whether a mail must not hold text as it is.
func needsEncoding(text string) bool {
	for line := range strings.Lines(text) {
		if len(line) > 990 || strings.ContainsAny(line, "\r\x00") {
			return true
		}
	}
	return false
}

// encode returns text as quoted-printable that keeps each byte. Ends of lines
// stay, so that a person can read it.
func encode(text string) string {
	var out bytes.Buffer
	for line := range strings.Lines(text) {
		content, end := strings.TrimSuffix(line, "\n"), "\n"
		if content == line {
			end = ""
		}
		w := quotedprintable.NewWriter(&out)
		w.Binary = true
		// A buffer takes all that is written.
		_, _ = w.Write([]byte(content))
		_ = w.Close()
		out.WriteString(end)
	}
	return strings.ReplaceAll(out.String(), "=\r\n", "=\n")
}
