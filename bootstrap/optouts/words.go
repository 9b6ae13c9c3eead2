package optouts

import (
	"bytes"
	"strings"
)

// word is a run of text that a shell, a list of strings or a sentence hands on as
// one.
type word struct {
	text    string // without quotes and line ends
	at, end int    // of the text in the file
	key     bool   // a name that = or : follows
	group   int    // words of one statement have the same
}

// comment is one line of a comment.
type comment struct {
	line  int // from 0
	text  string
	alone bool // nothing precedes it on its line
}

// maxWord bounds a word in bytes: no option is longer.
const maxWord = 4 << 10

// scanner splits a text into words. Quotes separate words, so that lists of strings
// in any language, command lines and values of variables look alike; where a word
// ends and a quote begins without a blank they are one, as in a shell.
type scanner struct {
	src      []byte
	syntax   syntax
	at, to   int
	quote    byte // that is open on this line
	line     int
	blank    bool // nothing but blanks on this line so far
	depth    int  // of brackets that are open
	group    int
	words    []word
	comments []comment

	buf         []byte // of the word that is being read
	start, stop int
}

// scan returns the words and comments of src[from:to]; line is that of from.
func scan(src []byte, from, to, line int, sx syntax) ([]word, []comment) {
	s := scanner{src: src, syntax: sx, at: from, to: to, line: line, blank: true, start: -1}
	for s.at < s.to {
		s.step()
	}
	s.flush()
	return s.words, s.comments
}

func (s *scanner) step() {
	c := s.src[s.at]
	switch {
	case c == '\n':
		s.newline()
	case c == ' ' && s.wholeItem():
		s.add(1)
	case c == ' ' || c == '\t' || c == '\r' || c == 0x1f || c == '\f':
		s.flush()
		s.at++
	case s.startsComment(c):
		s.flush()
		s.skipComment()
	case c == '"' || c == '\'' || c == '`':
		s.blank = false
		s.atQuote(c)
	case c == '\\':
		s.blank = false
		s.atBackslash()
	case s.atExpansion(c):
		s.blank = false
	case c == ',' && s.start >= 0 && !s.endsItem():
		s.add(1)
	case strings.IndexByte(",;()[]{}<>|&", c) >= 0:
		s.blank = false
		s.flush()
		s.bracket(c)
		s.at++
	case c == '=' && s.start >= 0 && isName(s.buf) && !s.atOptionKey():
		s.flushKey()
		s.at++
	case c == ':' && s.start >= 0 && s.endsKey():
		s.flushKey()
		s.at++
	default:
		s.blank = false
		s.add(1)
	}
}

// wholeItem reports whether the word is an item of a list that has blanks in it:
// ["-Clink-args=-fuse-ld=lld -Wl,--threads=1"].
func (s *scanner) wholeItem() bool {
	if s.start <= 0 || s.depth == 0 || s.quote == 0 || s.src[s.start-1] != s.quote {
		return false
	}
	name := strings.TrimPrefix(strings.ReplaceAll(string(s.buf[:min(len(s.buf), 20)]), "_", "-"), "-C")
	return strings.HasPrefix(name, "link-args=") || strings.HasPrefix(name, "-Zpre-link-args=")
}

// bracket counts the brackets that are open: a statement goes on within them. Braces
// hold statements.
func (s *scanner) bracket(c byte) {
	switch c {
	case '(', '[':
		s.depth++
	case ')', ']':
		s.depth = max(0, s.depth-1)
	}
}

func (s *scanner) newline() {
	s.flush()
	if s.blank { // an empty line ends every statement
		s.depth = 0
	}
	if s.depth == 0 && s.quote == 0 {
		s.group++
	}
	s.at++
	s.line++
	s.blank, s.quote = true, 0
}

// add puts n bytes into the word.
func (s *scanner) add(n int) {
	if s.start < 0 {
		s.start = s.at
	}
	s.buf = append(s.buf, s.src[s.at:s.at+n]...)
	s.at += n
	s.stop = s.at
	if len(s.buf) > maxWord {
		s.flush()
	}
}

// flush ends the word, if there is one.
func (s *scanner) flush() {
	if s.start < 0 {
		return
	}
	s.words = append(s.words, word{text: string(s.buf), at: s.start, end: s.stop, group: s.group})
	s.start, s.buf = -1, s.buf[:0]
	if s.keyFollows() {
		s.markKey()
	}
}

// flushKey ends the word, which is a name with a value.
func (s *scanner) flushKey() {
	s.flush()
	s.markKey()
}

// markKey begins a statement with the last word.
func (s *scanner) markKey() {
	last := &s.words[len(s.words)-1]
	if !last.key {
		s.group++
		last.key, last.group = true, s.group
	}
}

