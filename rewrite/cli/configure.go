package cli

import (
	"errors"
	"fmt"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/goroutinefix/goroutinefix/rewrite/config"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
)

// configure fills in what a configuration file can say, too. Flags win.
func (p *program) configure(o *options) error {
	c := p.root
	o.config = &config.Config{}
	path := config.Find(o.dir, load.ModuleRoot(o.dir))
	if v := c.String("config"); v == "none" {
		path = ""
	} else if v != "" {
		path = abs(o.dir, v)
	}
	if path != "" {
		var err error
		if o.config, err = config.Read(path, p.ruleNames()); err != nil {
			return err
		}
	}
	only, skip := o.config.Rules, o.config.Skip
	if c.IsSet("rules") { // whoever names rules wants them
		only, skip = c.StringSlice("rules"), nil
	}
	if c.IsSet("skip") {
		skip = c.StringSlice("skip")
	}
	var err error
	if o.rules, err = selectRules(p.rules, only, skip); err != nil {
		if path != "" && !c.IsSet("rules") && !c.IsSet("skip") {
			err = fmt.Errorf("%s: rules and skip leave no rule to run", path)
		}
		return err
	}
	o.tests = flagOr(c.Bool("tests"), c.IsSet("tests"), o.config.Tests)
	o.unsafe = flagOr(c.Bool("unsafe"), c.IsSet("unsafe"), o.config.Unsafe)
	o.generated = flagOr(c.Bool("generated"), c.IsSet("generated"), o.config.Generated)
	if o.tags = c.String("tags"); !c.IsSet("tags") {
		o.tags = strings.Join(o.config.Tags, ",")
	}
	o.baseline, o.foreignBaseline = o.config.Baseline, o.config.BaselineOutside()
	if c.IsSet("baseline") {
		o.foreignBaseline = false
		if o.baseline = c.String("baseline"); o.baseline != "" {
			o.baseline = abs(o.dir, o.baseline)
		}
	}
	return nil
}

// flagOr returns the value of a flag if it was given, else that of the
// configuration if it has one, else the flag's default.
func flagOr(flag, given bool, configured *bool) bool {
	if !given && configured != nil {
		return *configured
	}
	return flag
}

// ruleNames returns the names of all rules.
func (p *program) ruleNames() []string {
	names := []string{}
	for _, r := range p.rules {
		names = append(names, r.Name)
	}
	return names
}

// configCommand prints the schema of the configuration file, or checks one.
func (p *program) configCommand(c *urfave.Context) error {
	dir, err := directory(p.root.String("C"))
	if err != nil {
		return err
	}
	switch args := c.Args().Slice(); {
	case len(args) == 1 && args[0] == "schema":
		_, err := p.Stdout.Write(config.Schema)
		return err
	case (len(args) == 1 || len(args) == 2) && args[0] == "verify":
		path := config.Find(dir, load.ModuleRoot(dir))
		if len(args) == 2 {
			path = abs(dir, args[1])
		}
		if path == "" {
			return fmt.Errorf("config verify: no %s from %s up to the root of its module", config.Name, dir)
		}
		if _, err := config.Read(path, p.ruleNames()); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.Stdout, "%s: ok\n", path)
		return err
	}
	return errors.New("config: want verify [FILE] or schema")
}
