package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"syscall"

	"x.go/dist"
	"x.go/manifests"
)

// Backup is a file or directory of the user's that was in the way, and where it is now.
type Backup struct {
	Path string `json:"path"` // where it was, absolute
	Old  string `json:"old"`  // where it is: Path.old, or Path.old.1 and so on where that is taken
}

// run makes the changes of a plan. Whatever it finds done it leaves as it is, so that it
// completes what a killed run began. The order is for uninstall.sh, which may come after
// a kill: the records name a place only once nothing of the user's is there, and before
// anything of ours is.
func (t *transaction) run(ctx context.Context, p *plan) error {
	units := map[string]bool{}
	for _, at := range p.units {
		units[at.path()] = true
	}
	phases := []func() error{
		func() error {
			for _, d := range p.displace {
				if err := t.displace(d, units[d.at.path()]); err != nil {
					return fmt.Errorf("moving %q away: %w", d.at.path(), dist.WithoutPath(err))
				}
			}
			return nil
		},
		func() error {
			for _, r := range p.records {
				if err := t.changeRecord(r); err != nil {
					return fmt.Errorf("writing %q: %w", t.at.join(r.name).path(), dist.WithoutPath(err))
				}
			}
			return nil
		},
		func() error {
			for _, at := range p.units {
				if err := t.putInPlace(at); err != nil {
					return fmt.Errorf("writing %q: %w", at.path(), dist.WithoutPath(err))
				}
			}
			return nil
		},
	}
	sizes := []int{len(p.displace), len(p.records), len(p.units)}
	for i, phase := range phases {
		if sizes[i] == 0 {
			continue
		}
		if context.Cause(ctx) != nil {
			return context.Cause(ctx)
		}
		if err := phase(); err != nil {
			return err
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	return nil
}

// flush makes the changes of names last: those of a few directories one by one, since
// flushing all waits for what other programs have written, too.
func (t *transaction) flush() error {
	const few = 32
	if len(t.touched) > few {
		clear(t.touched)
		return t.flushAll()
	}
	for _, at := range t.touched {
		if err := t.step("sync", at); err != nil {
			return err
		}
		root, err := t.root(at.base)
		if err != nil {
			return err
		}
		dir, err := root.OpenRoot(at.rel)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue // removed since
		}
		if err != nil {
			return err
		}
		if err := errors.Join(dist.SyncDir(dir), dir.Close()); err != nil {
			return fmt.Errorf("flushing %q: %w", at.path(), err)
		}
	}
	clear(t.touched)
	return nil
}

// touch notes that names in a directory have changed.
func (t *transaction) touch(dirs ...place) {
	if t.touched == nil {
		t.touched = map[string]place{}
	}
	for _, at := range dirs {
		t.touched[at.path()] = at
	}
}

// flushAll flushes all that was written.
func (t *transaction) flushAll() error {
	if err := t.step("sync", t.at); err != nil {
		return err
	}
	t.early.running.Wait()
	return errors.Join(t.early.err, t.roots.sync())
}

// rename renames below one base, and notes how to undo it.
func (t *transaction) rename(from, to place) error {
	if err := t.step("rename", from); err != nil {
		return err
	}
	root, err := t.root(from.base)
	if err != nil {
		return err
	}
	t.touch(from.dir(), to.dir())
	if err := root.Rename(from.rel, to.rel); err != nil {
		return err
	}
	t.undo = append(t.undo, func() error {
		if err := t.step("rename", to); err != nil {
			return err
		}
		t.touch(from.dir(), to.dir())
		return root.Rename(to.rel, from.rel)
	})
	return nil
}

// displace moves a file away: one of an earlier installation to a directory of ours, one
// of the user's to its backup. unit says that something new goes there.
func (t *transaction) displace(d displacement, unit bool) error {
	info, err := t.lstat(d.at)
	if err != nil || info == nil {
		return err
	}
	if unit {
		if fresh, err := t.lstat(t.staged(d.at)); err != nil || fresh == nil {
			return err // it is in place
		}
	}
	if d.isBackup() {
		return t.backUp(d.at, d.backup)
	}
	size, mtime := info.Size(), info.ModTime().UnixNano()
	if info.IsDir() {
		if size, mtime, err = t.gist(d.at); err != nil {
			return err
		}
	}
	if size != d.size || mtime != d.mtime { // somebody has changed it since
		return t.backUp(d.at, place{d.at.base, d.at.rel + ".old"})
	}
	to := t.stage(d.at.dir(), oldSuffix)
	root, err := t.root(to.base)
	if err != nil {
		return err
	}
	if err := t.step("mkdir", to); err != nil {
		return err
	}
	t.touch(to.dir())
	if err := root.Mkdir(to.rel, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return t.rename(d.at, to.join(d.at.name()))
}

// backUp moves a file of the user's to the place to, or beside it if that is taken.
func (t *transaction) backUp(at, to place) error {
	if info, err := t.lstat(to); err != nil {
		return err
	} else if info != nil {
		if to, err = t.free(at); err != nil {
			return err
		}
	}
	root, err := t.root(to.base)
	if err != nil {
		return err
	}
	if err := t.step("mkdir", to); err != nil {
		return err
	}
	err = dist.CreateDirs(root, path.Dir(to.rel), func(dir string) {
		t.touch(place{to.base, dir}.dir())
		t.undo = append(t.undo, func() error {
			if err := t.step("rmdir", to); err != nil {
				return err
			}
			return root.Remove(dir)
		})
	})
	if err != nil {
		return err
	}
	if err := t.rename(at, to); err != nil {
		return err
	}
	t.done.Backups = append(t.done.Backups, Backup{at.path(), to.path()})
	return nil
}

// staged returns where a new file or directory is until it is put in place.
func (t *transaction) staged(at place) place { return t.stage(at.dir(), newSuffix).join(at.name()) }

func (t *transaction) putInPlace(at place) error {
	from := t.staged(at)
	if info, err := t.lstat(from); err != nil || info == nil {
		return err
	}
	if info, err := t.lstat(at); err != nil {
		return err
	} else if info != nil { // somebody has put it there since
		if err := t.backUp(at, place{at.base, at.rel + ".old"}); err != nil {
			return err
		}
	}
	return t.rename(from, at)
}

// changeRecord puts a new record over the old one, or removes it.
func (t *transaction) changeRecord(r recordChange) error {
	old, mode, err := t.readRecord(r.name)
	if err != nil {
		return err
	}
	at := t.at.join(r.name)
	if err := t.step("record", at); err != nil {
		return err
	}
	t.touch(t.at)
	if (r.now == manifests.Hash{}) {
		err = t.records.Remove(r.name)
	} else {
		err = t.records.Rename(ownPrefix+t.id+newSuffix+"/"+r.name, r.name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // done before
	}
	if err != nil {
		return err
	}
	t.undo = append(t.undo, func() error {
		if err := t.step("record", at); err != nil {
			return err
		}
		if err := t.stageRecord(r); err != nil {
			return err
		}
		if old == nil {
			return t.records.Remove(r.name)
		}
		return dist.WriteOwn(t.records, r.name, old, mode)
	})
	return nil
}

// stageRecord has a new record, which is in place, in our directory again before it is
// undone: if that fails halfway, the next run makes all changes of the plan, for which it
// needs the record.
func (t *transaction) stageRecord(r recordChange) error {
	if (r.now == manifests.Hash{}) {
		return nil
	}
	staged := t.stage(t.at, newSuffix).join(r.name)
	if info, err := t.lstat(staged); err != nil || info != nil {
		return err
	}
	data, mode, err := t.readRecord(r.name)
	if err != nil || manifests.HashOf(data) != r.now {
		return err
	}
	dir, err := t.records.OpenRoot(ownPrefix + t.id + newSuffix)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dist.WriteOwn(dir, r.name, data, mode)
}

// readRecord returns a record and its mode; nil if there is none.
func (t *transaction) readRecord(name string) ([]byte, fs.FileMode, error) {
	data, err := t.recordText(name, manifests.MaxDigests)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := t.records.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	return data, info.Mode().Perm(), nil
}

// finish removes what commit has replaced. From here on nothing is undone.
func (t *transaction) finish(p *plan) error {
	t.undo = nil
	if err := t.cleanUp(p.prune); err != nil {
		return fmt.Errorf("removing the files that were replaced: %w: all new ones are in place; run the command again", err)
	}
	return nil
}

// cleanUp removes our directories, the directories of prune that are empty, and the
// journal.
func (t *transaction) cleanUp(prune []place) error {
	t.handles.close()
	for _, at := range t.stages {
		for _, suffix := range []string{newSuffix, oldSuffix} {
			if err := t.removeOwn(t.stage(at, suffix)); err != nil {
				return err
			}
		}
	}
	if !t.journal {
		return nil
	}
	var last []place // those that the journal is in
	for _, at := range prune {
		if within(at.path(), t.at.path()) {
			last = append(last, at)
		} else {
			t.prune(at)
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	if err := t.step("remove", t.at.join(journalName)); err != nil {
		return err
	}
	if err := dist.RemoveAll(t.records, journalName); err != nil {
		return err
	}
	for _, at := range last {
		t.prune(at)
	}
	return nil
}

// removeOwn removes a directory of ours with all that is in it.
func (t *transaction) removeOwn(at place) error {
	root, err := t.root(at.base)
	if err != nil {
		return err
	}
	info, err := t.lstat(at)
	if _, out := errors.AsType[*outError](err); out {
		return nil // nothing was written there
	}
	if err != nil || info == nil {
		return err
	}
	if err := t.step("remove", at); err != nil {
		return err
	}
	t.touch(at.dir())
	return root.RemoveAll(at.rel)
}

// prune removes a directory if it is empty.
func (t *transaction) prune(at place) {
	if root, err := t.root(at.base); err == nil && t.step("rmdir", at) == nil {
		if at == t.at && t.lock != nil {
			t.lock.Remove()
			t.lock = nil
		}
		info, err := t.lstat(at)
		if err == nil && info != nil && info.IsDir() && root.Remove(at.rel) == nil {
			t.touch(at.dir())
		}
	}
}
