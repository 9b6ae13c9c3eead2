package lld

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/targets"
	"x.go/targets/link"
)

// TestEffect follows a plain link through toolchains of each kind.
func TestEffect(t *testing.T) {
	latest, ok := targets.Builtin().Newest("stable")
	if !ok {
		t.Fatal("no stable release in the registry")
	}
	const gccLD = "-Clink-arg=-B/opt/rust/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld"
	for _, row := range []struct {
		name   string
		baked  bool
		out    Outcome
		target string
		users  []string
		args   []string // of the launcher
		lld    string
		notes  int
	}{
		{"as built", true, Outcome{Wrapper: WrapperKept, Launcher: LauncherNone}, linux, nil, nil, "toolchain", 0},
		{"shim", true, Outcome{Wrapper: WrapperShim, Launcher: LauncherNone}, linux, nil, nil, "", 1},
		{"shim, the user's LLD", true, Outcome{Wrapper: WrapperShim, Launcher: LauncherNone}, linux, []string{"-Clink-arg=-fuse-ld=lld"}, nil, "system", 1},
		{"shim, the user's bfd", true, Outcome{Wrapper: WrapperShim, Launcher: LauncherNone}, linux, []string{"-Clink-arg=-fuse-ld=bfd"}, nil, "", 0},
		{"shim, bfd before", true, Outcome{Wrapper: WrapperShim, Launcher: LauncherNone}, linux, []string{"-Clink-arg=-fuse-ld=bfd", "-Clink-arg=-fuse-ld=lld"}, nil, "system", 1},
		{"launcher", true, Outcome{Wrapper: WrapperShim, Launcher: LauncherSystem}, linux, nil, []string{"-Clinker-features=-lld"}, "", 0},
		{"launcher, another target", true, Outcome{Wrapper: WrapperShim, Launcher: LauncherSystem}, "aarch64-unknown-linux-gnu", nil, nil, "", 1},
		{"system linker", false, Outcome{Wrapper: WrapperBuilt, Launcher: LauncherNone}, linux, nil, nil, "", 0},
		{"launcher of LLD", false, Outcome{Wrapper: WrapperBuilt, Launcher: LauncherLLD}, linux, nil, []string{gccLD, "-Clink-arg=-fuse-ld=lld"}, "toolchain", 0},
		{"launcher of LLD, no C compiler", false, Outcome{Wrapper: WrapperBuilt, Launcher: LauncherLLD}, "wasm32-unknown-unknown", nil, nil, "toolchain", 0},
	} {
		q, err := link.NewQuery(latest, targets.Compiler{Release: latest.Info().Release, Host: triple(linux), LLDDefault: row.baked}, triple(row.target), nil)
		if err != nil {
			t.Fatal(err)
		}
		q.World.Sysroot = "/opt/rust"
		q.Args = row.out.LauncherArgs(q)
		if diff := cmp.Diff(row.args, q.Args); diff != "" {
			t.Errorf("%s: arguments (-want +got):\n%s", row.name, diff)
		}
		q.Args = append(q.Args, row.users...)
		e, notes := row.out.Explain(q)
		if e.LLD != row.lld || len(notes) != row.notes {
			t.Errorf("%s: got LLD %q and notes %q, want %q and %d notes", row.name, e.LLD, notes, row.lld, row.notes)
		}
	}
}
