package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// rule is a row that leads from a message to a cause. fits says how sure that is, and
// returns "" where the message has another cause; nil fits always. Without a cause, a
// message is an ordinary mistake, and no later rule is asked.
type rule struct {
	kind  kind
	cause Cause
	fits  func(*diagnosis, *attempt, *message) Confidence
}

// rules are tried in order; the first that fits a message counts.
var rules = []rule{
	{undefined, UnresolvedAtRunTime, isWarning},
	{undefined, StartStopGC, startStop},
	{undefined, GxxPersonality, personality},
	{undefined, LTOObjects, noCode},
	{undefinedGNU, LibraryOrder, tooEarly},
	{encapsulation, StartStopGC, nil},
	{undefinedShlib, ShlibUndefined, nil},
	{continuation, ShlibUndefined, nil},
	{duplicate, DuplicateSymbol, twoDefinitions},
	{incompatible, Incompatible, foreign},
	{localSymbol, InvalidLocalSymbol, nil},
	{symbolVersion, LostVersion, nil},
	{compressed, CompressedDebug, nil},
	{textRelocation, TextRelocation, absolute},
	{badOption, LinkerOption, gnuOption},
	{bitcodeVersion, BitcodeVersion, nil},
	{missingLibrary, NoDriver, withoutDriver},
	{noEntry, SelfContainedCrash, withoutStart},
	{crashed, SelfContainedCrash, crashedAtStart},
	{noLinker, NoLLD, askedForLLD},
	{linkerStartFails, NoLLD, nil},
	{loadFailed, NoLLD, linkerItself},
	{loadFailed, LostRunPath, fromStore},
	{unknownDriver, OldDriver, nil},
	{goldUsed, Gold, nil},
	{lookupFailed, UnresolvedAtRunTime, lookedUp},
	{killed, Memory, bySignal},
	{linkFailed, Memory, bySignal},
	{outOfMemory, Memory, whileLinking},
}

// judge turns the messages of an attempt into findings.
func (d *diagnosis) judge(a *attempt) {
	d.noteTarget(a)
	for i := range a.messages {
		m := &a.messages[i]
		for _, r := range rules {
			if r.kind != m.kind {
				continue
			}
			sure := High
			if r.fits != nil {
				sure = r.fits(d, a, m)
			}
			if sure == "" {
				continue
			}
			f := d.found.of(r.cause, sure)
			f.addEvidence(Evidence{d.name, m.line, m.text})
			if r.cause == ShlibUndefined {
				d.lookAtProviders(a, f, m)
			}
			break
		}
	}
}

// noteTarget remembers the target of the first link that failed and tells it. To read
// a command takes a while, and one log has many that do not tell.
func (d *diagnosis) noteTarget(a *attempt) {
	const enough = 64 // commands
	if d.target.IsZero() && a.linkLine != nil && d.commands < enough {
		d.commands++
		d.target = a.cmd().target
		if r := releaseOf(a.linkLine); d.release.IsZero() {
			d.release = r
		}
	}
}

// isWarning: LLD lets the symbol be missing because it was told to.
func isWarning(_ *diagnosis, _ *attempt, m *message) Confidence {
	if m.warning {
		return High
	}
	return ""
}

// startStop: the ends of a section. LLD hints at the remedy with the last symbol alone.
func startStop(_ *diagnosis, a *attempt, m *message) Confidence {
	name, ok := strings.CutPrefix(m.subject, "__start_")
	if !ok {
		name, ok = strings.CutPrefix(m.subject, "__stop_")
	}
	if !ok || !isIdentifier(name) {
		return ""
	}
	if a.has(encapsulation) != nil {
		return High
	}
	return Medium
}

