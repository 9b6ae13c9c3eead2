package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/bootstrap/migrate"
	"x.go/dist"
)

// migrateFlags are the flags of `x migrate`.
type migrateFlags struct {
	from, to, channel string
	diff, write       bool
}

func (a *app) migrateCommand() *cobra.Command {
	var f migrateFlags
	cmd := &cobra.Command{
		Use:   "migrate --from VERSION --to VERSION FILE",
		Short: "Bring a bootstrap.toml from one release of Rust to another",
		Long: `Rewrite the keys of a bootstrap.toml that were renamed, moved or removed between
two releases. Comments and layout are kept. The new text goes to standard output.
--diff prints what changed instead; --write replaces the file in one step and
keeps its mode.

Standard error lists each edit, each setting that now means something else for
linking, and what is left to do by hand, with its line. A key whose meaning cannot
be kept is never changed.

--json prints {"file", "from", "to", "changed", "text", "edits", "effects",
"undone", "releases", "changes"}: an edit is {"place", "key", "to", "reason"}, an
effect {"what", "before", "after", "remedy"}, undone are findings as in x check, and
so are releases, which x does not know; a change of upstream is {"id", "since",
"topic", "summary"}.

Exit status: 0 done, 1 something is left to do by hand (the rest is done), 2 wrong
usage, or the old release would refuse the file.`,
		Example: `  x migrate --from 1.78 --to 1.95 config.toml > bootstrap.toml
  x migrate --from 1.91 --to 1.92 --diff bootstrap.toml
  x migrate --from 1.91 --to 1.92 --write bootstrap.toml`,
		Args: exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error { return a.migrate(args[0], f) },
	}
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "jobs", "dry-run", "quiet")
	cmd.Flags().StringVar(&f.from, "from", "", "the file was written for this `version` of Rust")
	cmd.Flags().StringVar(&f.to, "to", "", "migrate it to this `version` of Rust")
	cmd.Flags().StringVar(&f.channel, "channel", "", "compare what linking does on this `channel` (default rust.channel)")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "print a unified diff instead of the text")
	cmd.Flags().BoolVar(&f.write, "write", false, "replace the file")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("channel", cobra.FixedCompletions([]string{"dev", "nightly", "beta", "stable"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func (a *app) migrate(file string, f migrateFlags) error {
	opts, err := a.migrateOptions(file, f)
	if err != nil {
		return err
	}
	data, err := opts.ReadFile(file)
	if err != nil {
		return usagef("reading %q: %w", file, dist.WithoutPath(err))
	}
	edited, err := migrate.Run(data, opts)
	if err != nil {
		return usage(err)
	}
	m := migration{Result: edited}
	if m.After != nil {
		m.Effects = lld.Compare(*m.Before, *m.After, f.channel)
	}
	if f.write && string(m.Text) != string(data) { // an unchanged file keeps its time
		if err := dist.ReplaceFile(a.path(file), m.Text); err != nil {
			return err
		}
	}
	if err := a.printMigration(file, f, data, m); err != nil {
		return err
	}
	if n := len(m.Undone); n > 0 {
		return exitError{exitFail, fmt.Errorf("migrating %q: %s left to do by hand", file, plural(n, "thing"))}
	}
	return nil
}

// migration is what became of a file, and what it means differently for linking.
type migration struct {
	migrate.Result
	Effects []lld.Difference
}

// migrateOptions reads the flags.
func (a *app) migrateOptions(file string, f migrateFlags) (migrate.Options, error) {
	opts := migrate.Options{Name: filepath.Clean(file), Host: thisHost(),
		ReadFile: func(path string) ([]byte, error) { return bootstrap.ReadConfigFile(a.path(path)) }}
	if f.from == "" || f.to == "" {
		return opts, usagef("migrating %q: name both releases with --from and --to", file)
	}
	if f.diff && f.write {
		return opts, usagef("migrating %q: --diff only prints and --write replaces the file: choose one", file)
	}
	var err error
	if opts.From, err = releaseFlag("--from", f.from); err != nil {
		return opts, err
	}
	if opts.To, err = releaseFlag("--to", f.to); err != nil {
		return opts, err
	}
	if opts.To.Compare(opts.From) < 0 {
		return opts, usagef("migrating %q: %s is older than %s: x migrate only goes forward", file, opts.To, opts.From)
	}
	return opts, nil
}

// migrateAnswer is what `x migrate --json` prints.
type migrateAnswer struct {
	File     string           `json:"file"`
	From     string           `json:"from"`
	To       string           `json:"to"`
	Changed  bool             `json:"changed"`
	Text     string           `json:"text"`
	Edits    []editAnswer     `json:"edits"`
	Effects  []effectAnswer   `json:"effects"`
	Undone   []config.Finding `json:"undone"`
	Releases []config.Finding `json:"releases"`
	Changes  []changeAnswer   `json:"changes"`
}

type editAnswer struct {
	Place  string `json:"place"`
	Key    string `json:"key"`
	To     string `json:"to,omitempty"`
	Reason string `json:"reason"`
}

type effectAnswer struct {
	What   string `json:"what"`
	Before string `json:"before"`
	After  string `json:"after"`
	Remedy string `json:"remedy,omitempty"`
}

type changeAnswer struct {
	ID      int    `json:"id"`
	Since   string `json:"since"`
	Topic   string `json:"topic"`
	Summary string `json:"summary"`
}

// printMigration prints the text and the report.
func (a *app) printMigration(file string, f migrateFlags, old []byte, m migration) error {
	if a.flags.json {
		return a.printJSON(newMigrateAnswer(file, f, old, m))
	}
	if err := a.reportMigration(m); err != nil {
		return err
	}
	switch {
	case f.write:
		return nil
	case f.diff:
		_, err := a.data().Write(diff.Diff(file, old, file, m.Text))
		return err
	}
	_, err := a.data().Write(m.Text)
	return err
}

func newMigrateAnswer(file string, f migrateFlags, old []byte, m migration) migrateAnswer {
	answer := migrateAnswer{
		File: file, From: f.from, To: f.to, Changed: string(old) != string(m.Text), Text: string(m.Text),
		Edits: []editAnswer{}, Effects: []effectAnswer{}, Undone: append([]config.Finding{}, m.Undone...), Releases: append([]config.Finding{}, m.Releases...), Changes: []changeAnswer{},
	}
	for _, e := range m.Edits {
		answer.Edits = append(answer.Edits, editAnswer{e.Pos.String(), e.Key, e.To, e.Reason})
	}
	for _, e := range m.Effects {
		answer.Effects = append(answer.Effects, effectAnswer{e.What, e.Before, e.After, e.Remedy})
	}
	for _, c := range m.Changes {
		answer.Changes = append(answer.Changes, changeAnswer{c.ID, c.Since.String(), c.Topic, c.Summary})
	}
	return answer
}

// reportMigration prints on stderr what was done, what it changes, and what is
// left. It is not progress: --quiet does not silence it, since an effect that
// nobody reads is a toolchain that links otherwise.
func (a *app) reportMigration(m migration) error {
	var b strings.Builder
	for _, e := range m.Edits {
		switch {
		case e.To != "":
			fmt.Fprintf(&b, "x: %s: %s is now %s: %s\n", e.Pos, e.Key, e.To, e.Reason)
		default:
			fmt.Fprintf(&b, "x: %s: %s: %s\n", e.Pos, e.Key, e.Reason)
		}
	}
	for _, e := range m.Effects {
		fmt.Fprintf(&b, "x: effect: %s: %s before, %s after", e.What, cmp.Or(e.Before, "unset"), cmp.Or(e.After, "unset"))
		if e.Remedy != "" {
			fmt.Fprintf(&b, "; %s", e.Remedy)
		}
		b.WriteByte('\n')
	}
	if a.flags.verbose {
		for _, c := range m.Changes {
			fmt.Fprintf(&b, "x: changed upstream: %s\n", c)
		}
	}
	for _, f := range m.Releases {
		fmt.Fprintf(&b, "x: %s\n", f)
	}
	for _, f := range m.Undone { // last, where they stay in sight
		fmt.Fprintf(&b, "x: by hand: %s\n", f)
	}
	_, err := fmt.Fprint(a.Stderr, b.String())
	return err
}
