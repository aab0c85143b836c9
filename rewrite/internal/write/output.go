package write

import (
	"os"
	"path/filepath"
)

// Output writes a report to path: in one step, so that a reader never sees
// half of it, or straight into a device or pipe. A symbolic link is followed.
func Output(path string, data []byte) error {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		path = p
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return failed(path, os.WriteFile(path, data, 0o666))
	}
	return failed(path, replaceFile(path, data, 0o666))
}
