package doctor

import (
	"bytes"
	"path"
	"strings"
	"sync"
)

// kind is what a message says, whatever its words.
type kind int

const (
	noKind kind = iota

	// Of a linker.
	undefined        // a symbol of an object
	undefinedShlib   // a symbol of a shared library
	encapsulation    // a hint at -z nostart-stop-gc
	undefinedGNU     // a symbol that GNU ld or gold does not find
	duplicate        // two definitions
	incompatible     // an object for another machine
	localSymbol      // a symbol table that breaks the format
	symbolVersion    // a version script that does not fit
	compressed       // a section that it cannot decompress
	textRelocation   // a relocation in read-only code
	badOption        // an option that it does not know
	bitcodeVersion   // bitcode of a newer LLVM
	missingLibrary   // -lX not found
	noEntry          // no _start
	slimObject       // an object with no code but GCC's intermediate one
	linkerStartFails // a library of the linker itself is missing

	// Of what runs the linker, and of programs.
	noLinker        // LLD not found
	unknownDriver   // -fuse-ld=lld refused
	killed          // the linker ended by a signal
	outOfMemory     // said by whoever
	lookupFailed    // ld.so: a symbol is missing
	loadFailed      // ld.so: a library is missing
	crashed         // a program ended by SIGSEGV
	goldUsed        // rustc warns of gold
	continuation    // >>> lines of LLD
	linkFailed      // rustc: linking with X failed
	linkLine        // the command of a link
	unresolvedFlag  // an option that lets symbols be missing
	selfContained   // -Clink-self-contained=y
	store           // a path of Nix or Guix
	diskFull        // ENOSPC
	compilerVersion // rustc names itself
)

// speaker is a set of the programs that a message can come from.
type speaker int

const (
	sayLLD speaker = 1 << iota
	sayGNU
	sayGold
	sayMold
	sayWild
	sayDriver // gcc, clang, collect2
	sayNobody // no program named
	sayAny    = -1
)

// messageRow is a text to look for. Rows are tried in order; the first that fits says
// what a line is.
type messageRow struct {
	text string  // stands in the line: not across a change of colour, without " < > &
	more string  // as well, anywhere in the line; alternatives are separated by |
	kind kind    //
	by   speaker // who says it
	// What the message is about stands after text, up to end ("" for the end of the
	// line), or if before is set in front of it.
	end    string
	before bool
}

