package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

// journalName is the file in Libdir/rustlib that says what a run is about. A killed run
// leaves it, and the next one goes by it.
//
// Its first line names the directories of ours. A line "stage" has a directory that one
// of them may be in, "made" one that was not there before, "base" one of those above
// all others. With a last line "end" it is a plan, and all that is new is complete: the
// next run makes those changes that are left. Without that line nothing has been
// changed, and the next run only removes what is new.
const journalName = ".x-install"

const (
	lineID       = "x-install-1"
	lineBase     = "base"
	lineMade     = "made"
	lineStage    = "stage"
	lineDisplace = "displace"
	lineBackup   = "backup"
	lineRecord   = "record"
	linePlace    = "place"
	linePrune    = "prune"
	lineEnd      = "end"
)

func journalLine(b *bytes.Buffer, word string, fields ...string) {
	b.WriteString(word)
	for _, f := range fields {
		b.WriteByte(' ')
		b.WriteString(strconv.Quote(f))
	}
	b.WriteByte('\n')
}

// journalHead returns the lines of what is ours.
func (t *transaction) journalHead() *bytes.Buffer {
	var b bytes.Buffer
	journalLine(&b, lineID, t.id)
	for _, dir := range t.roots.made {
		journalLine(&b, lineBase, dir)
	}
	for _, at := range t.made {
		journalLine(&b, lineMade, at.path())
	}
	for _, at := range t.stages {
		journalLine(&b, lineStage, at.path())
	}
	return &b
}

// startJournal writes the journal before anything else. New files are likely to go
// where the old ones are.
func (t *transaction) startJournal() error {
	for _, c := range t.replaced {
		for _, r := range c.list {
			t.stages[r.dir().path()] = r.dir()
		}
		for key := range c.digests {
			if at, ok := t.layout.locate(key); ok {
				t.stages[at.dir().path()] = at.dir()
			}
		}
	}
	t.stages[t.at.path()] = t.at
	t.journal = true
	return t.saveJournal(t.journalHead().Bytes())
}

func (t *transaction) saveJournal(text []byte) error {
	if err := t.step("journal", t.at.join(journalName)); err != nil {
		return err
	}
	return dist.WriteOwn(t.records, journalName, text, dist.ModeFile)
}

