package verify_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"x.go/dist/verify"
)

// sample has every shape that a renderer must cope with.
func sample() verify.Report {
	return verify.Report{
		Date: "2026-03-01T12:00:00Z", Program: "x v1.2.3", Machine: "linux/amd64, 2 processors", Sandbox: "sandboxed", Seconds: 2.5,
		Inputs: []string{"dist"}, Expect: verify.ExpectLLD, Compiler: "rustc 1.95.0 (59807616e 2026-04-14)",
		Checks: []verify.Check{
			{Name: "archive/readable", Subject: "cargo.tar.xz", Status: verify.Pass, Seconds: 1.25},
			{Name: "archive/member-name", Subject: "cargo.tar.xz", Status: verify.Fail, Detail: `"../x": has ".."`, Findings: []string{`"../x": has ".."`, "<script>alert(1)</script>\x1b[31m"}},
			{Name: "link/default/links", Status: verify.Skip, Detail: "no C compiler: no cc in /usr/bin"},
			{Name: "link/cross/links", Subject: "wasm32-wasip1", Status: verify.Skip, Detail: "no C compiler", Allowed: true},
			{Name: "link/opt-out/linker", Status: verify.Pass, Detail: "GNU ld"},
		},
		Archives: []verify.Archive{{Name: "cargo.tar.xz", Size: 1000, Unpacked: 4000, Members: 3, SHA256: strings.Repeat("a", 64), Memory: 1 << 20, Version: "0.96.0", Status: verify.Fail}},
		Binaries: []verify.Binary{
			{Path: "bin/cargo", Kind: "pie", Machine: "x86_64", Size: 42, Linker: "LLD", LinkerVersion: "22.1.0", GlibcFloor: "2.17", RunPath: []string{"$ORIGIN/../lib"}, Needed: []string{"libc.so.6"}},
			{Path: "user", Leg: "staticlib", Kind: "pie", Linker: "BFD"},
			{Path: "program", Leg: "default", Kind: "pie", Linker: "LLD", LinkerVersion: "22.1.2", Witness: "LLD 22.1.2"},
		},
	}
}

