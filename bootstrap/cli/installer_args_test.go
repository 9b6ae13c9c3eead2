package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// tarballFlags returns the flags of x installer tarball, and a function that parses.
func tarballFlags() (*pflag.FlagSet, func(args ...string) error) {
	cmd := (&app{}).tarballCommand()
	flags := cmd.LocalNonPersistentFlags()
	return flags, func(args ...string) error { return clapParse(cmd, flags, args) }
}

func TestClapParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want map[string]string // of the flags, else the first line of the error
		err  string
	}{
		{args: nil, want: map[string]string{}},
		{args: []string{"--input", "a b", "--output=c=d", "--work-dir="}, want: map[string]string{"input": "a b", "output": "c=d", "work-dir": ""}},
		{args: []string{"--input", "-", "--output", "", "--"}, want: map[string]string{"input": "-", "output": ""}},
		{args: []string{"--compression-formats= gz , zst ", "--override-file-mtime", "+7"}, want: map[string]string{"compression-formats": " gz , zst ", "override-file-mtime": "+7"}},
		{args: []string{"--input", "-h"}, err: "error: a value is required for '--input <NAME>' but none was supplied"},
		{args: []string{"--frob", "-h"}, err: "error: unexpected argument '--frob' found"},
		{args: []string{"-hx"}, err: errClapHelp.Error()},
		{args: []string{"--input=a", "--help"}, err: errClapHelp.Error()},
		{args: []string{"--input", "--"}, err: "error: a value is required for '--input <NAME>' but none was supplied"},
		{args: []string{"--input", "a", "b"}, err: "error: unexpected argument 'b' found"},
		{args: []string{"--input", "--", "b"}, err: "error: unexpected argument 'b' found"},
		{args: []string{"--input=a", "--help=b"}, err: "error: unexpected value 'b' for '--help' found; no more were expected"},
		{args: []string{"--input=a", "--input"}, err: "error: a value is required for '--input <NAME>' but none was supplied"},
		{args: []string{"--input=a", "--input=a"}, err: "error: the argument '--input <NAME>' cannot be used multiple times"},
		{args: []string{"--input=\xff"}, err: "error: invalid UTF-8 was detected in one or more arguments"},
		{args: []string{"--compression-formats=bz2", "--frob"}, err: "error: invalid value 'bz2' for '--compression-formats <FORMAT>': unknown compression format: bz2"},
		{args: []string{"--compression-formats", "bz2", "--frob"}, err: "error: unexpected argument '--frob' found"},
		{args: []string{"-é"}, err: "error: unexpected argument '-é' found"},
		{args: []string{"--inp=a"}, err: "error: unexpected argument '--inp' found"},
		{args: []string{"--=a"}, err: "error: unexpected argument '--' found"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			flags, parse := tarballFlags()
			before := map[string]string{}
			flags.VisitAll(func(f *pflag.Flag) { before[f.Name] = f.Value.String() })
			err := parse(tt.args...)
			if tt.err != "" {
				if err == nil {
					t.Fatal("got no error")
				}
				got, _, _ := strings.Cut(err.Error(), "\n")
				if got != tt.err {
					t.Errorf("got %q, want %q", got, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			flags.VisitAll(func(f *pflag.Flag) {
				if v := f.Value.String(); v != before[f.Name] {
					got[f.Name] = v
				}
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("flags (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzClapParse: whatever the arguments, they are parsed, or refused with a message of
// the one shape.
func FuzzClapParse(f *testing.F) {
	f.Add("--input\x00a\x00--output=b")
	f.Add("-x\x00--\x00word")
	f.Add("--compression-formats\x00gz,\x00--help=")
	f.Fuzz(func(t *testing.T, line string) {
		_, parse := tarballFlags()
		err := parse(strings.Split(line, "\x00")...)
		if err == nil || errors.Is(err, errClapHelp) {
			return
		}
		if text := err.Error(); !strings.HasPrefix(text, "error: ") || !strings.HasSuffix(text, "\nFor more information, try '--help'.\n") {
			t.Errorf("got %q", text)
		}
	})
}
