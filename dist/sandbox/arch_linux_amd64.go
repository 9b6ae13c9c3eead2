package sandbox

import "golang.org/x/sys/unix"

// auditArch is the machine that system calls are numbered for.
const auditArch = unix.AUDIT_ARCH_X86_64

// openCalls are those that open a file.
var openCalls = []openCall{{unix.SYS_OPEN, 0, 1}, {unix.SYS_CREAT, 0, -1}, {unix.SYS_OPENAT, 1, 2}, {unix.SYS_OPENAT2, 1, -1}}

// olderChangeCalls are those that newer machines do without.
var olderChangeCalls = []changeCall{
	{number: unix.SYS_CHMOD, name: 0, does: "change the mode of", follows: true},
	{number: unix.SYS_CHOWN, name: 0, does: "change the owner of", follows: true},
	{number: unix.SYS_LCHOWN, name: 0, does: "change the owner of"},
	{number: unix.SYS_UTIME, name: 0, does: "change the time of", follows: true},
	{number: unix.SYS_UTIMES, name: 0, does: "change the time of", follows: true},
	{number: unix.SYS_UNLINK, name: 0, does: "remove"},
	{number: unix.SYS_RMDIR, name: 0, does: "remove"},
	{number: unix.SYS_RENAME, name: 0, does: "move"},
	{number: unix.SYS_RENAMEAT, name: 1, at: true, does: "move"},
	{number: unix.SYS_MKDIR, name: 0, does: "create", creates: true},
	{number: unix.SYS_SYMLINK, name: 1, does: "create", creates: true},
	{number: unix.SYS_LINK, name: 1, does: "create", creates: true},
}
