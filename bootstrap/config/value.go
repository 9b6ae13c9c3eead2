package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"x.go/bootstrap/toml"
	"x.go/targets"
)

// decode turns a node into the value of a key. On a mismatch it returns what
// is wrong and the node to point at, which may be an element of an array.
func decode(k Key, n *toml.Node) (any, *toml.Node, string) {
	v, at, msg := readers[k.Type](k, n)
	if msg == "" {
		return v, nil, ""
	}
	if at == nil {
		at = n
	}
	return nil, at, msg
}

// wants says what each type takes, for "got …, want …".
var wants = map[Type]string{
	Bool:            "a boolean",
	Int:             "an integer that is not negative",
	String:          "a string",
	Path:            "a string with a path",
	Strings:         "an array of strings",
	Triple:          "a string with a target triple",
	Triples:         "an array of target triples",
	OfferedFor:      `an array of target triples, or ["*"]`,
	Enum:            "a string",
	EnumList:        "an array of strings",
	StringOrBoolean: "a boolean or a string",
	StringMap:       "a table of strings",
	Debuginfo:       `0, 1, 2, "none", "line-directives-only", "line-tables-only", "limited" or "full"`,
	Optimize:        `0, 1, 2, 3, "s", "z", true or false`,
	LLDOverride:     "one of true, 'self-contained' or 'external'",
	Size:            `bytes, or a string such as "512MiB"`,
	ThreadBounds:    `"off", a number of threads, or some of "jobserver", "serial", "leaf", "memory" and a number with commas between them`,
	ChangeNumber:    `"ignore" or an integer`,
}

// reader reads one type of key. It returns the value, or the node at fault
// (nil for n itself) and what is wrong with it.
type reader func(k Key, n *toml.Node) (v any, at *toml.Node, msg string)

// readers holds a function for each [Type].
var readers = map[Type]reader{
	Bool:            readBool,
	Int:             readInt,
	String:          readString,
	Path:            readString,
	Strings:         readStrings,
	Triple:          readTriple,
	Triples:         readTriples,
	OfferedFor:      readOfferedFor,
	Enum:            readEnum,
	EnumList:        readEnumList,
	StringOrBoolean: readStringOrBool,
	StringMap:       readStringMap,
	Debuginfo:       readDebuginfo,
	Optimize:        readOptimize,
	LLDOverride:     readLLDOverride,
	Size:            readSize,
	ThreadBounds:    readThreads,
	ChangeNumber:    readChangeID,
}

func mismatch(k Key, n *toml.Node) string {
	return fmt.Sprintf("got %s, want %s", n.Describe(), wants[k.Type])
}

func quotedList(values []string) string {
	q := make([]string, len(values))
	for i, v := range values {
		q[i] = strconv.Quote(v)
	}
	return orList(q)
}

