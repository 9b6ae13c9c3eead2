package link_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"x.go/targets"
	"x.go/targets/link"
)

func TestBatchLines(t *testing.T) {
	const gccLd = `-B<sysroot>/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld`
	for _, tt := range []struct{ name, line, want string }{
		{"least", `{"target":"x86_64-unknown-linux-gnu"}`,
			`{"id": null, "exit": 0, "error": null, "linker": "cc", "lld_args": ["` + gccLd + `", "-fuse-ld=lld"]}`},
		{"id of any kind, members in any order, others skipped", ` { "x" : [1,{"y":"z\"]"}], "flags":["-Clinker=gcc"], "id": {"a":1} ,"target":"x86_64-unknown-linux-gnu" } `,
			`{"id": {"a":1}, "exit": 0, "error": null, "linker": "gcc", "lld_args": []}`},
		{"escapes", `{"id":"\u00e4","target":"x86_64-unknown\u002dlinux-gnu","flags":["-Clinker=\ud83d\ude00\"\\\u0001"]}`,
			`{"id": "\u00e4", "exit": 0, "error": null, "linker": "😀\"\\\u0001", "lld_args": ["` + gccLd + `", "-fuse-ld=lld"]}`},
		{"nothing linked", `{"id":1,"target":"x86_64-unknown-linux-gnu","flags":["--crate-type=rlib"]}`,
			`{"id": 1, "exit": 0, "error": null, "linker": null, "lld_args": null}`},
		{"rust.lld = false", `{"id":1,"target":"x86_64-unknown-linux-gnu","lld_default":false}`,
			`{"id": 1, "exit": 0, "error": null, "linker": "cc", "lld_args": []}`},
		{"other host", `{"id":1,"target":"x86_64-unknown-linux-gnu","host":"aarch64-unknown-linux-gnu"}`,
			`{"id": 1, "exit": 0, "error": null, "linker": "cc", "lld_args": []}`},
		{"other host with the default", `{"id":1,"target":"x86_64-unknown-linux-gnu","host":"aarch64-unknown-linux-gnu","lld_default":true}`,
			`{"id": 1, "exit": 0, "error": null, "linker": "cc", "lld_args": ["-B<sysroot>/lib/rustlib/aarch64-unknown-linux-gnu/bin/gcc-ld", "-fuse-ld=lld"]}`},
		{"nightly by channel", `{"id":1,"target":"x86_64-unknown-linux-gnutsan","channel":"nightly","bootstrap":null,"flags":["-Zunstable-options","-Clinker-features=-lld"]}`,
			`{"id": 1, "exit": 0, "error": null, "linker": "cc", "lld_args": []}`},
		{"locked nightly", `{"id":1,"target":"x86_64-unknown-linux-gnu","channel":"nightly+bootstrap=-1","bootstrap":"-1","unstable":true}`,
			`{"id": 1, "exit": 1, "error": "error: the option ` + "`Z`" + ` is only accepted on the nightly compiler", "linker": null, "lld_args": null}`},
		{"release not held", `{"id":1,"target":"x86_64-unknown-linux-gnu","release":"1.96.0"}`,
			`{"id": 1, "exit": 0, "error": null, "linker": "cc", "lld_args": ["` + gccLd + `", "-fuse-ld=lld"]}`},
		{"before the default", `{"id":1,"target":"x86_64-unknown-linux-gnu","release":"1.89.0"}`,
			`{"id": 1, "exit": 0, "error": null, "linker": "cc", "lld_args": []}`},
		{"unknown target", `{"id":7,"target":"x86_64-unknwon-linux-gnu"}`,
			`{"id": 7, "problem": "looking up target \"x86_64-unknwon-linux-gnu\": rustc 1.95.0 has no such target; nearest names: x86_64-unknown-linux-gnu, x86_64-unknown-linux-gnux32, x86_64-unknown-linux-none"}`},
		{"part of a name", `{"id":7,"target":"wasip"}`,
			`{"id": 7, "problem": "looking up target \"wasip\": rustc 1.95.0 has no such target; nearest names: wasm32-wasip1, wasm32-wasip1-threads, wasm32-wasip2"}`},
		{"argument file", `{"id":8,"target":"x86_64-unknown-linux-gnu","flags":["@list"]}`,
			`{"id": 8, "exit": 0, "error": null, "linker": "cc", "lld_args": ["` + gccLd + `", "-fuse-ld=lld"]}`},
		{"empty line", ``, `{"id": null, "problem": "parsing case: not valid JSON: unexpected end of JSON input"}`},
		{"cut line", `{"id":3,"target":"x`, `{"id": null, "problem": "parsing case: not valid JSON: unexpected end of JSON input"}`},
		{"two values", `{"id":3,"target":"a-b"} {}`, `{"id": null, "problem": "parsing case: not valid JSON: invalid character '{' after top-level value"}`},
		{"no target", `{"id":3}`, `{"id": 3, "problem": "parsing case: no member \"target\""}`},
		{"flags of the wrong type", `{"id":3,"target":"a-b","flags":"-C"}`, `{"id": 3, "problem": "parsing case: member \"flags\": got string, want a list of strings"}`},
		{"a flag of the wrong type", `{"id":3,"target":"a-b","flags":[1]}`, `{"id": 3, "problem": "parsing case: member \"flags\": got number, want a string"}`},
		{"no flag", `{"id":3,"target":"a-b","flags":[null]}`, `{"id": 3, "problem": "parsing case: member \"flags\": got null, want a string"}`},
		{"bootstrap of the wrong type", `{"id":3,"target":"a-b","bootstrap":1}`, `{"id": 3, "problem": "parsing case: member \"bootstrap\": got 1, want a string"}`},
		{"unstable of the wrong type", `{"id":3,"target":"a-b","unstable":"yes"}`, `{"id": 3, "problem": "parsing case: member \"unstable\": got string, want true or false"}`},
		{"a list", `[]`, `{"id": null, "problem": "parsing case: got array, want an object"}`},
		{"bare sysroot of a compiler without LLD", `{"id":3,"target":"x86_64-unknown-linux-gnu","lld_default":false,"sysroot":"explicit-bare","flags":["-Zunstable-options","-Clinker-features=+lld"],"unstable":true}`,
			`{"id": 3, "exit": 0, "error": null, "linker": "cc", "lld_args": ["-fuse-ld=lld"]}`},
		{"relative sysroot", `{"id":3,"target":"x86_64-unknown-linux-gnu","flags":["--sysroot=../tc"]}`,
			`{"id": 3, "exit": 0, "error": null, "linker": "cc", "lld_args": ["-B../tc/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld", "` + gccLd + `", "-fuse-ld=lld"]}`},
		{"bad release", `{"id":3,"target":"a-b","release":"new"}`, `{"id": 3, "problem": "parsing release \"new\": numbers between dots: got 1, want a version such as 1.95.0 or 1.97.0-nightly"}`},
		{"bad channel", `{"id":3,"target":"a-b","channel":"weekly"}`, `{"id": 3, "problem": "looking up channel \"weekly\": no release of it is held"}`},
		{"bad sysroot", `{"id":3,"target":"a-b","sysroot":"round"}`, `{"id": 3, "problem": "reading sysroot \"round\": want normal, nogccld, explicit-bare or explicit-same"}`},
		{"bad host", `{"id":3,"target":"x86_64-unknown-linux-gnu","host":"no-such"}`, `{"id": 3, "problem": "looking up target \"no-such\": rustc 1.95.0 has no such target"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := newBatch(t).Decide([]byte(tt.line)).AppendJSON(nil)
			if diff := cmp.Diff(tt.want+"\n", string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if !json.Valid(got) {
				t.Errorf("got bad JSON %s", got)
			}
		})
	}
}

func TestNewBatchErrors(t *testing.T) {
	if _, err := link.NewBatch(targets.Builtin(), targets.Compiler{}); err == nil {
		t.Error("no compiler: got no error")
	}
	if _, err := link.NewBatch(targets.Builtin(), targets.Compiler{Release: version("1.95.0")}); err == nil {
		t.Error("no host: got no error")
	}
}

// Bad JSON is never answered, good JSON is never called bad; and every answer
// is one line of good JSON with the line's own id.
func FuzzBatch(f *testing.F) {
	for _, line := range []string{
		`{"id":1,"target":"x86_64-unknown-linux-gnu","flags":["-C","linker=cc"],"unstable":true,"bootstrap":"1","sysroot":"nogccld"}`,
		`{"id":-1.5e3,"target":"a\ud83d\ude00b\/\b","x":[[],{},null,true,false,0,-0.1E+2]}`,
		`{"a":"\ud800","target":"m68k-unknown-linux-gnu"}`, `[]`, `{"a" 1}`, `{"a":01}`, `{"id":`, "{\"a\":\"\t\"}",
	} {
		f.Add(line)
	}
	batch := newBatch(f)
	f.Fuzz(func(t *testing.T, line string) {
		r := batch.Decide([]byte(line))
		out, ok := r.AppendJSON(nil), r.Problem == ""
		if !json.Valid(out) || strings.Count(string(out), "\n") != 1 {
			t.Fatalf("%q: got %q", line, out)
		}
		var c map[string]json.RawMessage
		valid := json.Unmarshal([]byte(line), &c) == nil && c != nil && utf8.ValidString(line)
		if !valid && ok {
			t.Fatalf("%q is no JSON object, but is answered: %s", line, out)
		}
		if valid && strings.Contains(string(out), "not valid JSON") {
			t.Fatalf("%q is a JSON object, but is refused: %s", line, out)
		}
		if id, has := c["id"]; ok && has && strings.Count(strings.ToLower(line), `"id"`) == 1 {
			var got struct{ ID json.RawMessage }
			if err := json.Unmarshal(out, &got); err != nil || string(got.ID) != string(id) {
				t.Fatalf("%q: got id %s, want %s", line, got.ID, id)
			}
		}
	})
}