// messageRows hold LLD's texts since version 5, and those of the programs around it.
var messageRows = []messageRow{
	// LLD, of symbols. Versions 4 to 8 wrote no list of references on lines of their own.
	{text: "undefined symbol: ", kind: undefined, by: sayLLD},
	{text: "undefined hidden symbol: ", kind: undefined, by: sayLLD},
	{text: "undefined protected symbol: ", kind: undefined, by: sayLLD},
	{text: "undefined internal symbol: ", kind: undefined, by: sayLLD},
	{text: "undefined reference due to --no-allow-shlib-undefined: ", kind: undefinedShlib, by: sayLLD}, // 15 to 20
	{text: "undefined reference: ", kind: undefinedShlib, by: sayLLD},                                   // from 21
	{text: "[--no-allow-shlib-undefined]", kind: undefinedShlib, by: sayLLD, before: true},              // 9 to 14
	{text: "duplicate symbol: ", kind: duplicate, by: sayLLD},
	{text: "the encapsulation symbol needs to be retained under --gc-sections", kind: encapsulation, by: sayAny},
	{text: "version script assignment of ", kind: symbolVersion, by: sayLLD, end: " failed"},
	{text: " has undefined version ", kind: symbolVersion, by: sayLLD, before: true},
	{text: "anonymous version definition is used in combination with other version definitions", kind: symbolVersion, by: sayLLD, before: true},
	{text: "in global part of symbol table", kind: localSymbol, by: sayLLD, before: true}, // "invalid local symbol 'x' …", before 15 "found local symbol 'x' … in file"
	{text: ": STB_LOCAL symbol (", kind: localSymbol, by: sayLLD, before: true},           // before 15
	{text: " has invalid binding: ", kind: localSymbol, by: sayLLD, before: true},
	{text: "undefined reference to ", kind: undefinedGNU, by: sayGNU | sayGold | sayNobody},
	{text: ".symtab local symbol at index ", kind: localSymbol, by: sayGNU, before: true},

	// LLD, of files.
	{text: " is incompatible with ", more: "elf|.o|.a|.so|.rlib", kind: incompatible, by: sayLLD, before: true},
	{text: " is compressed with ELFCOMPRESS_", kind: compressed, by: sayLLD, before: true},
	{text: "contains a compressed section, ", kind: compressed, by: sayLLD, before: true}, // before 17
	{text: ": unsupported compression type", kind: compressed, by: sayLLD, before: true},
	{text: "--compress-debug-sections", more: "not built with|not available", kind: compressed, by: sayLLD},
	{text: "(Producer: ", more: "Reader: ", kind: bitcodeVersion, by: sayLLD, before: true},
	{text: "unable to find library -l", kind: missingLibrary, by: sayLLD},
	{text: "unknown argument", kind: badOption, by: sayLLD},
	{text: "unknown -z value: ", kind: badOption, by: sayLLD},
	{text: "unknown emulation: ", kind: badOption, by: sayLLD},
	{text: "cannot be used against", more: "recompile with -fPIC", kind: textRelocation, by: sayLLD, before: true},
	{text: "can't create dynamic relocation ", kind: textRelocation, by: sayLLD, end: " against"},
	{text: "cannot find entry symbol ", kind: noEntry, by: sayLLD, end: ";"},

	// What runs LLD.
	{text: "lld is a generic driver", kind: noLinker, by: sayAny},
	{text: "could not exec rust-lld", kind: noLinker, by: sayAny},
	{text: "invalid linker name in ", more: "-fuse-ld=lld|ld.lld|rust-lld|--ld-path", kind: noLinker, by: sayAny},
	{text: "the self-contained linker was requested, but it wasn't found", kind: noLinker, by: sayAny},
	{text: "linker `", more: "lld` not found|lld-", kind: noLinker, by: sayAny, end: "`"},
	{text: "unable to execute command: Executable ", more: "lld", kind: noLinker, by: sayAny},
	{text: "Linker does not support -fuse-ld=lld", kind: unknownDriver, by: sayAny},
	{text: "the gold linker is deprecated and has known bugs with Rust", kind: goldUsed, by: sayAny},
	{text: "unable to execute command: Killed", kind: killed, by: sayDriver},
	{text: "unable to execute command: Bus error", kind: killed, by: sayDriver},
	{text: "linking with `", kind: linkFailed, by: sayAny, end: "`"},
	{text: "collect2", kind: noKind, by: sayDriver}, // see driverMessage

	// Programs that do not get enough memory, and others that fail.
	{text: "LLVM ERROR: out of memory", kind: outOfMemory, by: sayAny},
	{text: "LLVM ERROR: pthread_create failed", kind: outOfMemory, by: sayAny},
	{text: "std::bad_alloc", kind: outOfMemory, by: sayAny},
	{text: "Cannot allocate memory", kind: outOfMemory, by: sayLLD},
	{text: "Resource temporarily unavailable", kind: outOfMemory, by: sayLLD},
	{text: "No space left on device", kind: diskFull, by: sayAny},
	{text: "plugin needed to handle lto object", kind: slimObject, by: sayAny, before: true},
	{text: "symbol lookup error: ", more: "undefined symbol: ", kind: lookupFailed, by: sayAny},
	{text: "Error relocating ", more: "symbol not found", kind: lookupFailed, by: sayAny}, // musl
	{text: "error while loading shared libraries: ", kind: loadFailed, by: sayAny, end: ": "},
	{text: "SIGSEGV", kind: crashed, by: sayAny},
	{text: "Segmentation fault", kind: crashed, by: sayAny},

	// Not messages.
	{text: ">>> ", kind: continuation, by: sayAny},
	{text: `\u003e\u003e\u003e `, kind: noKind, by: sayAny}, // the same in JSON of Go, read once more as text
	{text: "-warn-unresolved-symbols", kind: unresolvedFlag, by: sayAny},
	{text: "-unresolved-symbols=", more: "ignore-", kind: unresolvedFlag, by: sayAny},
	{text: "-z,undefs", kind: unresolvedFlag, by: sayAny},
	{text: "-zundefs", kind: unresolvedFlag, by: sayAny},
	{text: "-noinhibit-exec", kind: unresolvedFlag, by: sayAny},
	{text: "link-self-contained=y", kind: selfContained, by: sayAny},
	{text: "link-self-contained=on", kind: selfContained, by: sayAny},
	{text: "/nix/store/", kind: store, by: sayAny},
	{text: "/gnu/store/", kind: store, by: sayAny},
	{text: "rustc 1.", kind: compilerVersion, by: sayAny},
	{text: "-fuse-ld=lld", kind: noKind, by: sayAny}, // see driverMessage, linkLine
	{text: "-Wl,-", kind: linkLine, by: sayAny},
	{text: "-flavor", kind: linkLine, by: sayAny},
	{text: "-eh-frame-hdr", kind: linkLine, by: sayAny},
}

// logAutomaton finds the texts of messageRows; their numbers are those of the rows.
var logAutomaton = sync.OnceValue(func() *automaton {
	words := make([]string, len(messageRows))
	for i, r := range messageRows {
		words[i] = r.text
	}
	return newAutomaton(words)
})

// message is a line that a row fits.
type message struct {
	kind    kind
	from    speaker
	warning bool
	subject string
	line    int
	text    string   // of the line, without what a CI service puts in front, shortened
	refs    []string // what stands behind >>> in the lines that follow
}

const (
	maxSubject = 512 // bytes
	maxRefs    = 8   // of a message
	maxRef     = 512 // bytes
)