// orList joins names as "a", "a or b", "a, b or c".
func orList(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func readBool(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.Bool {
		return nil, nil, mismatch(k, n)
	}
	return n.Text == "true", nil, ""
}

func readInt(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.Integer {
		return nil, nil, mismatch(k, n)
	}
	top := int64(math.MaxUint32) // upstream's u32
	if k.Max > 0 {
		top = int64(k.Max)
	}
	v, err := toml.ParseInteger(n.Text)
	if err != nil || v < 0 || v > top {
		return nil, nil, fmt.Sprintf("got integer %s, want 0 to %d", n.Text, top)
	}
	return int(v), nil, ""
}

func readString(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.String {
		return nil, nil, mismatch(k, n)
	}
	if strings.ContainsRune(n.Text, 0) {
		return nil, nil, fmt.Sprintf("got string %.60q, want text without a zero byte", n.Text)
	}
	return n.Text, nil, ""
}

func readStrings(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.Array {
		return nil, nil, mismatch(k, n)
	}
	out := make([]string, 0, len(n.Items))
	for _, item := range n.Items {
		v, _, msg := readString(Key{Type: String}, item)
		if msg != "" {
			return nil, item, msg
		}
		out = append(out, v.(string))
	}
	return out, nil, ""
}

func readTriple(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.String {
		return nil, nil, mismatch(k, n)
	}
	parse := targets.ParseTriple
	if strings.HasSuffix(n.Text, specSuffix) {
		parse = targets.TripleOfSpec
	}
	t, err := parse(n.Text)
	if err != nil {
		return nil, nil, err.Error()
	}
	return t, nil, ""
}

// specSuffix is that of a target's specification, which can stand for its name.
const specSuffix = ".json"

// written returns the text of a node that names targets by their specifications, as
// the values of it that [toTOML] takes; nil for all other nodes.
func written(k Key, n *toml.Node) any {
	switch {
	case k.Type == Triple && strings.HasSuffix(n.Text, specSuffix):
		return n.Text
	case k.Type == Triples && slices.ContainsFunc(n.Items, func(item *toml.Node) bool { return strings.HasSuffix(item.Text, specSuffix) }):
		out := make([]string, len(n.Items))
		for i, item := range n.Items {
			out[i] = item.Text
		}
		return out
	}
	return nil
}

// maxTriples is thrice the number of targets that rustc knows.
const maxTriples = 1000

func readTriples(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.Array {
		return nil, nil, mismatch(k, n)
	}
	if len(n.Items) > maxTriples {
		return nil, nil, fmt.Sprintf("got %d targets, want at most %d", len(n.Items), maxTriples)
	}
	out := make([]targets.Triple, 0, len(n.Items))
	for _, item := range n.Items {
		v, _, msg := readTriple(Key{Type: Triple}, item)
		if msg != "" {
			return nil, item, msg
		}
		out = append(out, v.(targets.Triple))
	}
	return out, nil, ""
}

// anyTarget is what a channel calls the target of components that are the same for all.
const anyTarget = "*"

// readOfferedFor reads what a component is for, as texts.
func readOfferedFor(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.Array {
		return nil, nil, mismatch(k, n)
	}
	if len(n.Items) == 0 {
		return nil, nil, "got an empty array, want " + wants[k.Type]
	}
	if len(n.Items) == 1 && n.Items[0].Kind == toml.String && n.Items[0].Text == anyTarget {
		return []string{anyTarget}, nil, ""
	}
	triples, at, msg := readTriples(Key{Type: Triples}, n)
	if msg != "" {
		return nil, at, msg
	}
	var out []string
	for i, t := range triples.([]targets.Triple) {
		if slices.Contains(out, t.String()) {
			return nil, n.Items[i], fmt.Sprintf("got %q twice, want each once", t)
		}
		out = append(out, t.String())
	}
	return out, nil, ""
}

// enumTexts are what upstream says first about a value that does not exist,
// so that a search for its message finds ours.
var enumTexts = map[string]string{
	"rust.lto":                               "Invalid value for rustc LTO: %s",
	"target.*.default-linker-linux-override": "unknown variant `%s`",
	"rust.llvm-libunwind":                    "Invalid value '%s' for rust.llvm-libunwind config.",
}

func readEnum(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.String {
		return nil, nil, fmt.Sprintf("got %s, want %s", n.Describe(), quotedList(k.Values))
	}
	if slices.Contains(k.Values, n.Text) {
		return n.Text, nil, ""
	}
	got := fmt.Sprintf("got %.60q", n.Text)
	if text, ok := enumTexts[k.ID()]; ok {
		got = fmt.Sprintf(text, n.Text)
	}
	return nil, nil, fmt.Sprintf("%s, want %s", got, quotedList(k.Values))
}

func readEnumList(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.Array {
		return nil, nil, mismatch(k, n)
	}
	var out []string
	for _, item := range n.Items {
		v, _, msg := readEnum(k, item)
		if msg != "" {
			return nil, item, msg
		}
		if slices.Contains(out, v.(string)) {
			return nil, item, fmt.Sprintf("got %q twice, want each once", v)
		}
		out = append(out, v.(string))
	}
	if len(out) == 0 {
		return nil, nil, fmt.Sprintf("%s can't be empty, want some of %s", k.ID(), quotedList(k.Values))
	}
	return out, nil, ""
}

func readStringOrBool(k Key, n *toml.Node) (any, *toml.Node, string) {
	switch {
	case n.Kind == toml.Bool:
		return StringOrBool{Bool: n.Text == "true"}, nil, ""
	case n.Kind != toml.String:
		return nil, nil, mismatch(k, n) + " (data did not match any variant of untagged enum StringOrBool)"
	case n.Text == "":
		return nil, nil, "got an empty string, want a boolean or text"
	case k.Values != nil && !slices.Contains(k.Values, n.Text):
		return nil, nil, fmt.Sprintf("got %.60q, want true, false or %s", n.Text, quotedList(k.Values))
	}
	return StringOrBool{Text: n.Text, Bool: true}, nil, ""
}

func readStringMap(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.Table {
		return nil, nil, mismatch(k, n)
	}
	out := make(map[string]string, len(n.Children))
	for _, c := range n.Children {
		v, _, msg := readString(Key{Type: String}, c)
		if msg != "" {
			return nil, c, msg
		}
		out[c.Key] = v.(string)
	}
	return out, nil, ""
}

// debuginfoLevels are the names of the numbers 0, 1 and 2.
var debuginfoLevels = map[string]DebuginfoLevel{
	"0": DebuginfoNone, "1": DebuginfoLimited, "2": DebuginfoFull,
}

func readDebuginfo(k Key, n *toml.Node) (any, *toml.Node, string) {
	switch n.Kind {
	case toml.Integer:
		if v, err := toml.ParseInteger(n.Text); err == nil {
			if level, ok := debuginfoLevels[strconv.FormatInt(v, 10)]; ok {
				return level, nil, ""
			}
		}
	case toml.String:
		switch l := DebuginfoLevel(n.Text); l {
		case DebuginfoNone, DebuginfoLineDirectivesOnly, DebuginfoLineTablesOnly, DebuginfoLimited, DebuginfoFull:
			return l, nil, ""
		}
	}
	return nil, nil, mismatch(k, n)
}

func readOptimize(k Key, n *toml.Node) (any, *toml.Node, string) {
	switch {
	case n.Kind == toml.Bool:
		return OptLevel(n.Text), nil, ""
	case n.Kind == toml.String && (n.Text == "s" || n.Text == "z"):
		return OptLevel(n.Text), nil, ""
	case n.Kind == toml.Integer:
		if v, err := toml.ParseInteger(n.Text); err == nil && v >= 0 && v <= 3 {
			return OptLevel(strconv.FormatInt(v, 10)), nil, ""
		}
	case n.Kind != toml.String:
		return nil, nil, mismatch(k, n)
	}
	return nil, nil, fmt.Sprintf(`unrecognized option for rust optimize: %q, expected one of 0, 1, 2, 3, "s", "z", true, false`, n.Text)
}

func readLLDOverride(k Key, n *toml.Node) (any, *toml.Node, string) {
	switch {
	case n.Kind == toml.Bool && n.Text == "true":
		return LLDModeExternal, nil, ""
	case n.Kind == toml.Bool:
		return LLDModeNone, nil, ""
	case n.Kind != toml.String:
		return nil, nil, mismatch(k, n)
	}
	switch m := LLDMode(n.Text); m {
	case LLDModeExternal, LLDModeSelfContained:
		return m, nil, ""
	}
	return nil, nil, fmt.Sprintf("unknown mode %s, want %s", n.Text, wants[k.Type])
}

// sizeUnits are the factors of size suffixes.
var sizeUnits = []struct {
	suffix string
	factor int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

func readSize(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.Integer && n.Kind != toml.String {
		return nil, nil, mismatch(k, n)
	}
	size, err := ParseSize(n.Text)
	if err != nil {
		return nil, nil, mismatch(k, n)
	}
	return size, nil, ""
}

// ParseSize reads a positive number of bytes, such as 4096, "2GiB" or "500 MB".
func ParseSize(text string) (int64, error) {
	number, factor := text, int64(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(text, u.suffix); ok {
			number, factor = strings.TrimSpace(rest), u.factor
			break
		}
	}
	v, err := toml.ParseInteger(number)
	if number == "" || err != nil || v <= 0 || v > math.MaxInt64/factor {
		return 0, fmt.Errorf("parsing size: got %.40q, want a number of bytes, such as 512MiB", text)
	}
	return v * factor, nil
}

// maxThreads is more than any machine has processors.
const maxThreads = 4096

// readThreads reads a [Threads] in any order, with blanks behind the commas.
func readThreads(k Key, n *toml.Node) (any, *toml.Node, string) {
	if n.Kind != toml.String && n.Kind != toml.Integer {
		return nil, nil, mismatch(k, n)
	}
	var words []string
	for word := range strings.SplitSeq(n.Text, ",") {
		words = append(words, strings.TrimSpace(word))
	}
	if len(words) == 1 && words[0] == threadsOff {
		return threadsOff, nil, ""
	}
	capped := false
	for i, word := range words {
		most, err := toml.ParseInteger(word)
		number := err == nil || word == threadsSerial
		switch {
		case err == nil && (most < 1 || most > maxThreads):
			return nil, nil, fmt.Sprintf("got %d threads, want 1 to %d", most, maxThreads)
		case number && capped:
			return nil, nil, fmt.Sprintf("got two numbers of threads in %.60q, want one", n.Text)
		case !number && !slices.Contains([]string{ThreadsJobserver, threadsLeaf, ThreadsMemory}, word):
			return nil, nil, mismatch(k, n)
		case slices.Contains(words[:i], word):
			return nil, nil, fmt.Sprintf("got %q twice, want each once", word)
		case err == nil:
			words[i] = strconv.FormatInt(most, 10)
		}
		capped = capped || number
	}
	return strings.Join(words, ","), nil, ""
}

func readChangeID(k Key, n *toml.Node) (any, *toml.Node, string) {
	switch {
	case n.Kind == toml.String && n.Text == "ignore":
		return ChangeID{Ignore: true}, nil, ""
	case n.Kind == toml.Integer:
		if v, err := toml.ParseInteger(n.Text); err == nil && v >= 0 && v <= math.MaxInt {
			return ChangeID{ID: int(v)}, nil, ""
		}
	}
	return nil, nil, fmt.Sprintf("got %s, expected \"ignore\" or an integer for change-id", n.Describe())
}
