package cli

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"x.go/tests/testenv"
)

// everyCommand returns root and all commands below it but cobra's own.
func everyCommand(root *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{root}
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			out = append(out, everyCommand(c)...)
		}
	}
	return out
}

// TestHelpIsComplete holds every command to a short line, a text and examples
// that fit a terminal, and every top-level command to a group.
func TestHelpIsComplete(t *testing.T) {
	t.Parallel()
	for _, cmd := range everyCommand((&app{}).rootCommand()) {
		name := cmd.CommandPath()
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s: got short %q, long %q, example %q, want all three", name, cmd.Short, cmd.Long, cmd.Example)
		}
		if strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: got short line %q, want no full stop", name, cmd.Short)
		}
		if cmd.HasParent() && !cmd.Parent().HasParent() && cmd.GroupID == "" {
			t.Errorf("%s: got no group", name)
		}
		var text bytes.Buffer
		if err := printHelp(&text, cmd); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String()) {
			line = strings.TrimSuffix(line, "\n")
			if len(line) > helpWidth {
				t.Errorf("%s: got a line of %d bytes, want at most %d: %q", name, len(line), helpWidth, line)
			}
			if i := strings.IndexFunc(line, func(r rune) bool { return r > '~' }); i >= 0 {
				t.Errorf("%s: got %q, want ASCII alone, which every terminal and man page shows", name, line[i:])
			}
		}
	}
}

// TestExamples parses every line of every example, as a shell and then x would.
func TestExamples(t *testing.T) {
	t.Parallel()
	count := 0
	for _, cmd := range everyCommand((&app{}).rootCommand()) {
		for line := range strings.SplitSeq(cmd.Example, "\n") {
			count++
			if err := parseExample(cmd.CommandPath(), line); err != nil {
				t.Errorf("example %q of %s: %v", line, cmd.CommandPath(), err)
			}
		}
	}
	if count < 50 {
		t.Errorf("got %d lines of examples, want at least 50: were they read?", count)
	}
	for _, wrong := range []string{"x dist --frmats xz", "x frobnicate", "x diff onlyone", "x dist --jobs many", "dist", "x targets shwo"} {
		if parseExample("x", wrong) == nil {
			t.Errorf("example %q: got no error", wrong)
		}
	}
	if parseExample("x dist", "x build") == nil {
		t.Error(`example "x build" of x dist: got no error`)
	}
}

// parseExample parses a line of the examples of the command path. It must call
// this command or one below it.
func parseExample(path, line string) error {
	command, _, _ := strings.Cut(line, "   ") // what follows is a remark
	words := shellWords(command)
	if len(words) == 0 || words[0] != "x" {
		return usagef("got %q, want a call of x", line)
	}
	root := (&app{}).rootCommand()
	cmd, args, err := root.Find(words[1:])
	if err != nil {
		return err
	}
	if cmd.CommandPath() != path && !strings.HasPrefix(cmd.CommandPath(), path+" ") {
		return usagef("got a call of %q", cmd.CommandPath())
	}
	if err := cmd.ParseFlags(args); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// shellWords splits a command at spaces outside of quotes. It ends at a
// redirection.
func shellWords(line string) []string {
	var words []string
	var quote rune
	word, begun := "", false
	for _, r := range line + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, begun = r, true
		case quote == 0 && r == ' ':
			if begun {
				words = append(words, word)
			}
			word, begun = "", false
		default:
			word, begun = word+string(r), true
		}
	}
	if i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, ">") || w == "<" || w == "|" }); i >= 0 {
		words = words[:i]
	}
	return words
}

// TestManPages lets groff judge every page.
func TestManPages(t *testing.T) {
	t.Parallel()
	groff := testenv.Need(t, "groff")
	judge := func(page string) string {
		cmd := exec.Command(groff, "-man", "-ww", "-Tascii", "-z")
		cmd.Stdin = strings.NewReader(page)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return err.Error() + "\n" + string(out)
		}
		return string(out)
	}
	for _, cmd := range documented((&app{}).rootCommand()) {
		page := manPage(cmd, time.Time{})
		if complaint := judge(page); complaint != "" {
			t.Errorf("groff on %s.1: %s", pageName(cmd), complaint)
		}
		for _, section := range []string{".SH NAME\n", ".SH SYNOPSIS\n", ".SH DESCRIPTION\n", ".SH EXAMPLES\n", ".SH EXIT STATUS\n"} {
			if strings.Count(page, section) != 1 {
				t.Errorf("%s.1: got %d of %q, want 1", pageName(cmd), strings.Count(page, section), section)
			}
		}
	}
	if judge(manPage((&app{}).rootCommand(), time.Time{})+".XX\n") == "" {
		t.Error("groff accepts a macro that does not exist")
	}
}

func TestWriteProse(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	writeProse(&b, "First line with `x` and --flag,\n.second.\n\nList:\n  a \\ b\n\n  'c'\nEnd.\n")
	want := ".PP\nFirst line with \\(gax\\(ga and \\-\\-flag,\n\\&.second.\n.PP\nList:\n" +
		".PP\n.RS 4\n.nf\na \\e b\n.fi\n.RE\n.PP\n.RS 4\n.nf\n\\(aqc\\(aq\n.fi\n.RE\n.PP\nEnd.\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