// readMessage returns the message in a line that has these anchors. ok is false where
// the words belong to something else.
func readMessage(no int, text []byte, anchors anchorSet) (m message, ok bool) {
	for i, row := range messageRows {
		if !anchors.has(i) {
			continue
		}
		at := bytes.Index(text, []byte(row.text))
		if at < 0 || !hasOne(text, row.more) {
			continue
		}
		from, severity := speakerOf(text[:at])
		k := row.kind
		if k == noKind {
			if k = driverMessage(text, from); k == noKind {
				continue
			}
		} else if row.by != sayAny && !says(row.by, from, severity) {
			continue
		}
		// LLD always writes a severity, and rustc takes "warning: " away from what it
		// repeats after "linker stderr: ".
		warning := severity == "warning: " || severity == "" && from == sayLLD
		return message{kind: k, from: from, warning: warning, line: no,
			subject: row.subject(text, at), text: shorten(string(bytes.TrimSpace(text)), maxText)}, true
	}
	return message{}, false
}

// says reports whether a speaker is one of those of a row. LLD goes by the name of ld
// on FreeBSD, Android and where a distribution has it as the default, and always writes
// a severity; GNU ld does not.
func says(by, from speaker, severity string) bool {
	return by&from != 0 || by == sayLLD && from == sayGNU && severity != ""
}

func hasOne(text []byte, alternatives string) bool {
	if alternatives == "" {
		return true
	}
	for a := range strings.SplitSeq(alternatives, "|") {
		if bytes.Contains(text, []byte(a)) {
			return true
		}
	}
	return false
}

// subject is what a message is about.
func (r messageRow) subject(text []byte, at int) string {
	s := text[at+len(r.text):]
	if r.before {
		s = text[:at]
		for _, word := range severities {
			if i := bytes.LastIndex(s, []byte(word)); i >= 0 {
				s = s[i+len(word):]
			}
		}
	} else if r.end != "" {
		if i := bytes.Index(s, []byte(r.end)); i >= 0 {
			s = s[:i]
		}
	}
	return shorten(strings.Trim(string(bytes.TrimSpace(s)), "'`"), maxSubject)
}

var severities = []string{"error: ", "warning: "}

// speakerOf finds the last program that the words of a text end with a colon, and what
// severity follows it.
func speakerOf(text []byte) (speaker, string) {
	from, severity := speaker(sayNobody), ""
	rest := text
	for len(rest) > 0 && (from == sayNobody || severity == "") {
		word := rest
		if i := bytes.IndexByte(rest, ' '); i >= 0 {
			word, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		name, isName := bytes.CutSuffix(word, []byte{':'})
		if !isName || len(name) == 0 || len(name) > maxSubject {
			continue
		}
		switch string(name) {
		case "error", "warning":
			severity = string(name) + ": "
		default:
			if s := programSpeaker(string(name)); s != sayNobody {
				from, severity = s, ""
			}
		}
	}
	return from, severity
}

// programSpeaker says what program a path names.
func programSpeaker(name string) speaker {
	name = strings.ToLower(path.Base(strings.ReplaceAll(name, `\`, "/")))
	name = strings.TrimSuffix(name, ".exe")
	name = strings.TrimRight(name, "0123456789.-")
	last := name[strings.LastIndexAny(name, "-.")+1:]
	switch {
	case name == "":
		return sayNobody
	case last == "lld", strings.HasSuffix(name, "lld-link"), strings.HasSuffix(name, "lld-wrapper"), strings.HasSuffix(name, "wasm-ld"):
		return sayLLD
	case last == "mold", last == "sold":
		return sayMold
	case last == "wild":
		return sayWild
	case last == "gold":
		return sayGold
	case last == "ld", last == "bfd", strings.HasSuffix(name, "ld.bfd.real"):
		return sayGNU
	case last == "collect", last == "gcc", last == "cc", last == "clang", last == "c++", last == "g++", last == "clang++":
		return sayDriver // "collect2" has lost its digit
	}
	return sayNobody
}

// driverMessage judges a line that names collect2 or -fuse-ld=lld. gcc translates its
// messages; names, options and numbers stay.
func driverMessage(text []byte, from speaker) kind {
	if from == sayNobody {
		from, _ = speakerOf(text)
	}
	if from != sayDriver {
		return noKind
	}
	if bytes.Contains(text, []byte("collect2")) {
		for _, quoted := range []string{"'ld'", "‘ld’", "»ld«", "«ld»", "« ld »", "«\u00a0ld\u00a0»", "„ld“", "“ld”", "”ld”", "「ld」", "`ld'"} {
			if bytes.Contains(text, []byte(quoted)) {
				return noLinker
			}
		}
		if hasOne(text, " 9 [| 7 [") {
			return killed
		}
		return noKind
	}
	// A command has many words before the option, a message few, and quotes it.
	if i := bytes.Index(text, []byte("-fuse-ld=lld")); i > 0 && len(text) < maxText && bytes.Count(text, []byte(" -")) < 2 {
		return unknownDriver
	}
	return noKind
}
