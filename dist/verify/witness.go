package verify

import (
	"debug/elf"
	"os"
	"strings"

	"x.go/dist/linkage"
)

// witnessFlags ask the linker to name itself while it links, and rustc to pass that
// on. The lint is of 1.86 (rust-lang/rust#119286); compilers before 1.73 refuse one that
// they do not know.
func (t *toolchain) witnessFlags() []string {
	says := t.says
	if t.foreign.lender != nil {
		says = t.foreign.lender.says
	}
	flags := []string{"-Clink-arg=-Wl,-v"}
	if says.Version.Release.Minor() >= 86 {
		flags = append(flags, "-Wlinker-messages")
	}
	return flags
}

// findWitness returns the line of a compiler's output in which a linker says
// who it is, or "".
func findWitness(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		for _, p := range []string{"warning: ", "linker stdout: ", "linker stderr: "} {
			line = strings.TrimPrefix(line, p)
		}
		if witnessLinker(line) != linkage.Unknown {
			return line
		}
	}
	return ""
}

// witnessLinker returns which linker a line names.
func witnessLinker(line string) linkage.Linker {
	linker, _ := linkage.Named(line)
	return linker
}

// machineName is "x86_64" for EM_X86_64.
func machineName(m elf.Machine) string {
	return strings.ToLower(strings.TrimPrefix(m.String(), "EM_"))
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
