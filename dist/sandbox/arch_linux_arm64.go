package sandbox

import "golang.org/x/sys/unix"

// auditArch is the machine that system calls are numbered for.
const auditArch = unix.AUDIT_ARCH_AARCH64

// openCalls are those that open a file.
var openCalls = []openCall{{unix.SYS_OPENAT, 1, 2}, {unix.SYS_OPENAT2, 1, -1}}

// olderChangeCalls are those that newer machines do without.
var olderChangeCalls = []changeCall{{number: unix.SYS_RENAMEAT, name: 1, at: true, does: "move"}}