// isIdentifier reports whether C could have the name: only sections with such names
// get __start_ and __stop_ symbols.
func isIdentifier(name string) bool {
	for i, c := range name {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// onlyGNU are options that GNU ld takes and LLD does not: ld(1).
var onlyGNU = []string{"accept-unknown-input-arch", "check-sections", "copy-dt-needed-entries", "dynamic-list-cpp-new", "dynamic-list-cpp-typeinfo",
	"force-group-allocation", "hash-size", "no-copy-dt-needed-entries", "no-keep-memory", "no-map-whole-files", "no-relax", "no-warn-execstack",
	"no-warn-rwx-segments", "reduce-memory-overheads", "secure-plt", "sort-common", "spare-dynamic-tags", "stats", "stub-group-size",
	"task-link", "traditional-format", "warn-alternate-em", "warn-execstack", "warn-multiple-gp", "warn-rwx-segments"}

// gnuOption: what LLD does not know may be unknown to every linker.
func gnuOption(_ *diagnosis, _ *attempt, m *message) Confidence {
	name, _, _ := strings.Cut(strings.TrimLeft(m.subject, "-"), "=")
	if slices.Contains(onlyGNU, name) {
		return High
	}
	return Medium
}

// personality: the routine that only unwinding tables of C++ refer to. If more of the
// C++ runtime is missing, every linker refuses.
func personality(_ *diagnosis, a *attempt, m *message) Confidence {
	if m.subject != "__gxx_personality_v0" {
		return ""
	}
	for i := range a.messages {
		if o := &a.messages[i]; o.kind == undefined && o.subject != m.subject && isRuntimeOfCXX(o.subject) {
			return ""
		}
	}
	for _, ref := range m.refs {
		if strings.Contains(ref, "DW.ref.__gxx_personality_v0") || strings.Contains(ref, ".eh_frame") {
			return High
		}
	}
	return Medium
}

// isRuntimeOfCXX reports whether libstdc++ or libc++ defines a symbol, demangled or not.
func isRuntimeOfCXX(symbol string) bool {
	for _, prefix := range []string{"std::", "operator new", "operator delete", "__cxa_", "__cxxabiv1::", "vtable for __cxxabiv1", "vtable for std::",
		"typeinfo for std::", "__gxx_", "_ZSt", "_ZNSt", "_ZNKSt", "_Zn", "_Zd", "_ZTVN10__cxxabiv1"} {
		if strings.HasPrefix(symbol, prefix) {
			return true
		}
	}
	return false
}

// noCode: LLD has not found a symbol, and an object holds no code: binutils says so, or
// the object itself.
func noCode(d *diagnosis, a *attempt, _ *message) Confidence {
	if d.slim != nil {
		return High
	}
	if !a.looked {
		a.looked = true
		if e, ok := d.files.slimInput(a.cmd()); ok {
			a.slim = true
			d.found.of(LTOObjects, High).addEvidence(e)
		}
	}
	if a.slim {
		return High
	}
	return ""
}

// tooEarly: an archive of the link defines what GNU ld has not found.
func tooEarly(d *diagnosis, a *attempt, m *message) Confidence {
	if d.providers++; d.providers > maxSymbols {
		return ""
	}
	archive := d.files.archiveWith(a.cmd(), m.subject)
	if archive == "" {
		return ""
	}
	d.found.of(LibraryOrder, High).addEvidence(Evidence{File: archive, Text: fmt.Sprintf("defines %q", m.subject)})
	return High
}

// twoDefinitions: an archive is searched by LLD in its own way; two objects that are
// given by name are linked by every linker, and clash for all of them.
func twoDefinitions(_ *diagnosis, _ *attempt, m *message) Confidence {
	archives, members := 0, 0
	for _, ref := range m.refs {
		switch {
		case strings.Contains(ref, " in archive "), strings.HasSuffix(ref, ".o)") && strings.Contains(ref, ".a("):
			archives++
			if strings.HasSuffix(ref, ".rlib") {
				members++
			}
		}
	}
	switch {
	case archives-members > 0:
		return High
	case members > 0, len(m.refs) == 0:
		return Medium
	}
	return Low
}

// foreign: LLD reads the header of each member of an archive. An object that is given
// by name is refused by every linker.
func foreign(_ *diagnosis, _ *attempt, m *message) Confidence {
	if strings.HasSuffix(m.subject, ")") {
		return High
	}
	return Medium
}

// absolute: an address in read-only memory, for which GNU ld lets the loader write
// there. The others fit no position-independent file of any linker.
func absolute(_ *diagnosis, _ *attempt, m *message) Confidence {
	for _, r := range []string{"R_X86_64_64", "R_386_32", "R_386_PC32", "R_AARCH64_ABS64", "R_ARM_ABS32", "R_RISCV_64", "R_PPC64_ADDR64"} {
		if strings.Contains(m.text, r+" ") {
			return High
		}
	}
	return ""
}

// withoutDriver: a linker that was run without a C compiler does not find the C library.
func withoutDriver(_ *diagnosis, a *attempt, m *message) Confidence {
	if programSpeaker(a.failed) != sayLLD {
		return ""
	}
	name, _, _ := strings.Cut(m.subject, " ")
	switch name {
	case "c", "gcc_s", "gcc", "gcc_eh", "m", "pthread", "dl", "rt", "util":
		return High
	}
	return ""
}

// withoutStart: a program without start files. One that brings its own has _start.
func withoutStart(d *diagnosis, a *attempt, m *message) Confidence {
	if m.subject != "_start" || !m.warning {
		return ""
	}
	if d.selfLinked != nil {
		return High
	}
	if a.cmd().flags["-nostartfiles"] {
		return Medium
	}
	return Low
}

// crashedAtStart: a crash, and the option that leaves the start files out.
func crashedAtStart(d *diagnosis, _ *attempt, _ *message) Confidence {
	if d.selfLinked != nil {
		return High
	}
	return ""
}

// askedForLLD: gcc names ld whichever linker it has not found.
func askedForLLD(d *diagnosis, a *attempt, m *message) Confidence {
	if !strings.Contains(m.text, "collect2") {
		return High
	}
	yes, known := a.cmd().lld()
	switch {
	case known && yes:
		return High
	case a.linkLine != nil:
		return "" // ld itself is missing
	}
	return Medium
}

// linkerItself: the library that is missing is one of LLD.
func linkerItself(_ *diagnosis, _ *attempt, m *message) Confidence {
	if strings.Contains(m.text, "lld: error while loading") || strings.HasPrefix(m.subject, "libLLVM") && strings.Contains(m.text, "lld") {
		return High
	}
	return ""
}

// fromStore: on Nix and Guix a wrapper around the linker adds the search path.
func fromStore(d *diagnosis, _ *attempt, _ *message) Confidence {
	if d.store != nil {
		return Medium
	}
	return ""
}

// lookedUp: the loader misses a symbol. Only an option of the link makes sure why.
func lookedUp(d *diagnosis, _ *attempt, _ *message) Confidence {
	if d.unresolved != nil {
		return High
	}
	return Low
}

// bySignal: a linker is killed for its use of memory, or cannot write the file that it
// has mapped.
func bySignal(d *diagnosis, a *attempt, m *message) Confidence {
	lld, sure := a.ledBy()
	if sure && !lld {
		return ""
	}
	text := strings.ToUpper(m.text + " " + a.signal)
	bus := strings.Contains(text, " 7 [") || strings.Contains(text, "SIGBUS") || strings.Contains(text, "BUS ERROR")
	kill := strings.Contains(text, " 9 [") || strings.Contains(text, "SIGKILL") || strings.Contains(text, "KILLED")
	switch {
	case bus && d.full, !bus && !kill:
		return ""
	case bus, !sure:
		return Medium
	}
	return High
}

// whileLinking: rustc and other compilers run out of memory too.
func whileLinking(d *diagnosis, a *attempt, m *message) Confidence {
	lld, sure := a.ledBy()
	switch {
	case sure && !lld, d.full:
		return ""
	case m.from == sayLLD:
		return High
	case a.failed != "":
		return Medium
	}
	return ""
}
