package bootstrap

import "fmt"

// FormatSize writes a number of bytes as people read it: "1.4 GB", in powers
// of 1000.
func FormatSize(n int64) string {
	const kilo = 1000
	if n < kilo {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), 0
	for f >= kilo && unit < len("kMGT") {
		f /= kilo
		unit++
	}
	return fmt.Sprintf("%.1f %cB", f, " kMGT"[unit])
}

// FormatMemory writes a number of bytes of memory: "1.5 GiB", in powers of 1024,
// as limits of memory are given.
func FormatMemory(n int64) string {
	const kibi = 1024
	if n < kibi {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), 0
	for f >= kibi && unit < len("KMGT") {
		f /= kibi
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", f, " KMGT"[unit])
}
