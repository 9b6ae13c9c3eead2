package sandbox

import (
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// changeCall is a system call that changes a file without opening it. Where names are
// relative to a directory, its number is the argument before the name.
type changeCall struct {
	number uint32
	name   int // argument
	at     bool
	does   string // "tried to ..."
	// creates: the file is not there before.
	creates bool
	// follows a link to its end.
	follows bool
}

// changeCalls are those of every machine.
var changeCalls = append(slices.Clone(olderChangeCalls), []changeCall{
	{number: unix.SYS_FCHMODAT, name: 1, at: true, does: "change the mode of", follows: true},
	{number: unix.SYS_FCHMODAT2, name: 1, at: true, does: "change the mode of", follows: true},
	{number: unix.SYS_FCHOWNAT, name: 1, at: true, does: "change the owner of"},
	{number: unix.SYS_UTIMENSAT, name: 1, at: true, does: "change the time of", follows: true},
	{number: unix.SYS_TRUNCATE, name: 0, does: "write to", follows: true},
	{number: unix.SYS_UNLINKAT, name: 1, at: true, does: "remove"},
	{number: unix.SYS_RENAMEAT2, name: 1, at: true, does: "move"},
	{number: unix.SYS_MKDIRAT, name: 1, at: true, does: "create", creates: true},
	{number: unix.SYS_SYMLINKAT, name: 2, at: true, does: "create", creates: true},
	{number: unix.SYS_LINKAT, name: 3, at: true, does: "create", creates: true},
}...)

// lookChange notes a change that the program may not make. As with [lookOpen], it is
// refused by Landlock and by the mounts, which are read-only.
func (s *supervisor) lookChange(q notification, c changeCall) {
	name := s.calledPath(q, c.name, c.at)
	if name == "" {
		return
	}
	dir, base := filepath.Split(filepath.Clean(name))
	path, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return
	}
	path = filepath.Join(path, base)
	if c.follows {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return
		}
	}
	_, err = os.Lstat(path)
	if under(path, s.Write) || isDevice(path) || (err == nil) == c.creates {
		return
	}
	s.broke("it tried to %s %q", c.does, path)
}

// lookKill judges a signal: not to the supervisor, to who started it, or to everybody.
func (s *supervisor) lookKill(q notification) (refuse bool) {
	pid, signal := int32(q.args[0]), q.args[1]
	if pid < -1 {
		pid = -pid // its group
	}
	parents := []int32{-1, int32(os.Getpid())}
	if parent := os.Getppid(); parent > 1 {
		parents = append(parents, int32(parent))
	}
	if signal == 0 || !slices.Contains(parents, pid) {
		return false
	}
	s.broke("it tried to kill processes that are not its own")
	return true
}