// keyFollows reports whether = or : follows the word that has just ended, after
// quotes and blanks of this line.
func (s *scanner) keyFollows() bool {
	if !isName([]byte(s.words[len(s.words)-1].text)) {
		return false
	}
	i := s.at
	for i < s.to && strings.IndexByte("\"' \t)]}", s.src[i]) >= 0 {
		i++
	}
	for i < s.to && strings.IndexByte("+?:.", s.src[i]) >= 0 && s.src[i] != ':' {
		i++
	}
	if i >= s.to {
		return false
	}
	next := byte(' ')
	if i+1 < s.to {
		next = s.src[i+1]
	}
	switch s.src[i] {
	case '=':
		return next != '=' && next != '~' && next != '>'
	case ':':
		return strings.IndexByte(" \t\r\n=\"'", next) >= 0
	}
	return false
}

// isName reports whether a word can be the name of a variable or a key.
func isName(b []byte) bool {
	if len(b) == 0 || b[0] == '-' {
		return false
	}
	for _, c := range b {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '$' || c == ':' || c == '-' {
			continue
		}
		return false
	}
	return true
}

// endsItem reports whether a comma ends a word: what follows it is another item, or
// nothing.
func (s *scanner) endsItem() bool {
	if s.at+1 >= s.to {
		return true
	}
	return strings.IndexByte(" \t\r\n\"'`,)]}", s.src[s.at+1]) >= 0
}

// endsKey reports whether a colon ends a key: a blank follows.
func (s *scanner) endsKey() bool {
	return s.at+1 >= s.to || strings.IndexByte(" \t\r\n", s.src[s.at+1]) >= 0
}

func (s *scanner) startsComment(c byte) bool {
	if s.quote != 0 {
		return false
	}
	before := byte('\n')
	if s.at > 0 {
		before = s.src[s.at-1]
	}
	free := strings.IndexByte(" \t\n\r,;)]}\"'", before) >= 0
	rest := s.src[s.at:s.to]
	switch {
	case c == '#' && s.syntax&hash != 0:
		return free
	case c == '/' && s.syntax&slashes != 0:
		return bytes.HasPrefix(rest, []byte("//")) && before != ':' || bytes.HasPrefix(rest, []byte("/*")) && free
	case s.syntax&percents != 0 && s.blank:
		return bytes.HasPrefix(rest, []byte("::")) || len(rest) > 4 && strings.EqualFold(string(rest[:4]), "rem ")
	}
	return false
}

// skipComment keeps the comment's lines.
func (s *scanner) skipComment() {
	rest := s.src[s.at:s.to]
	end := bytes.IndexByte(rest, '\n')
	if bytes.HasPrefix(rest, []byte("/*")) && s.syntax&slashes != 0 {
		end = bytes.Index(rest, []byte("*/"))
		if end >= 0 {
			end += len("*/")
		}
	}
	if end < 0 {
		end = len(rest)
	}
	alone := s.blank
	for i, line := range bytes.Split(rest[:end], []byte("\n")) {
		s.comments = append(s.comments, comment{s.line + i, cleanComment(string(line)), alone || i > 0})
	}
	s.line += bytes.Count(rest[:end], []byte("\n"))
	s.at += end
	s.blank = false // a line with a comment ends no statement
}

// cleanComment takes the marks from a line of a comment.
func cleanComment(line string) string {
	line = strings.Trim(line, " \t\r")
	line = strings.TrimLeft(line, "#/*!;:")
	line = strings.TrimSuffix(line, "*/")
	const most = 300
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "")
	}
	return strings.TrimSpace(line)
}

