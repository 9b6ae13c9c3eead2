package targets

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// parse reads one JSON object. It is written by hand because a batch is
// decided in less time than encoding/json takes to read a line of it; a fuzz
// test compares it with encoding/json.
func (c *Case) parse(line string) error {
	if !utf8.ValidString(line) {
		return errors.New("parsing case: not valid JSON: bad UTF-8")
	}
	s := jsonScanner{text: line}
	err := s.object(func(key string) error { return c.member(&s, key) })
	if err == nil {
		err = s.end()
	}
	switch {
	case err != nil:
		return fmt.Errorf("parsing case: %w", err)
	case c.Target == "":
		return errors.New("parsing case: no member \"target\"")
	}
	return nil
}

func (c *Case) member(s *jsonScanner, key string) (err error) {
	switch key {
	case "id":
		var id string
		if id, err = s.raw(); err == nil {
			c.ID = id
		}
	case "target":
		c.Target, err = s.text1(key)
	case "flags":
		c.Flags, err = s.texts(key, c.Flags[:0])
	case "unstable":
		var t Tristate
		t, err = s.boolean(key)
		c.Unstable = t == Yes
	case "bootstrap":
		c.hasBootstrap = true
		c.Bootstrap, err = s.textOrNull(key)
	case "channel":
		c.Channel, err = s.textOrNull(key)
	case "sysroot":
		c.Sysroot, err = s.textOrNull(key)
	case "release":
		c.Release, err = s.textOrNull(key)
	case "host":
		c.Host, err = s.textOrNull(key)
	case "lld_default":
		c.LLDDefault, err = s.boolean(key)
	default:
		_, err = s.raw()
	}
	return err
}

// jsonScanner reads JSON (RFC 8259) from the front of a text.
type jsonScanner struct {
	text string
	at   int
}

// maxJSONDepth bounds the recursion on hostile lines.
const maxJSONDepth = 200

func (s *jsonScanner) bad(want string) error {
	if s.at >= len(s.text) {
		return fmt.Errorf("not valid JSON: line ends where %s is wanted", want)
	}
	return fmt.Errorf("not valid JSON: got %q at byte %d, want %s", s.text[s.at], s.at, want)
}

// peek skips blanks and returns the next byte, 0 at the end.
func (s *jsonScanner) peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

func (s *jsonScanner) end() error {
	if s.peek(); s.at < len(s.text) {
		return s.bad("nothing more")
	}
	return nil
}

// object calls member for each key; member must consume the value.
func (s *jsonScanner) object(member func(key string) error) error {
	if s.peek() != '{' {
		return s.bad("an object")
	}
	s.at++
	if s.peek() == '}' {
		s.at++
		return nil
	}
	for {
		key, err := s.key()
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
		if more, err := s.more('}'); !more {
			return err
		}
	}
}

// key reads a member's name and the colon.
func (s *jsonScanner) key() (string, error) {
	if s.peek() != '"' {
		return "", s.bad("a member's name")
	}
	key, err := s.str()
	if err != nil {
		return "", err
	}
	if s.peek() != ':' {
		return "", s.bad("a colon")
	}
	s.at++
	return key, nil
}

// more consumes a comma or the end of a list or object.
func (s *jsonScanner) more(end byte) (bool, error) {
	switch s.peek() {
	case ',':
		s.at++
		return true, nil
	case end:
		s.at++
		return false, nil
	}
	return false, s.bad("a comma or " + string(end))
}

// str reads a string. One without escapes is a part of the text.
func (s *jsonScanner) str() (string, error) {
	s.at++
	start := s.at
	rest := s.text[start:]
	for i := range len(rest) {
		c := rest[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		s.at = start + i
		switch c {
		case '"':
			s.at++
			return rest[:i], nil
		case '\\':
			return s.escaped(start)
		}
		return "", s.bad("a string without control bytes")
	}
	s.at = len(s.text)
	return "", s.bad("the end of a string")
}

func (s *jsonScanner) escaped(start int) (string, error) {
	out := []byte(s.text[start:s.at])
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case c == '"':
			s.at++
			return string(out), nil
		case c < ' ':
			return "", s.bad("a string without control bytes")
		case c != '\\':
			out = append(out, c)
			s.at++
		default:
			s.at++
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		}
	}
	return "", s.bad("the end of a string")
}

// escape reads what follows a backslash. Half of a surrogate pair becomes
// U+FFFD, as in encoding/json.
func (s *jsonScanner) escape() (rune, error) {
	if s.at >= len(s.text) {
		return 0, s.bad("an escape")
	}
	c := s.text[s.at]
	if r, ok := jsonEscapes[c]; ok {
		s.at++
		return r, nil
	}
	if c != 'u' {
		return 0, s.bad("an escape")
	}
	high, err := s.hex4()
	if err != nil || high < 0xd800 || high >= 0xe000 {
		return high, err
	}
	after := s.at
	if high < 0xdc00 && s.at+1 < len(s.text) && s.text[s.at] == '\\' && s.text[s.at+1] == 'u' {
		s.at++
		low, err := s.hex4()
		if err != nil {
			return 0, err
		}
		if low >= 0xdc00 && low < 0xe000 {
			return 0x10000 + (high-0xd800)<<10 + (low - 0xdc00), nil
		}
		s.at = after
	}
	return utf8.RuneError, nil
}

var jsonEscapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (s *jsonScanner) hex4() (rune, error) {
	if s.at+5 > len(s.text) {
		return 0, s.bad("four hexadecimal digits")
	}
	n, err := strconv.ParseUint(s.text[s.at+1:s.at+5], 16, 32)
	if err != nil {
		return 0, s.bad("four hexadecimal digits")
	}
	s.at += 5
	return rune(n), nil
}

func (s *jsonScanner) text1(key string) (string, error) {
	if s.peek() != '"' {
		return "", s.wrongType(key, "a string")
	}
	return s.str()
}

func (s *jsonScanner) textOrNull(key string) (string, error) {
	if s.peek() == 'n' {
		return "", s.word("null")
	}
	return s.text1(key)
}

func (s *jsonScanner) texts(key string, into []string) ([]string, error) {
	if s.peek() != '[' {
		return into, s.wrongType(key, "a list of strings")
	}
	s.at++
	if s.peek() == ']' {
		s.at++
		return into, nil
	}
	for {
		t, err := s.text1(key)
		if err != nil {
			return into, err
		}
		into = append(into, t)
		if more, err := s.more(']'); !more {
			return into, err
		}
	}
}

func (s *jsonScanner) boolean(key string) (Tristate, error) {
	switch s.peek() {
	case 't':
		return Yes, s.word("true")
	case 'f':
		return No, s.word("false")
	case 'n':
		return Unknown, s.word("null")
	}
	return Unknown, s.wrongType(key, "true or false")
}

// wrongType reports a value of the wrong type, or the damage in it.
func (s *jsonScanner) wrongType(key, want string) error {
	start := s.at
	if _, err := s.raw(); err != nil {
		return err
	}
	return fmt.Errorf("member %q: got %.40s, want %s", key, s.text[start:s.at], want)
}

func (s *jsonScanner) word(w string) error {
	if len(s.text)-s.at < len(w) || s.text[s.at:s.at+len(w)] != w {
		return s.bad(w)
	}
	s.at += len(w)
	return nil
}

// raw reads any value and returns its text.
func (s *jsonScanner) raw() (string, error) {
	s.peek()
	start := s.at
	err := s.skip(0)
	return s.text[start:s.at], err
}

func (s *jsonScanner) skip(depth int) error {
	if depth > maxJSONDepth {
		return errors.New("not valid here: values nest too deep")
	}
	switch c := s.peek(); {
	case c == '"':
		_, err := s.str()
		return err
	case c == '{':
		return s.skipItems('}', depth)
	case c == '[':
		return s.skipItems(']', depth)
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	return s.bad("a value")
}

// skipItems reads a list or an object up to its end. It does the work of array
// and object without a function value, because most of a recording's line is
// skipped here.
func (s *jsonScanner) skipItems(end byte, depth int) error {
	s.at++
	if s.peek() == end {
		s.at++
		return nil
	}
	for {
		if end == '}' {
			if _, err := s.key(); err != nil {
				return err
			}
		}
		if err := s.skip(depth + 1); err != nil {
			return err
		}
		if more, err := s.more(end); !more {
			return err
		}
	}
}

func (s *jsonScanner) number() error {
	if s.text[s.at] == '-' {
		s.at++
	}
	if s.at < len(s.text) && s.text[s.at] == '0' {
		s.at++
	} else if !s.digits() {
		return s.bad("a digit")
	}
	if s.at < len(s.text) && s.text[s.at] == '.' {
		s.at++
		if !s.digits() {
			return s.bad("a digit")
		}
	}
	if s.at < len(s.text) && (s.text[s.at] == 'e' || s.text[s.at] == 'E') {
		s.at++
		if s.at < len(s.text) && (s.text[s.at] == '+' || s.text[s.at] == '-') {
			s.at++
		}
		if !s.digits() {
			return s.bad("a digit")
		}
	}
	return nil
}

func (s *jsonScanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}

// AppendJSON appends the result as one line: id, exit, error, linker,
// lld_args, or id and problem.
func (r Result) AppendJSON(b []byte) []byte {
	b = append(b, `{"id": `...)
	b = append(b, r.ID...)
	if r.Problem != "" {
		b = append(b, `, "problem": `...)
		b = appendJSONString(b, r.Problem)
		return append(b, "}\n"...)
	}
	b = append(b, `, "exit": `...)
	b = strconv.AppendInt(b, int64(r.Exit), 10)
	b = append(b, `, "error": `...)
	if r.Error == "" {
		b = append(b, "null"...)
	} else {
		b = appendJSONString(b, r.Error)
	}
	if !r.Linked {
		return append(b, ", \"linker\": null, \"lld_args\": null}\n"...)
	}
	b = append(b, `, "linker": `...)
	b = appendJSONString(b, r.Linker)
	b = append(b, `, "lld_args": [`...)
	for i, a := range r.LLDArgs {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendJSONString(b, a)
	}
	return append(b, "]}\n"...)
}

// appendJSONString quotes s, escaping only what JSON asks for. Bytes that are
// not UTF-8 become U+FFFD.
func appendJSONString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
	}
	return append(b, '"')
}
