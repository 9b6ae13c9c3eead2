// Package process has what a small program needs to become another one: its own path
// and arguments, names of files, and messages worded as those of a Rust program.
//
// The programs that x builds for a toolchain share it. They run at each compilation or
// link and have to start fast, so it does without fmt.
package process

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Split cuts a path before its last separator. dir keeps the separator if it is the
// root, and both are without one at the end otherwise; dir is "" if there is none.
func Split(path string) (dir, name string) {
	i := strings.LastIndexAny(path, Separators)
	if i < 0 {
		return "", path
	}
	if i == 0 {
		if len(path) == 1 {
			return "", ""
		}
		return path[:1], path[1:]
	}
	return path[:i], path[i+1:]
}

// Join appends a name to a directory.
func Join(dir, name string) string {
	if strings.HasSuffix(dir, Separators[:1]) {
		return dir + name
	}
	return dir + Separators[:1] + name
}

// Quote shows a file name as Rust's {:?} does. Control characters could command a
// terminal.
func Quote(name string) string {
	const hex = "0123456789ABCDEF"
	quoted := []byte{'"'}
	for len(name) > 0 {
		r, size := utf8.DecodeRuneInString(name)
		switch {
		case r == utf8.RuneError && size == 1:
			quoted = append(quoted, '\\', 'x', hex[name[0]>>4], hex[name[0]&15])
		case r == '"' || r == '\\':
			quoted = append(quoted, '\\', name[0])
		case r == '\n':
			quoted = append(quoted, '\\', 'n')
		case r == '\r':
			quoted = append(quoted, '\\', 'r')
		case r == '\t':
			quoted = append(quoted, '\\', 't')
		case r < 0x20 || 0x7f <= r && r < 0xa0:
			quoted = append(strconv.AppendInt(append(quoted, `\u{`...), int64(r), 16), '}')
		default:
			quoted = append(quoted, name[:size]...)
		}
		name = name[size:]
	}
	return string(append(quoted, '"'))
}

// Show returns a path as it is, or quoted if a terminal must not get it so.
func Show(path string) string {
	if quoted := Quote(path); len(quoted) != len(path)+2 {
		return quoted
	}
	return path
}

// Problem is an error whose text is all that a user sees of it.
type Problem string

// Error implements [error].
func (p Problem) Error() string { return string(p) }

// Describe words an error of the system as Rust's standard library does.
func Describe(err error) string {
	number, ok := errno(err)
	if !ok {
		return err.Error()
	}
	text := []byte(number.Error())
	if 'a' <= text[0] && text[0] <= 'z' {
		text[0] -= 'a' - 'A'
	}
	return string(text) + " (os error " + strconv.Itoa(int(number)) + ")"
}
