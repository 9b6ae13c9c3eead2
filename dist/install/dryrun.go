package install

import (
	"context"
	"errors"
	"io/fs"
	"slices"
)

// Components returns the names of the components that are installed in the directories
// of opts, in their order. What is not there has none.
func Components(opts Options) ([]string, error) {
	opts.DryRun, opts.unlisted = true, true
	var names []string
	t, err := begin(context.Background(), opts, func(installed []string) []string {
		names = installed
		return nil
	})
	if err != nil {
		return nil, err
	}
	return names, t.rollback()
}

// look reads the records of a dry run, which creates nothing and waits for nobody.
func (t *transaction) look(choose func(installed []string) []string) error {
	t.roots.readOnly = true
	root, err := t.root(t.at.base)
	if err == nil {
		t.records, err = root.OpenRoot(t.at.rel)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if data, err := t.recordText(journalName, maxJournal); err == nil {
		old := &transaction{layout: t.layout, roots: t.roots, stages: map[string]place{}}
		_, _, _ = old.parseJournal(data) // what is wrong with it is for a real run to say
		t.killed, t.done.Unfinished = old.id, true
	}
	return t.readRecords(choose)
}

// tell notes what a plan changes, after it was carried out or, in a dry run, instead.
func (t *transaction) tell(p *plan) {
	kept := map[string]bool{}
	if t.opts.DryRun {
		for _, d := range p.displace {
			if d.isBackup() {
				t.done.Backups = append(t.done.Backups, Backup{d.at.path(), d.backup.path()})
			}
		}
	}
	for _, b := range t.done.Backups {
		kept[b.Path] = true
	}
	gone := map[string]bool{}
	for _, d := range p.displace {
		key := d.at.path()
		if gone[key] = !kept[key]; gone[key] && t.files[key] == nil {
			t.done.Removed = append(t.done.Removed, key)
		}
		if gone[key] {
			t.done.Removed = append(t.done.Removed, d.inside...)
		}
	}
	for key, a := range t.files {
		t.done.Files = append(t.done.Files, key)
		switch {
		case a.kept:
			t.done.Unchanged++
		case gone[key]:
			t.done.Replaced = append(t.done.Replaced, key)
		default:
			t.done.Created = append(t.done.Created, key)
		}
	}
	for _, r := range p.records {
		list := &t.done.Records.Written
		if r.now.IsZero() {
			list = &t.done.Records.Removed
		}
		*list = append(*list, t.at.join(r.name).path())
	}
	for _, list := range [][]string{t.done.Files, t.done.Created, t.done.Replaced, t.done.Removed, t.done.Records.Written, t.done.Records.Removed} {
		slices.Sort(list)
	}
}

// toMend returns what a repair mends, in the words of [Inspect].
func (t *transaction) toMend(ctx context.Context, parts []part) ([]Problem, error) {
	k := newLook(t.layout, nil)
	var wrong []wanted
	for _, a := range t.files {
		if !a.kept {
			wrong = append(wrong, wanted{a.component, a.to, a.mode, a.size, a.hash, a.link})
		}
	}
	err := k.files(ctx, wrong)
	lists := survey{in: t.before}
	for _, c := range t.before.components {
		if i := slices.IndexFunc(parts, func(p part) bool { return p.name == c.name }); i >= 0 {
			lists.unlisted(c, expectation{list: parts[i].list})
		}
	}
	s := State{Problems: slices.Concat(k.problems, lists.state.Problems)}
	if _, problem := t.before.uninstaller(t.scripts()...); problem != "" && len(t.scripts()) > 0 {
		t.before.problem("", t.before.file(uninstallerName), "%s", problem)
	}
	for _, p := range t.before.problems {
		if p.Component == "" || slices.ContainsFunc(parts, func(c part) bool { return c.name == p.Component }) {
			s.Problems = append(s.Problems, p)
		}
	}
	s.sort()
	return s.Problems, err
}