// atQuote is at a quote: it begins or ends a string.
func (s *scanner) atQuote(c byte) {
	switch {
	case c == '\'' && s.quote == 0 && s.start >= 0 && isLetter(s.buf[len(s.buf)-1]):
		s.flush() // an apostrophe, or the prefix of a string
		if s.syntax&^(hash) == 0 && s.syntax != 0 {
			s.at++
			return
		}
		s.quote = c
	case s.quote == 0:
		s.openQuote(c)
		return
	case s.quote == c:
		s.quote = 0
		s.at++
		s.closeQuote()
		return
	default: // a quote within another kind of quotes
		s.innerQuote(c)
		return
	}
	s.at++
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// openQuote begins a string. A value in quotes belongs to its option, blanks and all;
// other strings are split into words.
func (s *scanner) openQuote(c byte) {
	s.quote = c
	s.at++
	if s.start < 0 {
		return
	}
	if s.buf[0] != '-' && !s.atOptionKey() {
		s.flush()
		return
	}
	s.wholeValue(c)
}

// atOptionKey reports whether the word is, or begins with, the name of an option of
// rustc that -C or -Z stands before.
func (s *scanner) atOptionKey() bool {
	name, _, _ := strings.Cut(string(s.buf), "=")
	if name == "linker" {
		return len(s.words) > 0 && isOptionLetter(s.words[len(s.words)-1].text)
	}
	return optionKeys[strings.ReplaceAll(name, "_", "-")]
}

// wholeValue takes the rest of a string as part of the word before it, if that waits
// for a value: -Clink-args="-fuse-ld=lld -Wl,--threads=1".
func (s *scanner) wholeValue(c byte) {
	if s.buf[len(s.buf)-1] != '=' {
		return
	}
	end := bytes.IndexByte(s.src[s.at:min(s.to, s.at+maxWord)], c)
	if end < 0 || bytes.IndexByte(s.src[s.at:s.at+end], '\n') >= 0 {
		return
	}
	value := s.src[s.at : s.at+end]
	if !isRustcOption(s.buf) && !s.atOptionKey() { // --config=…, --action_env=…: more options are within
		s.flush()
		return
	}
	s.buf = append(s.buf, value...)
	s.at += end
	s.stop = s.at
}

// innerQuote is a quote within a string of the other kind, as in
// RUSTFLAGS="-C link-args='-fuse-ld=lld -Wl,…'".
func (s *scanner) innerQuote(c byte) {
	s.at++
	if s.start < 0 {
		return
	}
	if s.buf[len(s.buf)-1] == '=' && (s.buf[0] == '-' || s.atOptionKey()) {
		s.wholeValue(c)
		if s.at < s.to && s.src[s.at] == c {
			s.at++
		}
	}
	s.flush()
}

// closeQuote ends a string. What follows at once, or after a +, belongs to the word.
func (s *scanner) closeQuote() {
	if s.start < 0 {
		return
	}
	if i := s.joined(); i > 0 {
		s.quote = s.src[i]
		s.at = i + 1
		return
	}
	if s.at < s.to && strings.IndexByte(" \t\r\n\"'`,;()[]{}<>|&:", s.src[s.at]) < 0 {
		return // -C"linker-features"=-lld
	}
	s.flush()
}

// joined finds the quote that a + joins to the string that has just ended, 0 where
// there is none.
func (s *scanner) joined() int {
	i, plus := s.at, false
	for i < s.to && strings.IndexByte(" \t\r\n\\+", s.src[i]) >= 0 {
		if s.src[i] == '+' {
			if plus {
				return 0 // ++ joins lists
			}
			plus = true
		}
		i++
	}
	if !plus || i >= s.to || s.src[i] != '"' && s.src[i] != '\'' {
		return 0
	}
	s.line += bytes.Count(s.src[s.at:i], []byte("\n"))
	return i
}

// escapes are what separates words within a string.
var escapes = [][]byte{[]byte(`\x1f`), []byte(`\x1F`), []byte(`\u001f`), []byte(`\u001F`), []byte(`\u{1f}`), []byte(`\u{1F}`), []byte(`\037`), []byte(`\t`), []byte(`\n`), []byte(`\r`)}

// atBackslash joins lines, and separates words at escaped quotes and blanks.
func (s *scanner) atBackslash() {
	rest := s.src[s.at:s.to]
	n := 1
	for n < len(rest) && rest[n] == '\\' {
		n++
	}
	if n < len(rest) {
		switch rest[n] {
		case '\n':
			s.flush()
			s.at += n + 1
			s.line++
			s.blank = false
			return
		case '\r', '"', '\'', '`':
			s.escapedQuote(n)
			return
		}
	}
	if s.quote != 0 || s.syntax&isTOML != 0 {
		for _, e := range escapes {
			if bytes.HasPrefix(rest, e) {
				s.flush()
				s.at += len(e)
				return
			}
		}
	}
	s.add(1)
}

// escapedQuote is at n backslashes and a quote: RUSTFLAGS=\"…\" in a string.
func (s *scanner) escapedQuote(n int) {
	c := s.src[s.at+n]
	if s.start >= 0 && s.buf[len(s.buf)-1] == '=' && c != '\r' {
		mark := s.src[s.at : s.at+n+1]
		if end := bytes.Index(s.src[s.at+n+1:min(s.to, s.at+n+1+maxWord)], mark); end >= 0 && (isRustcOption(s.buf) || s.atOptionKey()) {
			from := s.at + n + 1
			s.buf = append(s.buf, s.src[from:from+end]...)
			s.stop = from + end
			s.at = s.stop + len(mark)
			s.flush()
			return
		}
	}
	s.flush()
	s.at += n
	if c != '\r' {
		s.at++
	}
}

// atExpansion takes ${…}, $(…), ${{…}}, %{…} and {{…}} as part of a word.
func (s *scanner) atExpansion(c byte) bool {
	if s.at+1 >= s.to {
		return false
	}
	next := s.src[s.at+1]
	var open, end byte
	switch {
	case (c == '$' || c == '%' || c == '#') && next == '{', c == '{' && next == '{':
		open, end = '{', '}'
	case c == '$' && next == '(':
		open, end = '(', ')'
	default:
		return false
	}
	depth, most := 0, min(s.to, s.at+maxWord)
	for i := s.at; i < most; i++ {
		switch s.src[i] {
		case open:
			depth++
		case end:
			if depth--; depth == 0 {
				return s.addExpansion(i + 1 - s.at)
			}
		case '\n':
			return false
		}
	}
	return false
}

// addExpansion adds an expansion of n bytes, unless flags are within it, such as
// $(…) that runs a compiler.
func (s *scanner) addExpansion(n int) bool {
	text := s.src[s.at : s.at+n]
	if bytes.Contains(text, []byte("-C")) || bytes.Contains(text, []byte("-Z")) || bytes.Contains(text, []byte("LINKER")) || bytes.Contains(text, []byte("FLAGS=")) {
		return false
	}
	s.add(n)
	return true
}
