package check

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// memory returns the bytes of memory that this process may use: the machine's,
// or the limit of its control group where that is lower, as in a container.
func memory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	total := int64(info.Totalram) * int64(info.Unit)
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		// A group without a limit says "max", or in version 1 a number that no
		// machine has.
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil && limit > 0 {
			total = min(total, limit)
		}
	}
	return total
}

// writable returns why nothing can be made in an existing folder, or nil. The
// kernel knows about file systems that are mounted read-only, too.
func writable(dir string) error {
	return unix.Access(dir, unix.W_OK|unix.X_OK)
}

// freeSpace returns the free bytes that an ordinary user may fill.
func freeSpace(dir string) (int64, error) {
	var st unix.Statfs_t
	for {
		err := unix.Statfs(dir, &st)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return int64(st.Bavail) * int64(st.Bsize), err
	}
}
