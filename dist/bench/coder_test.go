package bench

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEncoders(t *testing.T) {
	look := func(program string) (string, error) {
		if program == "pigz" || program == "7zz" {
			return "", errors.New("not found")
		}
		return "/usr/bin/" + program, nil
	}
	found, missing := findEncoders(3, look)
	var got []string
	for _, c := range found {
		got = append(got, c.Name()+": "+c.row("in.tar", "out").Command)
	}
	want := []string{
		"xz -1: xz -1 -T3 -c in.tar > out",
		"xz -6: xz -6 -T3 -c in.tar > out",
		"xz -9: xz -9 -T3 -c in.tar > out",
		"7zz -mx=9: 7z a -txz -mx=9 -mmt=3 out in.tar",
		"zstd -19: zstd -19 -T3 -q -c in.tar > out",
		"zstd --ultra -22 --long=27: zstd --ultra -22 --long=27 -T3 -q -c in.tar > out",
		"gzip -9: gzip -9 -n -c in.tar > out",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"pigz"}, missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

func TestDecoders(t *testing.T) {
	look := func(program string) (string, error) { return program, nil }
	for jobs, want := range map[int]string{1: "xz -d -T1, zstd -d, gzip -d", 4: "xz -d -T4, xz -d -T1, zstd -d, gzip -d"} {
		found, missing := findDecoders(jobs, look)
		var got []string
		for _, c := range found {
			got = append(got, c.Name())
		}
		if text := strings.Join(got, ", "); text != want || len(missing) > 0 {
			t.Errorf("%d jobs: got %q and missing %q, want %q", jobs, text, missing, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"":            "''",
		"a/b-c.tar":   "a/b-c.tar",
		"my file.tar": "'my file.tar'",
		"it's":        `'it'\''s'`,
		"$(x)":        "'$(x)'",
		"~":           "'~'",
	} {
		if got := quote(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}

func TestVersionNumber(t *testing.T) {
	for text, want := range map[string]string{
		"xz (XZ Utils) 5.4.1\nliblzma 5.4.1":                         "5.4.1",
		"*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***":      "1.5.4",
		"\n7-Zip (z) 26.02 (x64) : Copyright (c) 1999-2026 : 2026-6": "26.02",
		"pigz 2.6":    "2.6",
		"no number 7": "",
	} {
		if got := versionNumber.FindString(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
