package golangci

import (
	"strings"
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"
)

func TestPlugin(t *testing.T) {
	create, err := register.GetPlugin("goroutinefix")
	if err != nil {
		t.Fatal(err)
	}
	build := func(conf any) string {
		p, err := create(conf)
		if err != nil {
			return err.Error()
		}
		analyzers, err := p.BuildAnalyzers()
		if err != nil {
			t.Fatal(err)
		}
		if err := analysis.Validate(analyzers); err != nil {
			t.Error(err)
		}
		var list []string
		for _, a := range analyzers {
			name := a.Name
			if f := a.Flags.Lookup("unsafe"); f != nil && f.Value.String() == "true" {
				name += "!"
			}
			list = append(list, name)
		}
		return strings.Join(list, " ")
	}
	tests := []struct {
		conf any
		want string
	}{
		{nil, strings.Join(names(), " ") + " directive"},
		{map[string]any{"rules": []string{"bodyclose", "lostcancel"}, "skip": []string{"bodyclose"}, "unsafe": true}, "lostcancel! directive"},
		{map[string]any{"rules": []string{"bodyclos"}}, `goroutinefix: settings: unknown rule "bodyclos"; the rules are ` + strings.Join(names(), ", ")},
		{map[string]any{"ruls": 1}, `goroutinefix: settings: decoding settings: json: unknown field "ruls"`},
	}
	for _, tt := range tests {
		if got := build(tt.conf); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.conf, got, tt.want)
		}
	}
}
