package optouts

import (
	"bytes"
	"strings"
)

// Class says what an option is about.
type Class string

// The classes.
const (
	ClassFeatures      Class = "linker-features"     // ±lld
	ClassSelfContained Class = "link-self-contained" // y, n, ±linker
	ClassFlavor        Class = "linker-flavor"
	ClassGccLd         Class = "gcc-ld" // -Zgcc-ld=lld
	ClassLinker        Class = "linker" // the program
	ClassFuseLd        Class = "fuse-ld"
	ClassStartStop     Class = "start-stop-gc"
	ClassUndefined     Class = "shlib-undefined"
	ClassThreads       Class = "threads"
	ClassUnlock        Class = "unstable-options"
	ClassToolchain     Class = "toolchain" // keys of bootstrap.toml
)

// found is an option where it stands in a file.
type found struct {
	class   Class
	option  string   // as it is written, words joined by one blank
	args    []string // the same for rustc; nil where rustc is not told
	at, end int      // of all of it in the file
	mark    int      // where the part that says most begins
	group   int
	key     string // of the variable or array that it is in, "" where unknown
	target  string // that the place names: a triple or cfg(…), "" for none
	words   int    // that it consists of
}

// optionKeys are the options of rustc that this package knows, after -C or -Z.
var optionKeys = map[string]bool{
	"linker-features": true, "link-self-contained": true, "linker-flavor": true, "gcc-ld": true,
	"link-arg": true, "link-args": true, "pre-link-arg": true, "pre-link-args": true,
}

func isOptionLetter(s string) bool { return s == "-C" || s == "-Z" || s == "--codegen" }

// isRustcOption reports whether a word begins with -C or -Z and its name.
func isRustcOption(b []byte) bool {
	return len(b) > 2 && b[0] == '-' && (b[1] == 'C' || b[1] == 'Z') || bytes.HasPrefix(b, []byte("--codegen"))
}

// reader finds options in words.
type reader struct {
	out     []found
	letter  *word // -C or -Z that waits for its value
	keys    [2]string
	linkArg []word // -Clink-arg=-z that waits for the next -Clink-arg
	target  string
	src     []byte // where the text has sections of its own; nil where target is known
	fixed   string // key that holds for all words, "" where the words have their own
}

// read finds the options among words. key and target are those of the place, where
// it has some of its own.
func read(words []word, key, target string) []found {
	r := reader{target: target, fixed: key}
	for _, w := range words {
		for _, part := range splitWord(w) {
			r.word(part)
		}
	}
	return r.out
}

// splitWord takes flags out of an option of another program, such as
// --action_env=RUSTFLAGS=-Clinker-features=-lld, and a colon out of
// --@rules_rust//:extra_rustc_flags=….
func splitWord(w word) []word {
	if strings.HasPrefix(w.text, "-C") || strings.HasPrefix(w.text, "-Z") || strings.HasPrefix(w.text, "--codegen") || len(w.text) != w.end-w.at {
		return []word{w}
	}
	for _, mark := range []string{"=-C", "=-Z", "=-C ", "=--codegen"} {
		i := strings.Index(w.text, mark)
		if i < 0 || optionKeys[strings.ReplaceAll(w.text[:i], "_", "-")] {
			continue
		}
		name := word{text: w.text[:i], at: w.at, end: w.at + i, key: true, group: w.group}
		return []word{name, {text: w.text[i+1:], at: w.at + i + 1, end: w.end, group: w.group}}
	}
	return []word{w}
}

// between are words that stand between -C and its value where a program builds a
// list.
var between = set("+ ++ , - . .. \\ arg .arg args .args push .push append .append extend insert add | & and")

func (r *reader) word(w word) {
	text := w.text
	if strings.Trim(text, "=:+?") == "" {
		return
	}
	if r.src != nil {
		r.section(w)
	}
	if r.letter != nil {
		if between[text] && r.letter.text != "" {
			return
		}
		letter := *r.letter
		r.letter = nil
		if r.option(letter.text, strings.TrimRight(text, ".;"), letter, w) {
			return
		}
	}
	switch {
	case w.key:
		r.setKey(w)
	case isOptionLetter(text):
		r.letter = &w
	case strings.HasPrefix(text, "-C") || strings.HasPrefix(text, "-Z"):
		r.option(text[:2], text[2:], word{}, w)
	case strings.HasPrefix(text, "--codegen="):
		r.option("-C", text[len("--codegen="):], word{}, w)
	case strings.HasPrefix(text, "linker-features=") || strings.HasPrefix(text, "link-self-contained="):
		r.option("-C", text, word{}, w)
	case r.linkArgKey():
		r.directLinkArg(w)
	default:
		r.value(w)
	}
}

