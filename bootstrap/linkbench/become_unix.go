//go:build unix

package linkbench

import (
	"fmt"
	"os"
	"syscall"
)

// become replaces this process by a program.
func become(argv []string) error {
	path, err := lookUp(argv[0])
	if err != nil {
		return err
	}
	return fmt.Errorf("running %q: %w", path, syscall.Exec(path, argv, os.Environ()))
}
