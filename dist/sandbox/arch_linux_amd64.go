package sandbox

import "golang.org/x/sys/unix"

// auditArch is the machine that system calls are numbered for.
const auditArch = unix.AUDIT_ARCH_X86_64

// openCalls are those that open a file: the argument with the name, and that with the
// flags; -1 if they are elsewhere.
var openCalls = []openCall{{unix.SYS_OPEN, 0, 1}, {unix.SYS_CREAT, 0, -1}, {unix.SYS_OPENAT, 1, 2}, {unix.SYS_OPENAT2, 1, -1}}
