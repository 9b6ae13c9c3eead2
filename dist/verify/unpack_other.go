//go:build !unix

package verify

import "errors"

// Elsewhere these conditions have no errors of their own.
var (
	errNotDir      = errors.New("not a directory")
	errIsDir       = errors.New("is a directory")
	errNameTooLong = errors.New("name too long")
)
