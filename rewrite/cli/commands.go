package cli

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	urfave "github.com/urfave/cli/v2"

	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// commands returns the subcommands.
func (p *program) commands() []*urfave.Command {
	return []*urfave.Command{
		{Name: "rules", Usage: "list the rules", Action: p.listRules},
		{Name: "explain", ArgsUsage: "RULE", Usage: "say what a rule finds, why it is bad and how it is fixed", Action: p.explain},
		{Name: "suppress", ArgsUsage: "[-reason TEXT] [packages]", Usage: "write a comment above each finding that suppresses it (-d: only show it)", Action: p.suppress, Flags: []urfave.Flag{
			&urfave.StringFlag{Name: "reason", Value: "not reviewed yet"},
		}},
		{Name: "baseline", ArgsUsage: "[-o FILE] [packages]", Usage: "write all findings to the file that -baseline reads, and drop what is gone", Action: p.baseline, Flags: []urfave.Flag{
			&urfave.StringFlag{Name: "o"},
		}},
		{Name: "config", ArgsUsage: "verify [FILE] | schema", Usage: "check the configuration file, or print its JSON schema", Action: p.configCommand},
		{Name: "cache", ArgsUsage: "[clean]", Usage: "say where results are kept between runs, or remove them", Action: p.cacheCommand},
		{Name: "version", Usage: "print the version", Action: p.version},
		{Name: "help", Usage: "print this text", Action: urfave.ShowAppHelp},
	}
}

// helpText returns the help of the program: the parser's own would show --x
// and not -x. It is a template without actions.
func helpText(app *urfave.App) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nUsage: %s\n\n%s\n\nFlags:\n", app.Name, app.Usage, app.UsageText, app.Description)
	table := func() *tabwriter.Writer { return tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0) }
	w := table()
	for _, f := range app.Flags {
		text := ""
		if d, ok := f.(urfave.DocGenerationFlag); ok {
			text = d.GetUsage()
		}
		// The word in back quotes stands for the value.
		value := ""
		if parts := strings.Split(text, "`"); len(parts) == 3 {
			value, text = " "+parts[1], strings.Join(parts, "")
		}
		fmt.Fprintf(w, "  -%s%s\t%s\n", f.Names()[0], value, text)
	}
	w.Flush()
	b.WriteString("\nCommands:\n")
	w = table()
	for _, c := range app.Commands {
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(c.Name+" "+c.ArgsUsage), c.Usage)
	}
	w.Flush()
	return b.String()
}

// listRules prints a table of the rules.
func (p *program) listRules(c *urfave.Context) error {
	if c.Args().Present() {
		return errors.New("rules: takes no arguments")
	}
	w := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range p.rules {
		summary, _, _ := strings.Cut(strings.TrimSpace(r.Doc), "\n")
		fmt.Fprintf(w, "%s\t%s\n", r.Name, summary)
	}
	return w.Flush()
}

// explain prints the page of one rule.
func (p *program) explain(c *urfave.Context) error {
	if c.NArg() != 1 {
		return fmt.Errorf("explain: want the name of one rule; run %q for a list", name+" rules")
	}
	r := find(p.rules, c.Args().First())
	if c.Args().First() == rule.DirectiveName {
		r = &rule.Rule{Doc: rule.DirectiveDoc}
	}
	if r == nil {
		return unknownRule("explain", c.Args().First(), p.rules)
	}
	_, err := fmt.Fprintln(p.Stdout, strings.TrimSpace(r.Doc))
	return err
}

// version prints the version of the module and of what it was built from.
func (p *program) version(c *urfave.Context) error {
	if c.Args().Present() {
		return errors.New("version: takes no arguments")
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	_, err := fmt.Fprintln(p.Stdout, versionLine(info))
	return err
}

// versionLine formats what the build recorded.
func versionLine(info *debug.BuildInfo) string {
	version := info.Main.Version
	if version == "" {
		version = "(devel)"
	}
	vcs := map[string]string{}
	for _, s := range info.Settings {
		vcs[s.Key] = s.Value
	}
	line := name + " " + version
	if rev := vcs["vcs.revision"]; rev != "" {
		line += " " + rev
		if t := vcs["vcs.time"]; t != "" {
			line += " " + t
		}
		if vcs["vcs.modified"] == "true" {
			line += " modified"
		}
	}
	return fmt.Sprintf("%s %s %s/%s", line, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
