package installer

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// chain is what could not be done, in rust-installer's words, and why.
type chain struct {
	text  string
	cause error
}

// Error returns the text, a colon and the cause.
func (e *chain) Error() string { return e.text + ": " + e.cause.Error() }

// Unwrap returns the cause.
func (e *chain) Unwrap() error { return e.cause }

// Causes returns the texts of err from the outermost to the innermost, as
// rust-installer lists them. An error of the operating system is as Rust shows it:
// "No such file or directory (os error 2)".
func Causes(err error) []string {
	var texts []string
	for e, ok := err.(*chain); ok; e, ok = err.(*chain) {
		texts = append(texts, e.text)
		err = e.cause
	}
	return append(texts, plain(err))
}

// because returns cause with a text before it; nil if there is none.
func because(cause error, format string, args ...any) error {
	if cause == nil {
		return nil
	}
	return &chain{fmt.Sprintf(format, args...), cause}
}

// plain returns the text of an error that is no chain.
func plain(err error) string {
	number, ok := inner(err).(syscall.Errno)
	if !ok {
		return err.Error()
	}
	text := number.Error()
	first, n := utf8.DecodeRuneInString(text)
	return fmt.Sprintf("%c%s (os error %d)", unicode.ToUpper(first), text[n:], int(number))
}

// inner returns what the operating system said, if err says no more.
func inner(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	case *os.SyscallError:
		return e.Err
	}
	return err
}

// unreadable is an error of a walk through a tree, which rust-installer reports as two.
func unreadable(err error, path string) error {
	return because(err, "IO error for operation on %s: %s", path, plain(err))
}

// debug returns a path as Rust's {:?} shows it.
func debug(path string) string {
	var b strings.Builder
	b.WriteByte('"')
	for len(path) > 0 {
		r, n := utf8.DecodeRuneInString(path)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02X`, path[0])
		case r == '"' || r == '\\':
			fmt.Fprintf(&b, `\%c`, r)
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
		path = path[n:]
	}
	return b.String() + `"`
}
