package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// tempCopy writes text to a new file of the same name as path, in a new
// directory, so that an editor sees what language it is.
func tempCopy(path string, text []byte) (temp string, remove func(), err error) {
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	temp = filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(temp, text, 0o600); err != nil {
		remove()
		return "", nil, err
	}
	return temp, remove, nil
}

// shell returns a command of the user's, which may have arguments, with one
// more.
func shell(ctx context.Context, command, arg string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		words := append(strings.Fields(command), arg)
		return exec.CommandContext(ctx, words[0], words[1:]...)
	}
	return exec.CommandContext(ctx, "sh", "-c", command+` "$@"`, command, arg)
}

// editor returns the command of the user's editor.
func editor(getenv func(string) string) string {
	for _, variable := range []string{"GIT_EDITOR", "VISUAL", "EDITOR"} {
		if e := getenv(variable); e != "" {
			return e
		}
	}
	return "vi"
}

// edit has the user edit text, a new content for the file at path.
func edit(ctx context.Context, path string, text []byte) ([]byte, error) {
	temp, remove, err := tempCopy(path, text)
	if err != nil {
		return nil, err
	}
	defer remove()
	cmd := shell(ctx, editor(os.Getenv), temp)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w", editor(os.Getenv), err)
	}
	return os.ReadFile(temp)
}