func TestStatus(t *testing.T) {
	with := func(s ...verify.Status) verify.Report {
		var r verify.Report
		for _, st := range s {
			r.Checks = append(r.Checks, verify.Check{Name: "x", Status: st})
		}
		return r
	}
	tests := []struct {
		name string
		in   verify.Report
		want verify.Status
	}{
		{"empty", with(), verify.Fail},
		{"all pass", with(verify.Pass, verify.Pass), verify.Pass},
		{"one skip", with(verify.Pass, verify.Skip, verify.Pass), verify.Skip},
		{"an allowed skip", verify.Report{Checks: []verify.Check{{Name: "x", Status: verify.Skip, Allowed: true}}}, verify.Pass},
		{"fail and skip", with(verify.Skip, verify.Fail, verify.Pass), verify.Fail},
	}
	for _, tt := range tests {
		if got := tt.in.Status(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestWriteText(t *testing.T) {
	var b bytes.Buffer
	if err := sample().WriteText(&b, false); err != nil {
		t.Fatal(err)
	}
	want := `FAIL archive/member-name [cargo.tar.xz]
     "../x": has ".."
     <script>alert(1)</script>\u001b[31m
SKIP link/default/links: no C compiler: no cc in /usr/bin
SKIP link/cross/links (allowed) [wasm32-wasip1]: no C compiler
2026-03-01T12:00:00Z by x v1.2.3 on linux/amd64, 2 processors, in 2 s
the archives' programs ran sandboxed
rustc 1.95.0 (59807616e 2026-04-14), default link expected to use: lld
FAIL: 1 failed, 2 skipped (1 allowed), 2 passed
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	b.Reset()
	if err := sample().WriteText(&b, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "PASS link/opt-out/linker: GNU ld\n") {
		t.Errorf("verbose text lacks the passes:\n%s", b.String())
	}
}

// The encoding is pinned: CI scripts read it.
func TestWriteJSON(t *testing.T) {
	var b bytes.Buffer
	r := sample()
	r.Archives, r.Binaries = r.Archives[:1], r.Binaries[2:]
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("X_UPDATE") != "" {
		if err := os.WriteFile(filepath.Join("testdata", "report.json"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(filepath.Join("testdata", "report.json")) // X_UPDATE=1 writes it
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), b.String()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	var back verify.Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Errorf("JSON read back (-want +got):\n%s", diff)
	}
}

func TestWriteJUnit(t *testing.T) {
	type suites struct {
		Tests     int    `xml:"tests,attr"`
		Failures  int    `xml:"failures,attr"`
		Skipped   int    `xml:"skipped,attr"`
		Time      string `xml:"time,attr"`
		Timestamp string `xml:"timestamp,attr"`
	}
	read := func(r verify.Report) suites {
		var b bytes.Buffer
		if err := r.WriteJUnit(&b); err != nil {
			t.Fatal(err)
		}
		var got suites
		if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		return got
	}
	if diff := cmp.Diff(suites{5, 1, 2, "1.250", "2026-03-01T12:00:00"}, read(sample())); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(suites{1, 1, 0, "0.000", ""}, read(verify.Report{})); diff != "" {
		t.Errorf("counts of an empty report (-want +got):\n%s", diff)
	}
}

func TestWriteHTML(t *testing.T) {
	var b bytes.Buffer
	if err := sample().WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"&lt;script&gt;", "must use LLD", "GNU ld", "22.1.2", "bin/cargo", `class="pill fail"`, "x v1.2.3", "2026-03-01T12:00:00Z", "sandboxed", "SKIP (allowed)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<script", "http://", "https://", "\x1b", "<img", "src=", ">Leg<", ">Of<", "BFD", ".comment"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q; it must need nothing else and pass nothing on", bad)
		}
	}
}

// Every renderer copes with the empty report.
func TestEmptyReport(t *testing.T) {
	var b bytes.Buffer
	var r verify.Report
	for _, err := range []error{r.WriteText(&b, true), r.WriteJSON(&b), r.WriteHTML(&b)} {
		if err != nil {
			t.Error(err)
		}
	}
	if !strings.HasPrefix(b.String(), "FAIL: 0 failed, 0 skipped, 0 passed\n") {
		t.Errorf("got %q, want FAIL first", b.String())
	}
}

// The catalogue names each check once and says what it demands.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range verify.Catalogue() {
		if seen[c.Name] || c.What == "" || c.Group == "" {
			t.Errorf("got %+v: twice, or incomplete", c)
		}
		seen[c.Name] = true
	}
}

// A skip that the caller accepts does not keep a report from passing; one that nobody
// knows is refused.
func TestAllowSkip(t *testing.T) {
	opts := verify.Options{Inputs: []string{filepath.Join("..", "linkage", "testdata", "lld-nocomment.so")}, Expect: verify.ExpectLLD}
	if got := verifyAll(t, opts).Status(); got != verify.Skip {
		t.Fatalf("got %s, want SKIP: the file has no mark", got)
	}
	opts.AllowSkip = []string{"program/*"}
	report := verifyAll(t, opts)
	if report.Status() != verify.Pass || report.Summary() != "0 failed, 1 skipped (1 allowed), 3 passed" {
		t.Errorf("got %s: %s, want it to pass", report.Status(), report.Summary())
	}
	for glob, hint := range map[string]string{"program/linkr": "did you mean program/linker", "lnk/**": "did you mean link/**", "[": "malformed"} {
		opts.AllowSkip = []string{glob}
		if _, err := verify.Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: got %v, want %q in it", glob, err, hint)
		}
	}
}

func TestMatch(t *testing.T) {
	for glob, want := range map[string]int{"**": len(verify.Catalogue()), "link/default/*": 3, "input/readable": 1, "client/*": 5} {
		got, err := verify.Match(glob)
		if err != nil || len(got) != want {
			t.Errorf("%q: got %d checks, %v, want %d", glob, len(got), err, want)
		}
	}
}
