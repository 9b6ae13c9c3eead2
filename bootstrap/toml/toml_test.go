package toml_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gotoml "github.com/pelletier/go-toml/v2"

	"x.go/bootstrap/toml"
)

// tree writes what a document says, one leaf a line with its place.
func tree(d *toml.Document) string {
	var b strings.Builder
	var walk func(n *toml.Node, path string)
	walk = func(n *toml.Node, path string) {
		if n.Kind != toml.Table && n.Kind != toml.TableArray && n.Kind != toml.Array {
			fmt.Fprintf(&b, "%d:%d %s = %s\n", d.Position(n.At).Line, d.Position(n.At).Column, path, n.Describe())
		}
		for _, c := range n.Children {
			walk(c, strings.TrimPrefix(path+"."+c.Key, "."))
		}
		for i, c := range n.Items {
			walk(c, toml.Element(path, i))
		}
	}
	walk(d.Root, "")
	return b.String()
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"dots and headers", "a.b = 1\n[c]\nd = 'x'\n[[e]]\nf = true\n[[e]]\nf = false", "1:3 a.b = integer 1\n3:1 c.d = string \"x\"\n5:1 e[0].f = boolean true\n7:1 e[1].f = boolean false\n"},
		{"values", "a = [1.5, {b = 1979-05-27}]", "1:1 a[0] = float 1.5\n1:12 a[1].b = a date\n"},
		{"byte order mark", "\ufeffa = 1", "1:1 a = integer 1\n"},
		{"characters", "\"ä\".b = 1\n", "1:5 ä.b = integer 1\n"},
		{"goes on", "a = \nb = 2\n[c\nd = 3\n[e]\nf = 4", "2:1 b = integer 2\n6:1 e.f = integer 4\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tree(toml.Parse("f", []byte(tt.text)))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("a.", 64) + "a"
	tests := []struct{ text, want string }{
		{"a = 1\na = 2", "f:2:1: a: set twice, first on line 1"},
		{"[a]\n[b]\n[a]", "f:3:2: a: defined twice, first on line 1"},
		{"a = 1\n[a.b]", "f:2:2: a: cannot add to what was set to an integer on line 1"},
		{"a = [{b = 1, b = 2}]", "f:1:14: a.b: set twice, first on line 1"},
		{"a = 1__0", "f:1:6: "}, {"a = 99999999999999999999", "f:1:5: a: got \"99999999999999999999\", want an integer as TOML writes it"},
		{"a = 1979-13-01", "f:1:5: a: got \"1979-13-01\", want a date as TOML writes it"},
		{"a = [[[" + strings.Repeat("[", 100) + strings.Repeat("]", 103), "f:1:1: a: nested more than 64 deep"},
		{deep + " = 1", "f:1:129: " + deep + ": nested more than 64 deep"},
		{"[" + deep + "]", "f:1:130: " + deep + ": nested more than 64 deep"},
		{"a = ", "f:1:4: expected value"},
		{strings.Repeat("a", toml.MaxSize) + "=1", "f:1:1: got 4194306 bytes, the limit is 4194304"},
	}
	for _, tt := range tests {
		t.Run(tt.text[:min(len(tt.text), 20)], func(t *testing.T) {
			t.Parallel()
			d := toml.Parse("f", []byte(tt.text))
			if err := d.Err(); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %.300v, want %.300s", err, tt.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	d := toml.Parse("f", []byte("[a.\"b.\\\"c\"]\nd = [{e = 1}, 2]\n[[g]]\n[[g]]\nh = 1"))
	for path, want := range map[string]string{
		toml.Path("a", `b."c`, "d"):                         "f:2:1",
		toml.Element(toml.Path("a", `b."c`, "d"), 0) + ".e": "f:2:7",
		toml.Element(toml.Path("a", `b."c`, "d"), 7) + ".e": "f:2:1",
		toml.Path("a", `b."c`, "x", "y"):                    "f:1:4",
		toml.Path("a", "x"):                                 "f:1:2",
		"g[1].h":                                            "f:5:1",
		"g[1].i":                                            "f:4:3",
		"none":                                              "",
		`"`:                                                 "",
	} {
		got := ""
		if n := d.Nearest(path); n != nil {
			got = d.Position(n.At).String()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("ä€x", 1000) + "\n"
	d := toml.Parse("f", []byte("\ufeff"+line+line))
	for _, off := range []int{0, 3, 4, 5, 8, 1022, 1023, 1024, 3000, 3 + len(line), 3 + len(line) + 2046, 3 + 2*len(line), 1 << 20} {
		before := d.Data[min(3, len(d.Data)):max(3, min(off, len(d.Data)))]
		start := bytes.LastIndexByte(before, '\n') + 1
		want := toml.Position{File: "f", Line: bytes.Count(before, []byte("\n")) + 1, Column: 1}
		for i := range before[start:] {
			if before[start+i]&0xc0 != 0x80 {
				want.Column++
			}
		}
		if got := d.Position(off); got != want {
			t.Errorf("offset %d: got %v, want %v", off, got, want)
		}
	}
}

// TestLinear holds that four times the text takes about four times the memory, by
// which the work is bounded too, for texts that slow down a careless reader.
func TestLinear(t *testing.T) {
	const unit = 1 << 16
	long := strings.Repeat("a", unit/4)
	for name, text := range map[string]func(n int) string{
		"one deep key":     func(n int) string { return strings.Repeat("a.", n/2) + "a = 1" },
		"one deep header":  func(n int) string { return "[" + strings.Repeat("a.", n/2) + "a]" },
		"many keys":        func(n int) string { return lines(n, func(i int) string { return fmt.Sprintf("k%d = 1\n", i) }) },
		"many dotted keys": func(n int) string { return lines(n, func(i int) string { return fmt.Sprintf("a.b.c%d = 1\n", i) }) },
		"many headers":     func(n int) string { return lines(n, func(i int) string { return fmt.Sprintf("[a.b%d]\n", i) }) },
		"many tables":      func(n int) string { return lines(n, func(int) string { return "[[a]]\n" }) },
		"one line": func(n int) string {
			return "a = {" + lines(n, func(i int) string { return fmt.Sprintf("k%d=1,", i) }) + "z=1}"
		},
		"keys twice": func(n int) string { return lines(n, func(int) string { return "a = 1\n" }) },
		"below a long name": func(n int) string {
			return "[" + long + "]\n" + lines(n, func(i int) string { return fmt.Sprintf("k%d = 1\n", i) })
		},
		"twice in long name": func(n int) string { return "[" + long + "]\n" + lines(n, func(int) string { return "k = 1\n" }) },
		"dates":              func(n int) string { return "a = [" + lines(n, func(int) string { return "1979-05-27, " }) + "]" },
		"open brackets":      func(n int) string { return "a = " + strings.Repeat("[", n) },
		"broken lines":       func(n int) string { return lines(n, func(int) string { return "a = = 1\n" }) },
	} {
		t.Run(name, func(t *testing.T) {
			small, large := allocated(text(unit)), allocated(text(4*unit))
			if large > 8*small+(1<<20) {
				t.Errorf("got %d bytes for a text and %d for one that is four times as long", small, large)
			}
		})
	}
}

func lines(n int, line func(i int) string) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(line(i))
	}
	return b.String()
}

// allocated returns how many bytes it takes to read a text and to find all places.
func allocated(text string) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := toml.Parse("f", []byte(text))
	var walk func(n *toml.Node)
	walk = func(n *toml.Node) {
		_ = d.Position(n.At)
		for _, c := range append(n.Children, n.Items...) {
			walk(c)
		}
	}
	walk(d.Root)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// FuzzGrammar compares the tree builder with go-toml's decoder: both take the
// same documents.
func FuzzGrammar(f *testing.F) {
	for _, text := range []string{
		"a.b = 1\n[a]\n", "[a]\n[a.b]\n[a]", "[a.b]\n[a]\nb.c = 1", "a = {b.c = 1}\n[a.b]", "[[a]]\n[a.b]\n[[a]]\n[a.b]",
		"[a]\nb = 1\nb.c = 2", "a = [{b = 1}]\n[[a]]", "[a.b.c]\n[a]\nb.d = 1", "a.b.c = 1\na.b.d = 2\n[a.b]", "a = 07", "a = 1__0", "a = +0x1",
		"[fruit]\napple.color = 1\n[fruit.apple.taste]", "[[a.b]]\n[a]\n[a.b.c]", "a = 1979-02-30", "a = [1.0_, nan, -inf]", "\"\" = 1\n[\"\".a]",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := toml.Parse("f", []byte(text))
		var want map[string]any
		err := gotoml.Unmarshal([]byte(text), &want)
		if (err != nil) == (d.Err() != nil) || strings.Contains(fmt.Sprint(d.Err()), "deep") {
			return
		}
		t.Errorf("%q: got %v, go-toml says %v", text, d.Err(), err)
	})
}

// FuzzPath: what Path writes, Nearest finds.
func FuzzPath(f *testing.F) {
	f.Add("a", "b.c[1]")
	f.Add("", "\"\\\x01ä")
	f.Fuzz(func(t *testing.T, a, b string) {
		path := toml.Path(a, b)
		d := toml.Parse("f", []byte(path+" = 1"))
		if d.Err() != nil {
			return // no UTF-8
		}
		if n := d.Nearest(path); n == nil || n.Key != b || n.Kind != toml.Integer {
			t.Errorf("%s: got %+v", path, n)
		}
	})
}

// BenchmarkShapes parses texts that a parser can take the square of their length for:
// the throughput of each must be the same for both lengths.
func BenchmarkShapes(b *testing.B) {
	for name, text := range map[string]func(n int) string{
		"header":  func(n int) string { return "[" + strings.Repeat("a.", n) + "a]" },
		"dotted":  func(n int) string { return strings.Repeat("a.", n) + "a = 1" },
		"array":   func(n int) string { return "a = [" + strings.Repeat("1,", n) + "]" },
		"nested":  func(n int) string { return "a = " + strings.Repeat("[", n) + strings.Repeat("]", n) },
		"tables":  func(n int) string { return strings.Repeat("[[a]]\n[a.b]\n", n) },
		"inline":  func(n int) string { return "a = [" + strings.Repeat("{ b.c = 1 },", n) + "]" },
		"twice":   func(n int) string { return strings.Repeat("a = 1\n", n) },
		"broken":  func(n int) string { return strings.Repeat("a = \n", n) },
		"strings": func(n int) string { return strings.Repeat("a = \"\"\"\n", n) },
	} {
		for _, n := range []int{20_000, 80_000} {
			data := []byte(text(n))
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					toml.Parse("f", data).Refuse11()
				}
			})
		}
	}
}