// noteStage adds a stage to the journal.
func (t *transaction) noteStage(at place) error {
	if err := t.step("journal", t.at.join(journalName)); err != nil {
		return err
	}
	f, err := t.records.OpenFile(journalName, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	journalLine(&b, lineStage, at.path())
	_, err = f.Write(b.Bytes())
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// writeJournal writes the plan down.
func (t *transaction) writeJournal(p *plan) error {
	for _, d := range p.displace {
		t.stages[d.at.dir().path()] = d.at.dir()
	}
	b := t.journalHead()
	for _, d := range p.displace {
		if d.isBackup() {
			journalLine(b, lineBackup, d.at.path(), d.backup.path())
		} else {
			journalLine(b, lineDisplace, d.at.path(), strconv.FormatInt(d.size, 10), strconv.FormatInt(d.mtime, 10))
		}
	}
	for _, r := range p.records {
		journalLine(b, lineRecord, r.name, r.was.String(), r.now.String())
	}
	for _, at := range p.units {
		journalLine(b, linePlace, at.path())
	}
	for _, at := range p.prune {
		journalLine(b, linePrune, at.path())
	}
	journalLine(b, lineEnd)
	return t.saveJournal(b.Bytes())
}

// recover completes what a killed run has begun.
func (t *transaction) recover() error {
	data, err := dist.ReadOwn(t.records, journalName, maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	old := &transaction{
		layout: t.layout, opts: t.opts, roots: t.roots, records: t.records, at: t.at, stages: map[string]place{}, journal: true,
	}
	t.done.Unfinished = true
	p, whole, err := old.parseJournal(data)
	if err != nil {
		return fmt.Errorf("reading %q, which a killed installation left: %w: run it once more with the directories it had, or remove the file",
			t.at.join(journalName).path(), err)
	}
	if whole && old.current(p) {
		err = old.run(context.Background(), p) // whoever cancels it has no part in that run
		t.done.Backups = append(t.done.Backups, old.doneBackups(p)...)
		// The lock is in one of them until the end.
		for _, at := range slices.Backward(p.prune) {
			t.made = append(t.made, at)
		}
	}
	if !whole {
		t.made = append(old.made, t.made...)
		t.roots.made = append(old.roots.made, t.roots.made...)
	}
	if err == nil {
		err = old.cleanUp(p.prune)
	}
	if err != nil {
		return fmt.Errorf("completing a killed installation: %w", err)
	}
	return nil
}

// maxJournal bounds the journal, in bytes: a line for each file of two installations.
const maxJournal = 256 << 20

var journalID = regexp.MustCompile(`^[A-Z2-7]{20,40}$`)

// parseJournal reads the journal of a killed run. Of a part that was written last, the
// last line may be cut.
func (t *transaction) parseJournal(data []byte) (p *plan, whole bool, err error) {
	p = &plan{}
	for line := range strings.Lines(string(data)) {
		text, ended := strings.CutSuffix(line, "\n")
		if !ended {
			break
		}
		if whole {
			return nil, false, fmt.Errorf("got line %.200q after the end", text)
		}
		word, fields, err := journalFields(text)
		if err != nil {
			return nil, false, err
		}
		if whole = word == lineEnd; whole {
			continue
		}
		if err := t.parseLine(p, word, fields); err != nil {
			return nil, false, fmt.Errorf("got line %.200q: %w", text, err)
		}
	}
	return p, whole, nil
}

func journalFields(line string) (word string, fields []string, err error) {
	word, rest, _ := strings.Cut(line, " ")
	for rest != "" {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return "", nil, fmt.Errorf("got line %.200q, want a word and quoted fields", line)
		}
		field, err := strconv.Unquote(quoted)
		if err != nil {
			return "", nil, err
		}
		fields = append(fields, field)
		rest = strings.TrimPrefix(rest[len(quoted):], " ")
	}
	return word, fields, nil
}

var errFields = errors.New("want other fields")

// parseLine reads one line but the last.
func (t *transaction) parseLine(p *plan, word string, fields []string) error {
	want := map[string]int{lineID: 1, lineBase: 1, lineMade: 1, lineStage: 1, lineDisplace: 3, lineBackup: 2, lineRecord: 3, linePlace: 1, linePrune: 1}[word]
	if want == 0 || len(fields) != want || (t.id == "") != (word == lineID) {
		return errFields
	}
	switch word {
	case lineID:
		if t.id = fields[0]; !journalID.MatchString(t.id) {
			return errFields
		}
		return nil
	case lineBase:
		// Only those of this run's directories are removed, and only when empty.
		for base := range t.roots.open {
			if within(fields[0], base) && filepath.Clean(fields[0]) == fields[0] {
				t.roots.addMade(fields[0])
			}
		}
		return nil
	case lineRecord:
		return t.parseRecord(p, fields)
	}
	places := make([]place, len(fields))
	for i, f := range fields {
		if word == lineDisplace && i > 0 {
			break
		}
		var ok bool
		if places[i], ok = t.layout.locate(f); !ok {
			if f != t.layout.base() {
				return errors.New("want a path below the directories given")
			}
			places[i] = place{f, "."}
		}
	}
	return t.parsePlaces(p, word, places, fields)
}

func (t *transaction) parsePlaces(p *plan, word string, places []place, fields []string) error {
	switch at := places[0]; word {
	case lineMade:
		t.made = append(t.made, at)
	case lineStage:
		t.stages[at.path()] = at
	case lineBackup:
		p.displace = append(p.displace, displacement{at: at, backup: places[1]})
	case lineDisplace:
		size, err1 := strconv.ParseInt(fields[1], 10, 64)
		mtime, err2 := strconv.ParseInt(fields[2], 10, 64)
		p.displace = append(p.displace, displacement{at: at, size: size, mtime: mtime})
		return errors.Join(err1, err2)
	case linePlace:
		p.units = append(p.units, at)
	case linePrune:
		p.prune = append(p.prune, at)
	}
	return nil
}

func (t *transaction) parseRecord(p *plan, fields []string) error {
	was, err1 := manifests.ParseHash(fields[1])
	now, err2 := manifests.ParseHash(fields[2])
	if name := fields[0]; name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return errFields
	}
	p.records = append(p.records, recordChange{fields[0], was, now})
	return errors.Join(err1, err2)
}

// current reports whether the records are those that a killed run has found or written.
// If not, another installer has been at work since, and the plan is of no use.
func (t *transaction) current(p *plan) bool {
	return !slices.ContainsFunc(p.records, func(r recordChange) bool {
		if r.name == logName || r.name == uninstallerName || r.name == manifests.VersionFile {
			return false
		}
		var got manifests.Hash
		if data, err := dist.ReadOwn(t.records, r.name, manifests.MaxDigests); err == nil {
			got = manifests.HashOf(data)
		}
		if got == r.now {
			return false
		}
		fresh, err := t.lstat(t.stage(t.at, newSuffix).join(r.name))
		return got != r.was || err != nil || fresh == nil && r.now != manifests.Hash{}
	})
}

// doneBackups are the backups of a plan that are there.
func (t *transaction) doneBackups(p *plan) []Backup {
	var out []Backup
	for _, d := range p.displace {
		if !d.isBackup() {
			continue
		}
		if info, err := t.lstat(d.backup); err == nil && info != nil {
			out = append(out, Backup{d.at.path(), d.backup.path()})
		}
	}
	return out
}
