package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// enterMain is the helper's second half: it gives up what the program must not have, and
// becomes the program. It returns only if it cannot.
func enterMain() int {
	// Landlock and seccomp bind one thread, and execve goes on with that.
	runtime.LockOSThread()
	var j job
	err := json.Unmarshal([]byte(os.Args[1]), &j)
	if err == nil {
		err = j.enter()
	}
	if err == nil {
		err = syscall.Exec(j.Path, os.Args[2:], os.Environ())
	}
	fmt.Fprintf(os.Stderr, "error: running %q: %v\n", j.Path, err)
	return 126
}

func (j job) enter() error {
	limits := []struct {
		what  int
		value uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, uint64(j.Limits.File)},
		{unix.RLIMIT_AS, 4 * uint64(j.Limits.Memory)}, // what is reserved is not yet used
	}
	if j.Namespaces && os.Geteuid() != 0 { // root has no such limit
		limits = append(limits, struct {
			what  int
			value uint64
		}{unix.RLIMIT_NPROC, 4 * uint64(j.Limits.Processes)}) // it counts threads
	}
	for _, l := range limits {
		var now unix.Rlimit
		if err := unix.Getrlimit(l.what, &now); err != nil {
			return fmt.Errorf("reading a limit: %w", err)
		}
		now.Max = min(now.Max, l.value)
		now.Cur = min(now.Cur, now.Max)
		if err := unix.Setrlimit(l.what, &now); err != nil {
			return fmt.Errorf("setting a limit: %w", err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("giving up privileges: %w", err)
	}
	if err := j.landlock(); err != nil {
		return fmt.Errorf("restricting files: %w", err)
	}
	if err := filterCalls(reportTo); err != nil {
		return fmt.Errorf("restricting the network: %w", err)
	}
	return nil
}

// landlockVersion asks the kernel for its interface; 0 if it has none.
func landlockVersion() int {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(v)
}

// Rights of Landlock.
const (
	readRights   = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	firstRights  = 1<<13 - 1 // of version 1
	deviceRights = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	fileRights   = unix.LANDLOCK_ACCESS_FS_EXECUTE | deviceRights
)

// devices may be written to.
var devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// landlock restricts this thread to the files of the policy.
func (j job) landlock() error {
	if j.Landlock == 0 {
		return nil
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: firstRights}
	if j.Landlock >= 2 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if j.Landlock >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if j.Landlock >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if j.Landlock >= 5 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if j.Landlock >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	size := unsafe.Sizeof(attr.Handled_access_fs) // the kernel refuses fields that it does not know, unless they are zero
	if j.Landlock >= 4 {
		size += unsafe.Sizeof(attr.Handled_access_net)
	}
	if j.Landlock >= 6 {
		size += unsafe.Sizeof(attr.Scoped)
	}
	rules, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return errno
	}
	defer unix.Close(int(rules))
	for _, group := range []struct {
		paths  []string
		rights uint64
	}{{j.Read, readRights}, {devices, deviceRights}, {j.Write, attr.Handled_access_fs}} {
		for _, path := range group.paths {
			if err := allow(int(rules), path, group.rights&attr.Handled_access_fs); err != nil {
				return fmt.Errorf("allowing %q: %w", path, err)
			}
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, rules, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// allow adds a rule for a path. One that is not there needs none.
func allow(rules int, path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= fileRights
	}
	beneath := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&beneath)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
