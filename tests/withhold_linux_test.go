package tests

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() { scriptPrograms["withhold"] = withhold }

// withhold runs a program on a machine that has less to offer: "withhold
// namespaces,landlock x verify".
func withhold() {
	runtime.LockOSThread() // the filter binds one thread, and execve goes on with that
	err := errNoArguments
	if len(os.Args) > 2 {
		err = withholdFrom(strings.Split(os.Args[1], ","), os.Args[2:])
	}
	fmt.Fprintln(os.Stderr, "withhold:", err)
	os.Exit(125)
}

var errNoArguments = fmt.Errorf("usage: withhold WHAT PROGRAM [ARG...]")

func withholdFrom(what, args []string) error {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	const number, firstArgument = 0, 16 // in struct seccomp_data
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	unless := func(nr, skip uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jf: uint8(skip)}
	}
	ret := func(action uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
	}
	refused := func(e syscall.Errno) unix.SockFilter { return ret(unix.SECCOMP_RET_ERRNO | uint32(e)) }
	filter := []unix.SockFilter{load(number)}
	for _, w := range what {
		switch w {
		case "landlock":
			filter = append(filter, unless(unix.SYS_LANDLOCK_CREATE_RULESET, 1), refused(unix.ENOSYS))
		case "namespaces":
			filter = append(filter, unless(unix.SYS_CLONE3, 1), refused(unix.ENOSYS), unless(unix.SYS_UNSHARE, 1), refused(unix.EPERM),
				unless(unix.SYS_CLONE, 4), load(firstArgument),
				unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.CLONE_NEWUSER, Jf: 1},
				refused(unix.EPERM), ret(unix.SECCOMP_RET_ALLOW))
		default:
			return fmt.Errorf("withholding %q: no such thing", w)
		}
	}
	filter = append(filter, ret(unix.SECCOMP_RET_ALLOW))
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return err
	}
	return syscall.Exec(path, args, os.Environ())
}
