package verify_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"x.go/dist/sandbox"
	"x.go/dist/verify"
	"x.go/tests/testenv"
)

// A link that must not find an ld.lld does not find one, whatever the machine
// has; only where the C compiler has an LLD of its own can nobody tell.
func TestNoSystemLLD(t *testing.T) {
	testenv.Need(t, "rustc")
	cc := testenv.Need(t, "cc")
	testenv.Need(t, "ld")
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	ownLLD := filepath.Join(c.sysroot, "lib/rustlib", c.host.String(), "bin/gcc-ld/ld.lld")
	inSandbox, saysSandbox := verify.Pass, "there is no ld.lld"
	if !sandbox.Probe(t.Context()).Namespaces {
		inSandbox, saysSandbox = verify.Skip, "/own/ld.lld, which a PATH cannot hide"
	}
	for _, tt := range []struct {
		name string
		fill func(bin string) error // beside cc and ld
		want verify.Status
		says string
	}{
		{name: "none", fill: func(string) error { return nil }, want: verify.Pass, says: "there is no ld.lld"},
		{
			name: "in the directory of cc", want: verify.Pass, says: "there is no ld.lld",
			fill: func(bin string) error { return os.Symlink(ownLLD, bin+"/ld.lld") },
		},
		{
			name: "in a version of its own, and mold", want: verify.Pass, says: "there is no ld.lld",
			fill: func(bin string) error {
				if err := os.Symlink(ownLLD, bin+"/ld.lld-14"); err != nil {
					return err
				}
				if err := os.Symlink("ld.lld-14", bin+"/ld.lld"); err != nil {
					return err
				}
				return os.Symlink(ownLLD, bin+"/mold")
			},
		},
		{
			name: "the compiler's own", want: verify.Skip, says: "this machine has /opt/cc/bin/ld.lld",
			fill: func(bin string) error {
				driver := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = -print-prog-name=ld.lld ] && { echo /opt/cc/bin/ld.lld; exit; }\nexec %s \"$@\"\n", cc)
				if err := os.Remove(bin + "/cc"); err != nil {
					return err
				}
				return os.WriteFile(bin+"/cc", []byte(driver), 0o755)
			},
		},
		{
			name: "the compiler's own, in a sandbox", want: inSandbox, says: saysSandbox,
			fill: func(bin string) error {
				own := filepath.Join(bin, "own")
				driver := fmt.Sprintf("#!/bin/sh\nexec %s -B%s \"$@\"\n", cc, own)
				return errors.Join(os.Remove(bin+"/cc"), os.WriteFile(bin+"/cc", []byte(driver), 0o755), os.Mkdir(own, 0o755),
					os.WriteFile(own+"/lld", []byte("#!/bin/sh\n"), 0o755), os.Symlink("lld", own+"/ld.lld"))
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bin := t.TempDir()
			if err := testenv.Links(bin, "cc", "ld"); err != nil {
				t.Fatal(err)
			}
			if err := tt.fill(bin); err != nil {
				t.Fatal(err)
			}
			report := verifyAll(t, verify.Options{
				Inputs: []string{c.sysroot}, Groups: []verify.Group{verify.Link}, Legs: []string{"no-system-lld"}, SearchPath: bin,
			})
			if got := report.Status(); got != tt.want || len(report.Checks) == 0 {
				t.Fatalf("got %s of %d checks, want %s", got, len(report.Checks), tt.want)
			}
			for _, check := range report.Checks {
				if check.Name == "link/no-system-lld/links" && !strings.Contains(check.Detail, tt.says) {
					t.Errorf("got %q, want %q in it", check.Detail, tt.says)
				}
			}
		})
	}
}
