package process

import "testing"

func TestSplitJoin(t *testing.T) {
	for _, tt := range []struct{ path, dir, name string }{
		{"/opt/bin/rustc", "/opt/bin", "rustc"}, {"/rustc", "/", "rustc"}, {"bin/rustc", "bin", "rustc"}, {"/opt/", "/opt", ""},
	} {
		dir, name := Split(tt.path)
		if dir != tt.dir || name != tt.name {
			t.Errorf("Split(%q): got %q, %q, want %q, %q", tt.path, dir, name, tt.dir, tt.name)
		}
		if got := Join(dir, name); got != tt.path {
			t.Errorf("Join(%q, %q): got %q, want %q", dir, name, got, tt.path)
		}
	}
	for _, path := range []string{"rustc", "", "/"} {
		if dir, _ := Split(path); dir != "" {
			t.Errorf("Split(%q): got directory %q, want none", path, dir)
		}
	}
}

func TestQuote(t *testing.T) {
	for name, want := range map[string]string{
		"ld": `"ld"`, "a\"b\\": `"a\"b\\"`, "\n\r\t": `"\n\r\t"`, "é": `"é"`, "\xff": `"\xFF"`,
		"\x1b[2J\x7f\u0085": `"\u{1b}[2J\u{7f}\u{85}"`,
	} {
		if got := Quote(name); got != want {
			t.Errorf("Quote(%q): got %s, want %s", name, got, want)
		}
	}
}
