package check

import (
	"io/fs"
	"os"
	"path"
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
	return groupMemory(os.DirFS("/"), int64(info.Totalram)*int64(info.Unit))
}

// groupMemory returns the lowest limit of the control groups that this process is
// in, or total if that is lower. root is the root of the file system.
//
// /proc/self/cgroup names a group of each hierarchy as "ID:CONTROLLERS:PATH"
// (cgroups(7)). The limits of all groups around one count too. In a container the
// path may be that of the host, of which nothing is mounted: then the files at the
// top are those of the container's group.
func groupMemory(root fs.FS, total int64) int64 {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		text = []byte("0::/") // no /proc
	}
	for line := range strings.Lines(string(text)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		top, name := "sys/fs/cgroup", "memory.max"
		switch {
		case controllers == "": // version 2
		case strings.Contains(","+controllers+",", ",memory,"):
			top, name = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
			total = min(total, groupLimit(root, path.Join(top, dir, name), total))
			if dir == "/" {
				break
			}
		}
	}
	return total
}

// groupLimit reads the limit of one group, which is total where there is none: the
// file says "max" then, or in version 1 a number that no machine has.
func groupLimit(root fs.FS, file string, total int64) int64 {
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return total
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil || limit <= 0 {
		return total
	}
	return limit
}
