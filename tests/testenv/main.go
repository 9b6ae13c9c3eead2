package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// programs are what tests run by name, themselves or in scripts. PATH has no
// more: an LLD or mold of the machine would answer where none is meant to.
var programs = strings.Fields(`
	7zz apt-cache apt-get ar as bash busybox c++ caddy cargo cargo-clippy cc clang clippy-driver dash diff dpkg dpkg-deb dpkg-query g++ gcc git go gpg gpgconf gpgv groff grotty gzip minisign
	ld ld.bfd ld.gold nginx nm objcopy objdump pigz ranlib readelf rsync rustc rustdoc rustfmt rustup sh shellcheck strace strip tar troff xz zstd
	aarch64-linux-gnu-as aarch64-linux-gnu-gcc aarch64-linux-gnu-ld x86_64-linux-gnu-gcc x86_64-linux-gnu-ld
	chromium-headless-shell cpio curl dh_builddeb dh_gencontrol dh_install dh_missing dpkg-architecture dpkg-gencontrol dpkg-split perl rpm rpm2cpio rpmbuild versitygw
	azurite-blob fake-gcs-server node
	qemu-aarch64-static qemu-arm-static qemu-i386-static qemu-mips64el-static qemu-ppc64le-static qemu-s390x-static
	munged sbatch scontrol sinfo slurmctld slurmd squeue
	awk base64 basename cat chgrp chmod chown cmp cp cut date dd dirname echo env expr false find grep head id
	install ldd ln ls mkdir mkfifo mktemp mount mv od printf pwd readlink rm rmdir sed seq sha256sum sleep sort
	stat sync tail tee test touch tr true uname uniq unshare wc xargs`)

// isolated says that [Main] runs.
var isolated bool

// Main runs the tests of a package and returns the exit status for its
// TestMain. What the caller's environment says about Rust, C, locales or
// linkers does not reach them: PATH is a directory of links to the programs
// that tests run, and to more, and HOME is empty. rustup's toolchains, the
// caches of go and TMPDIR stay where they are. rustc is rustup's stable.
func Main(m interface{ Run() int }, more ...string) int {
	dir, err := os.MkdirTemp("", "x-testenv-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := isolate(dir, slices.Concat(programs, more)); err != nil {
		panic(err)
	}
	return m.Run()
}

// isolate replaces the environment of this process.
func isolate(dir string, names []string) error {
	bin, home := filepath.Join(dir, "bin"), filepath.Join(dir, "home")
	slices.Sort(names) // a test may name what all have
	if err := Links(bin, slices.Compact(names)...); err != nil {
		return err
	}
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	env := append(keptEnv(), "PATH="+bin, "HOME="+home, "LC_ALL=C", "TZ=UTC", "RUSTUP_TOOLCHAIN=stable")
	os.Clearenv()
	for _, v := range env {
		key, value, _ := strings.Cut(v, "=")
		if err := os.Setenv(key, value); err != nil {
			return err
		}
	}
	plainUmask()
	plainSignals()
	isolated = true
	return nil
}

// plainSignals lets programs start with signals that end them, also below nohup or in
// the background of a script, where some are ignored. This process goes on ignoring them.
func plainSignals() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// Links creates the directory bin, with a link to each of the programs that
// PATH has.
func Links(bin string, names ...string) error {
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue // [Need] says so where a test asks for it
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			return fmt.Errorf("linking program %q: %w", name, err)
		}
	}
	return nil
}

// keptEnv returns the variables that stay: go's own and those of tests, and
// where the tools keep what they would else look for in HOME.
func keptEnv() []string {
	var kept []string
	for _, v := range os.Environ() {
		key, _, _ := strings.Cut(v, "=")
		if key == "TMPDIR" || key == "CGO_ENABLED" || strings.HasPrefix(key, "GO") || strings.HasPrefix(key, "X_") || strings.HasPrefix(key, "XZ_BENCH") {
			kept = append(kept, v)
		}
	}
	if rustup := os.Getenv("RUSTUP_HOME"); rustup != "" {
		kept = append(kept, "RUSTUP_HOME="+rustup)
	} else if home, err := os.UserHomeDir(); err == nil {
		kept = append(kept, "RUSTUP_HOME="+filepath.Join(home, ".rustup"))
	}
	places := []string{"GOCACHE", "GOENV", "GOMODCACHE", "GOPATH"}
	out, err := exec.Command("go", append([]string{"env"}, places...)...).Output()
	if err != nil {
		return kept // no go, so nothing of it to find
	}
	for i, value := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		kept = append(kept, places[i]+"="+value)
	}
	return kept
}
