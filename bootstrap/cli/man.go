package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"x.go/dist"
)

// writeManPages writes a page for each command that is not hidden, and prints
// their paths.
func (a *app) writeManPages(root *cobra.Command, dir string) error {
	when, err := a.sourceDateEpoch()
	if err != nil {
		return err
	}
	if !a.flags.dryRun {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("creating directory %q: %w", dir, dist.WithoutPath(err))
		}
	}
	for _, cmd := range documented(root) {
		path := filepath.Join(dir, pageName(cmd)+".1")
		if !a.flags.dryRun {
			if err := dist.WriteFile(path, []byte(manPage(cmd, when))); err != nil {
				return fmt.Errorf("writing man page %q: %w", path, dist.WithoutPath(err))
			}
		}
		if err := a.print(path + "\n"); err != nil {
			return err
		}
	}
	return nil
}

// documented returns cmd and the commands below it that have a page: all but
// hidden ones, and help and completion, which explain themselves.
func documented(cmd *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && !slices.Contains([]string{"help", "completion"}, c.Name()) {
			out = append(out, documented(c)...)
		}
	}
	return out
}

// pageName is the name of a command's page: "x-targets-show".
func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage renders the help of a command with the man macros, see groff_man(7).
// The zero time leaves the page without a date.
func manPage(cmd *cobra.Command, when time.Time) string {
	date := ""
	if !when.IsZero() {
		date = when.Format(time.DateOnly)
	}
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"%s\" \"x\" \"x manual\"\n", roff(strings.ToUpper(pageName(cmd))), roff(date))
	b.WriteString(".nh\n.ad l\n") // a command's name that is split at a line's end cannot be copied
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(pageName(cmd)), roff(strings.ToLower(cmd.Short[:1])+cmd.Short[1:]))
	arguments := strings.TrimPrefix(useLine(cmd), cmd.CommandPath())
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n%s\n.SH DESCRIPTION\n", roff(cmd.CommandPath()), roff(strings.TrimSpace(arguments)))
	writeProse(&b, cmd.Long)
	for _, g := range listed(cmd) {
		fmt.Fprintf(&b, ".SH %s\n", roff(strings.ToUpper(strings.TrimSuffix(g.title, ":"))))
		for _, c := range g.commands {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(c.CommandPath()), roff(c.Short))
		}
	}
	writeOptions(&b, "OPTIONS", locals(cmd))
	writeOptions(&b, "GLOBAL OPTIONS", globals(cmd))
	if cmd.Example != "" {
		b.WriteString(".SH EXAMPLES\n")
		writeLiteral(&b, strings.Split(cmd.Example, "\n"))
	}
	b.WriteString(".SH EXIT STATUS\n")
	for _, s := range exitStatuses {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", s.code, roff(s.meaning))
	}
	var also []string
	for _, c := range append(cmd.Commands(), cmd.Parent()) {
		if c != nil && (c.IsAvailableCommand() || !c.HasParent()) && slices.Contains(documented(c.Root()), c) {
			also = append(also, fmt.Sprintf(".BR %s (1)", roff(pageName(c))))
		}
	}
	if len(also) > 0 {
		fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", strings.Join(also, ",\n"))
	}
	return b.String()
}

// writeProse writes the text of a command.
func writeProse(b *strings.Builder, text string) {
	for _, p := range paragraphs(text) {
		if p.literal {
			writeLiteral(b, p.lines)
			continue
		}
		b.WriteString(".PP\n")
		for _, line := range p.lines {
			b.WriteString(roff(line) + "\n")
		}
	}
}

// writeLiteral writes lines that are not filled, such as commands. They are
// indented by four columns, or as far as they fit into 78 columns, the width of
// a page in a terminal of 80, behind the seven of all text.
func writeLiteral(b *strings.Builder, lines []string) {
	indent := 4
	for _, line := range lines {
		indent = min(indent, 78-7-len(strings.TrimPrefix(line, "  ")))
	}
	fmt.Fprintf(b, ".PP\n.RS %d\n.nf\n", max(indent, -7))
	for _, line := range lines {
		b.WriteString(roff(strings.TrimPrefix(line, "  ")) + "\n")
	}
	b.WriteString(".fi\n.RE\n")
}

// writeOptions writes a section with the flags that are not hidden.
func writeOptions(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, text := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if !slices.Contains([]string{"", "0", "0s", "false", "[]"}, f.DefValue) {
			text += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR \\fI%s\\fR\n%s\n", roff(name), roff(value), roff(text))
	})
}

// roffText replaces what roff would read, or print, as something else: man(7)
// turns a bare "-" into a hyphen that no shell takes for a minus.
var roffText = strings.NewReplacer(
	`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, `"`, `\(dq`, "^", `\(ha`, "~", `\(ti`,
)

// roff escapes a line of text. One that starts with a dot would be a request.
func roff(line string) string {
	line = roffText.Replace(line)
	if strings.HasPrefix(line, ".") {
		return `\&` + line
	}
	return line
}
