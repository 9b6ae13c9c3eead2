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
