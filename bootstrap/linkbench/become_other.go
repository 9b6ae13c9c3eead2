//go:build !unix

package linkbench

import "errors"

// become is not reached: [Options.Check] refuses to run here.
func become([]string) error { return errors.ErrUnsupported }
