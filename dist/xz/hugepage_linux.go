package xz

import "golang.org/x/sys/unix"

// adviseHugePages asks the kernel to back b by huge pages. Matches read the
// window all over; with small pages, finding the address takes longer than
// reading. The kernel may do otherwise, so its answer does not matter.
func adviseHugePages(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
