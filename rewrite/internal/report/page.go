package report

import (
	"strings"
)

// page is the page of a rule in its parts.
type page struct {
	headline string // one sentence
	titles   []string
	sections map[string]string // title -> text; code is indented by a tab
}

// page returns the page of the named rule; its parts are empty if it is not
// among the rules of the run.
func (o Options) page(rule string) page {
	for _, r := range o.Rules {
		if r.Name == rule {
			return parsePage(r.Doc)
		}
	}
	return page{}
}

func parsePage(doc string) page {
	p := page{sections: map[string]string{}}
	title := ""
	var text []string
	end := func() {
		body := strings.Trim(strings.Join(text, "\n"), "\n")
		if title == "" {
			p.headline = body
		} else {
			p.titles = append(p.titles, title)
			p.sections[title] = body
		}
		text = nil
	}
	for line := range strings.Lines(doc) {
		line = strings.TrimRight(line, "\r\n")
		if t, ok := strings.CutPrefix(line, "# "); ok {
			end()
			title = t
			continue
		}
		text = append(text, line)
	}
	end()
	return p
}

const whyItLeaks, fixSafety = "Why it leaks", "Fix safety"

// markdown returns the page as markdown, with headings of the given level.
func (p page) markdown(level int) string {
	var b strings.Builder
	b.WriteString(mdProse(p.headline))
	b.WriteString("\n")
	for _, t := range p.titles {
		b.WriteString("\n" + strings.Repeat("#", level) + " " + mdText(t) + "\n\n" + mdProse(p.sections[t]) + "\n")
	}
	return b.String()
}

// mdProse turns the text of a section into markdown: code that is indented by
// a tab becomes a fenced block, and a paragraph one line, because code hosts
// show a line break where one is.
func mdProse(text string) string {
	var b strings.Builder
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if !strings.HasPrefix(lines[i], "\t") {
			b.WriteString(mdText(lines[i]))
			switch next := i + 1; {
			case lines[i] == "" || next == len(lines) || lines[next] == "" || strings.HasPrefix(lines[next], "\t") || strings.HasPrefix(lines[next], "- "):
				b.WriteByte('\n')
			default:
				b.WriteByte(' ')
			}
			continue
		}
		var code strings.Builder
		j := i
		for ; j < len(lines) && strings.HasPrefix(lines[j], "\t"); j++ {
			code.WriteString(lines[j][1:] + "\n")
		}
		language := "go"
		if strings.HasPrefix(code.String(), "-") || strings.Contains(code.String(), "\n+") {
			language = "diff"
		}
		b.WriteString(mdFence(language, code.String()))
		i = j - 1
	}
	return strings.TrimRight(b.String(), "\n")
}
