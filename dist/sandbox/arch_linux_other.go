//go:build linux && !amd64 && !arm64

package sandbox

// auditArch is the machine that system calls are numbered for; 0 means that they are
// not filtered.
const auditArch = 0

var (
	openCalls        []openCall
	olderChangeCalls []changeCall
)
