// A program of another module: all rules, and one of its own.
package main

import (
	"context"
	"os"

	"github.com/goroutinefix/goroutinefix/rewrite/cli"
	"github.com/goroutinefix/goroutinefix/rules"
)

func main() {
	os.Exit(cli.Main(context.Background(), cli.Std(), append(rules.All(), watcherstop)))
}
