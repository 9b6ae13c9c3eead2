package dist

import "testing"

func TestPartedDirs(t *testing.T) {
	for _, tt := range []struct {
		dirs ProgramDirs
		key  string
	}{
		{ProgramDirs{"/usr", "", ""}, ""},
		{ProgramDirs{"/usr", "bin", "lib"}, ""},
		{ProgramDirs{"/usr", "/usr/bin/", "/usr/lib"}, ""},
		{ProgramDirs{"/usr", "lib/rust/bin", "lib/rust/lib"}, ""},
		{ProgramDirs{"/usr", "/opt/rust/bin", "/opt/rust/lib"}, ""},
		{ProgramDirs{"/usr", "sbin", ""}, ""},
		{ProgramDirs{"/usr", "", "lib64"}, "install.libdir"},
		{ProgramDirs{"/usr", "", "lib/x86_64-linux-gnu"}, "install.libdir"},
		{ProgramDirs{"/usr", "", "/opt/lib"}, "install.libdir"},
		{ProgramDirs{"/usr", "lib/rust/bin", ""}, "install.bindir"},
		{ProgramDirs{"/usr", "/bin", ""}, "install.bindir"},
		{ProgramDirs{"/usr", "lib/rust/bin", "lib64"}, "install.libdir"},
		{ProgramDirs{"/", "bin", "lib"}, ""},
	} {
		if key, err := tt.dirs.Parted(); key != tt.key || (err != nil) != (key != "") {
			t.Errorf("%+v: got %q (%v), want %q", tt.dirs, key, err, tt.key)
		}
	}
}