// section follows the headers of TOML within another text, such as the [target.X] of
// a cargo configuration in a script or a page.
func (r *reader) section(w word) {
	if w.at == 0 || r.src[w.at-1] != '[' || w.at > 1 && r.src[w.at-2] != '\n' && !isBlank(r.src[w.at-2]) {
		return
	}
	line, _, _ := bytes.Cut(r.src[w.at:min(len(r.src), w.at+maxWord)], []byte("\n"))
	header := strings.TrimSpace(string(line))
	name, isTarget := strings.CutPrefix(header, "target.")
	r.target = ""
	if close := strings.LastIndexByte(name, ']'); isTarget && close >= 0 {
		r.target = strings.Trim(name[:close], `"'\`)
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

// setKey remembers the names of the statement.
func (r *reader) setKey(w word) {
	r.keys[1], r.keys[0] = r.keys[0], w.text
}

// key is the name that the words belong to.
func (r *reader) key() string {
	if r.fixed != "" {
		return r.fixed
	}
	return r.keys[0]
}

// trimmed takes the punctuation of a sentence from the end of a value.
func trimmed(value string) string { return strings.TrimRight(value, ".;:)\\") }

// option adds -C or -Z with its value, and reports whether it took the word.
func (r *reader) option(letter, value string, first, w word) bool {
	name, arg, has := strings.Cut(trimmed(value), "=")
	name = strings.ReplaceAll(name, "_", "-")
	if letter == "--codegen" {
		letter = "-C"
	}
	f := found{at: w.at, end: w.end, mark: w.at, group: w.group, words: 1, key: r.key(), target: r.target}
	f.end -= len(value) - len(trimmed(value))
	f.option = strings.TrimSuffix(w.text, value[len(trimmed(value)):])
	if first.text != "" {
		f.at, f.words, f.option = first.at, 2, first.text+" "+f.option
	}
	f.args = []string{letter + name}
	if has {
		f.args[0] += "=" + arg
	}
	switch name {
	case "linker-features":
		f.class = ClassFeatures
	case "link-self-contained":
		f.class = ClassSelfContained
	case "linker-flavor":
		f.class = ClassFlavor
	case "gcc-ld":
		f.class = ClassGccLd
	case "linker":
		f.class = ClassLinker
	case "unstable-options":
		f.class = ClassUnlock
	case "link-arg", "link-args", "pre-link-arg", "pre-link-args":
		return r.linkArgs(f, strings.HasSuffix(name, "s"), arg)
	default:
		return false
	}
	if wantsZ := f.class == ClassGccLd || f.class == ClassUnlock; letter == "-Z" && f.class == ClassLinker || letter == "-C" && wantsZ {
		return false
	}
	if wantsValue := f.class != ClassUnlock && f.class != ClassSelfContained; wantsValue && arg == "" {
		return false
	}
	r.out = append(r.out, f)
	return true
}

// linkArgs adds those of the linker's arguments that matter: all in one option where
// there is one, else one finding for each.
func (r *reader) linkArgs(f found, several bool, arg string) bool {
	args := []string{arg}
	if several {
		args = strings.Fields(arg)
	}
	name, _, _ := strings.Cut(f.args[0], "=")
	full := f.option
	for _, a := range args {
		class, waits := r.linkArg1(a, f)
		if waits {
			continue
		}
		if class == "" {
			continue
		}
		one := f
		one.class = class
		one.args = []string{name + "=" + a}
		if len(r.linkArg) > 0 { // -z of the option before
			z := r.linkArg[0]
			one.args = []string{name + "=" + z.text, name + "=" + a}
			if z.at != f.at {
				one.at, one.words = z.at, 4
				one.option = strings.Replace(full, "="+a, "="+z.text, 1) + " " + full
			}
		}
		if len(args) > 1 {
			one.words = 0 // part of a word
			if len(r.linkArg) == 0 || r.linkArg[0].at == f.at {
				one.option = strings.Split(full, "=")[0] + "=" + strings.TrimPrefix(strings.Join(one.args, " "), name+"=")
				one.option = strings.ReplaceAll(one.option, " "+name+"=", " ")
			}
		}
		r.linkArg = nil
		r.out = append(r.out, one)
	}
	return true
}

// linkArg1 says what an argument of the linker is about. An argument that only
// introduces the next one waits for it.
func (r *reader) linkArg1(a string, f found) (class Class, waits bool) {
	if a == "-z" || a == "-Wl,-z" || a == "-Xlinker" {
		r.linkArg = []word{{text: a, at: f.at, end: f.end}}
		return "", true
	}
	if class = linkArgClass(a, len(r.linkArg) > 0); class == "" {
		r.linkArg = nil
	}
	return class, false
}

// linkArgClass classifies an argument for the C compiler or linker. afterZ says that
// -z came before it.
func linkArgClass(a string, afterZ bool) Class {
	if afterZ {
		a = strings.TrimPrefix(a, "-Wl,")
	}
	switch {
	case strings.HasPrefix(a, "-fuse-ld=") || strings.HasPrefix(a, "--ld-path="):
		return ClassFuseLd
	case strings.HasPrefix(a, "-B") && namesLinkerDir(a[2:]):
		return ClassFuseLd
	case afterZ && (a == "nostart-stop-gc" || a == "start-stop-gc"):
		return ClassStartStop
	}
	list := strings.Split(strings.TrimPrefix(a, "-Wl,"), ",")
	for i, item := range list {
		switch {
		case strings.HasPrefix(item, "-znostart-stop-gc"), strings.HasPrefix(item, "-zstart-stop-gc"), i > 0 && list[i-1] == "-z" && strings.HasSuffix(item, "start-stop-gc"):
			return ClassStartStop
		case strings.HasSuffix(item, "-allow-shlib-undefined"), strings.HasSuffix(item, "-no-allow-shlib-undefined"):
			return ClassUndefined
		case strings.HasPrefix(item, "--threads"), item == "--no-threads", strings.HasPrefix(item, "--thread-count"), strings.HasPrefix(item, "-threads"):
			return ClassThreads
		}
	}
	return ""
}

// namesLinkerDir reports whether a directory given with -B holds a linker.
func namesLinkerDir(dir string) bool {
	for _, name := range []string{"mold", "wild", "gcc-ld", "lld"} {
		if strings.Contains(dir, name) {
			return true
		}
	}
	return false
}

// linkArgKey reports whether the key is one by which a build script gives an argument
// to the linker: cargo::rustc-link-arg and its kin.
func (r *reader) linkArgKey() bool {
	for _, k := range r.keys {
		if i := strings.Index(k, "rustc-link-arg"); i >= 0 && (i == 0 || k[i-1] == ':') {
			return true
		}
	}
	return false
}

func (r *reader) directLinkArg(w word) {
	a := trimmed(w.text)
	class := linkArgClass(a, false)
	if class == "" {
		return
	}
	key := r.keys[0]
	if !strings.Contains(key, "rustc-link-arg") {
		key = r.keys[1]
	}
	r.out = append(r.out, found{class: class, option: key + "=" + a, args: []string{"-Clink-arg=" + a},
		at: w.at, end: w.end - (len(w.text) - len(a)), mark: w.at, group: w.group, key: key, target: r.target, words: 1})
}

// value takes the value of a variable that names a linker, and -fuse-ld in variables
// that C compilers read.
func (r *reader) value(w word) {
	key := r.key()
	switch {
	case isLinkerVariable(key):
		r.add(ClassLinker, key+"="+w.text, "-Clinker="+w.text, w)
		r.out[len(r.out)-1].target = variableTarget(key)
		r.keys[0] = ""
	case isLinkerVariable(w.text): // env::set_var("CARGO_TARGET_…_LINKER", "clang"), ENV … clang
		r.keys[0] = w.text
	case key == "linker" && r.src != nil && r.target != "":
		r.add(ClassLinker, "linker = "+w.text, "-Clinker="+w.text, w)
		r.keys[0] = ""
	case isCFlags(key) && strings.HasPrefix(w.text, "-fuse-ld="):
		r.add(ClassFuseLd, key+"="+w.text, "", w)
	}
}

func (r *reader) add(class Class, option, arg string, w word) {
	f := found{class: class, option: option, at: w.at, end: w.end, mark: w.at, group: w.group, key: r.key(), target: r.target, words: 1}
	if arg != "" {
		f.args = []string{arg}
	}
	r.out = append(r.out, f)
}

// isLinkerVariable reports whether cargo takes a linker from the variable.
func isLinkerVariable(name string) bool {
	name = strings.TrimPrefix(name, "$env:")
	return strings.HasPrefix(name, "CARGO_TARGET_") && strings.HasSuffix(name, "_LINKER") && len(name) > len("CARGO_TARGET__LINKER") ||
		strings.HasPrefix(name, "target.") && strings.HasSuffix(name, ".linker")
}

// variableTarget returns the target in CARGO_TARGET_TRIPLE_LINKER or _RUSTFLAGS as
// cargo writes it there, or in target.TRIPLE.linker; "" where there is none.
func variableTarget(name string) string {
	name = strings.TrimPrefix(name, "$env:")
	if rest, ok := strings.CutPrefix(name, "target."); ok {
		rest = strings.TrimSuffix(strings.TrimSuffix(rest, ".linker"), ".rustflags")
		return strings.Trim(rest, `"'`)
	}
	rest, ok := strings.CutPrefix(name, "CARGO_TARGET_")
	if !ok {
		return ""
	}
	for _, end := range []string{"_LINKER", "_RUSTFLAGS"} {
		if t, ok := strings.CutSuffix(rest, end); ok && t != "" {
			return t
		}
	}
	return ""
}

// isCFlags reports whether C compilers and their build systems read the variable.
func isCFlags(name string) bool {
	switch name {
	case "LDFLAGS", "CFLAGS", "CXXFLAGS", "NIX_LDFLAGS", "NIX_CFLAGS_LINK", "CGO_LDFLAGS":
		return true
	}
	return false
}
