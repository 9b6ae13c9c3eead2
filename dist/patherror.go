package dist

import (
	"errors"
	"io/fs"
)

// PlainError drops the operation and path from a file error, for messages that name
// them already.
func PlainError(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
