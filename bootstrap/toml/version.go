package toml

import "fmt"

// Refuse11 adds to d.Errors what came with TOML 1.1, which go-toml takes: line breaks
// and a last comma in an inline table, and the escapes \e and \x. Parsers that are
// older than 1.1 refuse it.
func (d *Document) Refuse11() {
	s := scanner{data: d.Data, at: d.start()}
	s.run(func(at int, format string, args ...any) {
		if len(d.Errors) < maxErrors {
			d.Errors = append(d.Errors, Error{At: at, Pos: d.Position(at), Msg: fmt.Sprintf(format, args...)})
		}
	})
}

// scanner walks over a document by its brackets, strings and comments alone.
type scanner struct {
	data []byte
	at   int
	open []byte // the brackets that are open, the innermost last
	last byte   // the last byte that is no blank
}

// run calls refuse for all that is newer than TOML 1.0.
func (s *scanner) run(refuse func(at int, format string, args ...any)) {
	for s.at < len(s.data) {
		c, start := s.data[s.at], s.at
		s.at++
		switch c {
		case '#':
			s.comment()
			continue
		case '"', '\'':
			s.text(c, refuse)
		case '[', '{':
			s.open = append(s.open, c)
		case '\n':
			if s.inTable() {
				refuse(start, "expected a table key, found a newline")
			}
			continue
		case ']', '}':
			if c == '}' && s.inTable() && s.last == ',' {
				refuse(start, "expected a table key, found a right brace")
			}
			if len(s.open) > 0 {
				s.open = s.open[:len(s.open)-1]
			}
		case ' ', '\t', '\r':
			continue
		}
		s.last = c
	}
}

func (s *scanner) inTable() bool { return len(s.open) > 0 && s.open[len(s.open)-1] == '{' }

// comment skips to the end of the line.
func (s *scanner) comment() {
	for s.at < len(s.data) && s.data[s.at] != '\n' {
		s.at++
	}
}

// text skips a string, whose first quote is behind it. A string of one line ends
// with the line, however it goes on: the parser has said what is wrong there.
func (s *scanner) text(quote byte, refuse func(at int, format string, args ...any)) {
	long := s.quotes(quote, 2)
	if long {
		s.at += 2
	}
	for s.at < len(s.data) {
		c := s.data[s.at]
		s.at++
		switch {
		case c == quote && !long, c == '\n' && !long:
			return
		case c == quote && s.quotes(quote, 2):
			for s.at < len(s.data) && s.data[s.at] == quote {
				s.at++ // up to five quotes end it
			}
			return
		case c == '\\' && quote == '"' && s.at < len(s.data):
			if e := s.data[s.at]; e == 'e' || e == 'x' {
				refuse(s.at, "invalid escape character in string: `%c`", e)
			}
			s.at++
		}
	}
}

// quotes reports whether n quotes come next.
func (s *scanner) quotes(quote byte, n int) bool {
	for i := range n {
		if s.at+i >= len(s.data) || s.data[s.at+i] != quote {
			return false
		}
	}
	return true
}
