package doctor

import (
	"bytes"
	"strings"

	"x.go/targets"
)

// attempt is one run of a linker, with what was printed about it.
type attempt struct {
	failed   string // the program in "linking with `cc` failed"; "" where rustc said none
	signal   string // that ended it: "SIGKILL"
	linkLine []byte // its command as printed, nil where it was not
	linkNo   int
	messages []message

	command *command // of linkLine; parsed by cmd
	looked  bool     // for objects without code
	slim    bool     // there is one
}

const maxMessages = 512 // of an attempt; those that follow have nothing new to say

// cmd returns the command of the attempt; its zero value where the log has none.
func (a *attempt) cmd() *command {
	if a.command == nil {
		c := command{}
		if parsed, ok := readCommand(a.linkNo, a.linkLine); ok {
			c = parsed
		}
		a.command = &c
	}
	return a.command
}

// has returns the first message of a kind.
func (a *attempt) has(k kind) *message {
	for i := range a.messages {
		if a.messages[i].kind == k {
			return &a.messages[i]
		}
	}
	return nil
}

// ledBy reports whether LLD was the linker: a message names it, or the command asks for
// it. sure is false where nothing tells.
func (a *attempt) ledBy() (lld, sure bool) {
	for _, m := range a.messages {
		if m.from&(sayGNU|sayGold|sayMold|sayWild) != 0 {
			return false, true
		}
		if m.from == sayLLD {
			return true, true
		}
	}
	if a.linkLine != nil {
		if yes, known := a.cmd().lld(); known {
			return yes, true
		}
	}
	return false, false
}

// diagnosis collects what a log tells.
type diagnosis struct {
	name    string
	options Options
	words   *automaton
	current attempt
	found   findings
	files   inputs

	// Facts of the whole log.
	target     targets.Triple
	release    targets.Release
	unresolved *message // an option that lets symbols be missing
	selfLinked *message // -Clink-self-contained=y
	store      *message // a path of Nix or Guix
	slim       *message // an object without code
	full       bool     // a disk without space
	providers  int      // searches for a library
	commands   int      // read for the target
}

func newDiagnosis(name string, o Options) *diagnosis {
	return &diagnosis{name: name, options: o, words: logAutomaton(), files: inputs{o.Dir, maxInputs}}
}

// line takes a line of the log that holds at least one of the words.
func (d *diagnosis) line(no int, text []byte) {
	text = plain(text)
	if inner, ok := jsonTexts(text); ok {
		text = plain(inner)
	}
	for len(text) > 0 {
		piece := text
		if i := bytes.IndexAny(text, "\r\n"); i >= 0 {
			piece, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		anchors := d.words.find(piece)
		if anchors.empty() {
			continue
		}
		if m, ok := readMessage(no, piece, anchors); ok {
			d.message(m, piece)
		}
	}
}

// message sorts a message into the attempt that it belongs to.
func (d *diagnosis) message(m message, text []byte) {
	a := &d.current
	switch m.kind {
	case linkFailed:
		d.endAttempt()
		a.failed = m.subject
		if _, s, ok := bytes.Cut(text, []byte("signal: ")); ok {
			a.signal = string(bytes.TrimSpace(s[:min(len(s), 20)]))
			d.keep(m)
		}
	case linkLine:
		d.command(m.line, text)
	case continuation:
		d.continuation(m, text)
	case compilerVersion:
		if r := releaseOf(text); !r.IsZero() {
			d.release = r
		}
	case unresolvedFlag:
		first(&d.unresolved, m)
		d.command(m.line, text)
	case selfContained:
		first(&d.selfLinked, m)
	case store:
		first(&d.store, m)
		d.command(m.line, text)
	case slimObject:
		first(&d.slim, m)
		d.keep(m)
	case diskFull:
		d.full = true
	default:
		d.keep(m)
	}
}

// first keeps the first message of a kind.
func first(p **message, m message) {
	if *p == nil {
		*p = &m
	}
}

func (d *diagnosis) keep(m message) {
	if len(d.current.messages) < maxMessages {
		d.current.messages = append(d.current.messages, m)
	}
}

// command takes a line that may be the command of a link. It is read when something is
// to be said of it.
func (d *diagnosis) command(no int, text []byte) {
	if !bytes.Contains(text, []byte("-o")) || bytes.Contains(text, []byte("--crate-name")) {
		return
	}
	a := &d.current
	if a.linkLine != nil || len(a.messages) > 0 && a.failed == "" {
		d.endAttempt()
	}
	a.linkLine = append(a.linkLine, text...)
	a.linkNo = no
}

// continuation adds a line of LLD that starts with >>> to the message before it.
func (d *diagnosis) continuation(m message, text []byte) {
	if len(d.current.messages) == 0 {
		return
	}
	last := &d.current.messages[len(d.current.messages)-1]
	_, ref, _ := strings.Cut(string(text[:min(len(text), 2*maxRef)]), ">>>")
	if len(last.refs) < maxRefs {
		last.refs = append(last.refs, shorten(strings.TrimSpace(ref), maxRef))
	}
}

// endAttempt judges the current attempt and starts the next one.
func (d *diagnosis) endAttempt() {
	if len(d.current.messages) > 0 {
		d.judge(&d.current)
	}
	d.current = attempt{messages: d.current.messages[:0]}
}

func (d *diagnosis) report() Report {
	d.endAttempt()
	return d.found.report(d)
}
