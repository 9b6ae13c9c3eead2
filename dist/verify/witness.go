package verify

import (
	"debug/elf"
	"os"
	"strings"

	"x.go/dist/linkage"
)

// witnessFlags ask the linker to name itself while it links, and rustc to pass that
// on. Compilers that do not know the lint say nothing.
var witnessFlags = []string{"-Wlinker-messages", "-Clink-arg=-Wl,-v"}

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
