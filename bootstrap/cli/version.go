package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of x",
		Long:    "Print the version of x, and the Go release and the system it was built for.",
		Example: "  x version\n  x version --json",
		Args:    none,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			if a.flags.json {
				return a.printJSON(v)
			}
			_, err := fmt.Fprintf(a.Stdout, "x %s (%s %s/%s)\n", v.Version, v.Go, runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	hideGlobals(cmd, "config", "set", "build-dir", "sysroot", "jobs", "dry-run", "quiet", "verbose")
	return cmd
}

// version is what `x version --json` prints.
type version struct {
	Version string `json:"version"`          // module version, or "devel"
	Commit  string `json:"commit,omitempty"` // of the source, if known
	Go      string `json:"go"`
}

// buildVersion reads what the go command wrote into the program.
func buildVersion() version {
	v := version{Version: "devel", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok { // built without modules
		return v
	}
	if m := info.Main.Version; m != "" && m != "(devel)" {
		v.Version = m
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	return v
}

// released returns the version for records in archives: that of a release, or
// "devel" for anything else, so that a program from `go run` and one from
// `go build` write the same bytes.
func (v version) released() string {
	if strings.HasPrefix(v.Version, "v") && !strings.ContainsAny(v.Version, "-+") {
		return v.Version
	}
	return "devel"
}
