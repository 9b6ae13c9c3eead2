package recompress

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/archive"
	"x.go/tests/testenv"
)

// TestRecompressProblems has one good archive beside each bad one.
func TestRecompressProblems(t *testing.T) {
	content := tarOf(t, 3, 20_000)
	write := func(name string, data []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { testenv.Must(t, os.WriteFile(filepath.Join(dir, name), data, 0o644)) }
	}
	packed := func(f archive.Format, content []byte) []byte {
		data, err := os.ReadFile(pack(t, t.TempDir(), "p", content, f)[0])
		testenv.Must(t, err)
		return data
	}
	tests := []struct {
		name  string
		make  func(t *testing.T, dir string)
		files []string // in dir; the rest is in bad.tar.xz
		want  string
	}{
		{"missing", nil, []string{"bad.tar.xz"}, `reading input "DIR/bad.tar.xz": no such file or directory`},
		{"empty file", write("bad.tar.xz", nil), nil, `reading input "DIR/bad.tar.xz": the file is empty`},
		{"another name", write("bad.zip", []byte("PK")), []string{"bad.zip"}, `reading input "DIR/bad.zip": its name does not end in .tar, .tar.gz, .tar.xz or .tar.zst`},
		{"no name", write(".tar.xz", []byte("PK")), []string{".tar.xz"}, `reading input "DIR/.tar.xz": its name does not end in`},
		{"no archive", write("bad.tar.xz", []byte("hello")), nil, `reading input "DIR/bad.tar.xz": the file starts with 68656c6c6f, which is not xz`},
		{"another format", write("bad.tar.xz", packed(archive.GZ, content)), nil, `reading input "DIR/bad.tar.xz": got gz data, want xz as its name says: rename it`},
		{"compressed .tar", write("bad.tar", packed(archive.GZ, content)), []string{"bad.tar"}, `reading input "DIR/bad.tar": got gz data, want tar as its name says: rename it`},
		{"no .tar", write("bad.tar", bytes.Repeat([]byte("no tar\n"), 200)), []string{"bad.tar"}, `reading input "DIR/bad.tar": archive/tar: invalid tar header`},
		{"no tar in xz", write("bad.tar.xz", packed(archive.XZ, []byte(strings.Repeat("no tar\n", 200)))), nil, `recompressing "bad": reading archive "DIR/bad.tar.xz": a header fails its checksum`},
		{"nothing in xz", write("bad.tar.xz", packed(archive.XZ, nil)), nil, `reading input "DIR/bad.tar.xz": it holds nothing, not even a tar archive`},
		{"cut xz", write("bad.tar.xz", packed(archive.XZ, content)[:900]), nil, `reading input "DIR/bad.tar.xz": no stream footer at the end of the file: it is cut short, or something follows the end`},
		{"cut gz", write("bad.tar.gz", packed(archive.GZ, content)[:900]), []string{"bad.tar.gz"}, `recompressing "bad": reading archive "DIR/bad.tar.gz": the file is cut short`},
		{"cut zst", write("bad.tar.zst", packed(archive.Zst, content)[:900]), []string{"bad.tar.zst"}, `recompressing "bad": reading archive "DIR/bad.tar.zst": the file is cut short`},
		{"cut tar in xz", write("bad.tar.xz", packed(archive.XZ, content[:9000])), nil, `recompressing "bad": reading archive "DIR/bad.tar.xz": the tar stream is cut short`},
		{"data after the tar in xz", write("bad.tar.xz", packed(archive.XZ, append(bytes.Clone(content), "more"...))), nil, `recompressing "bad": reading archive "DIR/bad.tar.xz": data after the end of the tar stream`},
		{"damaged xz", func(t *testing.T, dir string) {
			data := packed(archive.XZ, content)
			data[len(data)/2] ^= 1
			write("bad.tar.xz", data)(t, dir)
		}, nil, `recompressing "bad": reading archive "DIR/bad.tar.xz": `},
		{"bytes after xz", write("bad.tar.xz", append(packed(archive.XZ, content), "more"...)), nil, `reading input "DIR/bad.tar.xz": got 4 bytes after the end of the xz stream`},
		{"padding after xz", write("bad.tar.xz", append(packed(archive.XZ, content), 0, 0, 0)), nil, `reading input "DIR/bad.tar.xz": got 3 bytes after the end of the xz stream`},
		{"bytes after gz", write("bad.tar.gz", append(packed(archive.GZ, content), "more"...)), []string{"bad.tar.gz"}, `recompressing "bad": reading archive "DIR/bad.tar.gz": data after the end of the gz stream`},
		{"two xz streams", write("bad.tar.xz", append(packed(archive.XZ, content), packed(archive.XZ, content)...)), nil, `reading input "DIR/bad.tar.xz": got 2 xz streams, want one: rustup reads no more`},
		{"two gz members", write("bad.tar.gz", append(packed(archive.GZ, content[:512]), packed(archive.GZ, content[512:])...)), []string{"bad.tar.gz"}, `recompressing "bad": reading archive "DIR/bad.tar.gz": `},
		{"two zst frames", write("bad.tar.zst", append(packed(archive.Zst, content), packed(archive.Zst, content)...)), []string{"bad.tar.zst"}, `recompressing "bad": reading archive "DIR/bad.tar.zst": data after the end of the tar stream`},
		{"link", func(t *testing.T, dir string) {
			testenv.Must(t, os.Symlink("good.tar.xz", filepath.Join(dir, "bad.tar.xz")))
		}, nil, `reading input "DIR/bad.tar.xz": it is a symbolic link: name the file that it leads to`},
		{"device", nil, []string{"/dev/null"}, `reading input "/dev/null": got file type Dc---------, want a regular file`},
		{"directory without archives", func(t *testing.T, dir string) { testenv.Must(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755)) }, []string{"sub"}, `reading input "DIR/sub": no .tar, .tar.gz, .tar.xz or .tar.zst in the directory`},
		{"twice", nil, []string{"good.tar.xz"}, `reading input "DIR/good.tar.xz": it is named twice`},
		{"one name in two directories", func(t *testing.T, dir string) {
			pack(t, filepath.Join(dir, "x"), "bad", content, archive.XZ)
			pack(t, filepath.Join(dir, "y"), "bad", content, archive.XZ)
		}, []string{"x/bad.tar.xz", "y/bad.tar.xz"}, `reading inputs "DIR/x/bad.tar.xz" and "DIR/y/bad.tar.xz": both would become "DIR/out/bad"`},
		{"two formats, two contents", func(t *testing.T, dir string) {
			pack(t, dir, "bad", content, archive.XZ)
			pack(t, dir, "bad", tarOf(t, 4, 20_000), archive.GZ)
		}, []string{"bad.tar.xz", "bad.tar.gz"}, `recompressing "bad": "DIR/bad.tar.gz" and "DIR/bad.tar.xz" hold different tar streams`},
		{"output is a directory", func(t *testing.T, dir string) {
			pack(t, dir, "bad", content, archive.XZ)
			testenv.Must(t, os.MkdirAll(filepath.Join(dir, "out", "bad.tar.gz"), 0o755))
		}, nil, `recompressing "bad": creating "DIR/out/bad.tar.gz": it is a directory: remove it`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			files := pack(t, dir, "good", content, archive.XZ)
			if tt.make != nil {
				tt.make(t, dir)
			}
			if tt.files == nil {
				tt.files = []string{"bad.tar.xz"}
			}
			for _, name := range tt.files {
				if !filepath.IsAbs(name) {
					name = filepath.Join(dir, name)
				}
				files = append(files, name)
			}
			c, err := Plan(t.Context(), files, Options{Dir: filepath.Join(dir, "out"), Profile: archive.Fast})
			testenv.Must(t, err)
			got, err := c.Run(t.Context())
			want := strings.ReplaceAll(tt.want, "DIR", dir)
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got error %q, want %q", err, want)
			}
			if len(got) != 1 || got[0].Name != "good" || len(got[0].Archives) != 2 {
				t.Errorf("the good archive is missing: got %+v", got)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "out", ".x-*.tmp")); len(left) > 0 {
				t.Errorf("files left: %q", left)
			}
		})
	}
}

// TestRecompressUnread has files of one name, one of which cannot be read: what it
// holds is not replaced by what another one holds, here or in another directory.
func TestRecompressUnread(t *testing.T) {
	content := tarOf(t, 3, 20_000)
	dir := t.TempDir()
	xz, err := os.ReadFile(pack(t, t.TempDir(), "a", tarOf(t, 4, 20_000), archive.XZ)[0])
	testenv.Must(t, err)
	bad := map[string]func(path string) error{
		"cut":      func(p string) error { return os.WriteFile(p, xz[:len(xz)-8], 0o644) },
		"doubled":  func(p string) error { return os.WriteFile(p, append(bytes.Clone(xz), xz...), 0o644) },
		"trailing": func(p string) error { return os.WriteFile(p, append(bytes.Clone(xz), "sig"...), 0o644) },
		"other":    func(p string) error { return os.WriteFile(p, []byte("no archive"), 0o644) },
		"empty":    func(p string) error { return os.WriteFile(p, nil, 0o644) },
		"link":     func(p string) error { return os.Symlink("cut.tar.xz", p) },
		"fifo":     func(p string) error { return exec.Command(testenv.Need(t, "mkfifo"), p).Run() },
	}
	for name, plant := range bad {
		pack(t, dir, name, content, archive.GZ, archive.Zst)
		testenv.Must(t, plant(filepath.Join(dir, name+".tar.xz")))
	}
	pack(t, dir, "good", content, archive.GZ)
	stat := func() map[string]os.FileInfo {
		out := map[string]os.FileInfo{}
		for name := range bad {
			info, err := os.Lstat(filepath.Join(dir, name+".tar.xz"))
			testenv.Must(t, err)
			out[name] = info
		}
		return out
	}
	before := stat()
	for _, out := range []string{"", filepath.Join(t.TempDir(), "out")} {
		j, err := Plan(t.Context(), []string{dir}, Options{Dir: out, Profile: archive.Fast, Formats: []archive.Format{archive.XZ}})
		testenv.Must(t, err)
		got, err := j.Run(t.Context())
		if len(got) != 1 || got[0].Name != "good" {
			t.Errorf("got %+v, want the good archive alone", got)
		}
		for name := range bad {
			want := fmt.Sprintf("recompressing %q: left as it is, since %q cannot be read", name, filepath.Join(dir, name+".tar.xz"))
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got error %v, want %q in it", name, err, want)
			}
		}
	}
	for name, info := range stat() {
		if !os.SameFile(info, before[name]) || !info.ModTime().Equal(before[name].ModTime()) || info.Size() != before[name].Size() {
			t.Errorf("%s: the file was replaced", name)
		}
	}
}

func TestRecompressSettings(t *testing.T) {
	dir := t.TempDir()
	files := pack(t, dir, "a", tarOf(t, 1, 1000), archive.XZ)
	bad := t.TempDir()
	testenv.Must(t, os.WriteFile(filepath.Join(bad, RecordName), []byte("{"), 0o644))
	newer := t.TempDir()
	testenv.Must(t, os.WriteFile(filepath.Join(newer, RecordName), []byte(`{"version": 2, "later": true}`), 0o644))
	tests := []struct {
		name string
		r    Options
		want string
	}{
		{"no-op", Options{Profile: archive.NoOp}, `recompressing: got profile "no-op", want fast, balanced or best`},
		{"profile", Options{Profile: "slow"}, `recompressing: parsing compression profile: got "slow"`},
		{"format", Options{Formats: []archive.Format{"bz2"}}, `recompressing: parsing compression format: got "bz2"`},
		{"shard", Options{Shard: Shard{3, 2}}, "recompressing: got shard 3 of 2, want 1 to 2"},
		{"jobs", Options{Jobs: -1}, "recompressing: got -1 jobs"},
		{"memory", Options{MaxMemory: 1 << 20}, `planning archives of "a": compressing within 1048576 bytes of memory: the limit is too low: configuring xz: one worker needs `},
		{"not read back", Options{SkipReadBack: true}, `recompressing "` + files[0] + `": an input is not replaced by an archive that was not read back`},
		{"broken record", Options{Dir: bad}, `reading record "` + filepath.Join(bad, RecordName) + `": unexpected end of JSON input: remove it to do everything again`},
		{"record of a later version", Options{Dir: newer}, `: got version 2, want 1: remove it to do everything again`},
	}
	before := testenv.Contents(t, dir)
	for _, tt := range tests {
		c, err := Plan(t.Context(), files, tt.r)
		if err == nil || !strings.Contains(err.Error(), tt.want) || c != nil {
			t.Errorf("%s: got %v and error %v, want %q", tt.name, c, err, tt.want)
		}
	}
	for _, r := range []Options{{SkipReadBack: true, Formats: []archive.Format{archive.GZ}}, {SkipReadBack: true, Dir: t.TempDir()}} {
		if _, err := Plan(t.Context(), files, r); err != nil {
			t.Errorf("no input is replaced: got error %v", err)
		}
	}
	if diff := cmp.Diff(before, testenv.Contents(t, dir)); diff != "" {
		t.Error("planning changed files")
	}
}

// FuzzRecord reads any record: it is good, or it is refused.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"version": 1, "inputs": {}, "archives": {}}`))
	f.Add([]byte(`{"version": 1, "archives": {"a.tar.gz": {"size": 1, "sha256": "` + strings.Repeat("0a", 32) + `", "tar_size": 512, "tar_sha256": "` + strings.Repeat("b0", 32) + `", "settings": {"level": "9"}}}}`))
	f.Add([]byte(`{"version": 1, "inputs": {"../a": {}}}`))
	f.Add([]byte(`{"version": 1, "inputs": null, "archives": null}`))
	f.Add([]byte(`{"version": 1} {}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		testenv.Must(t, os.WriteFile(filepath.Join(dir, RecordName), data, 0o644))
		r, err := readRecord(dir)
		if err != nil {
			if !strings.HasSuffix(err.Error(), ": remove it to do everything again") {
				t.Errorf("got error %v", err)
			}
			return
		}
		testenv.Must(t, r.add(map[string]recordedFile{}, nil))
		again, err := readRecord(dir)
		if err != nil {
			t.Fatalf("reading what was written: %v", err)
		}
		if diff := cmp.Diff(r.recordFile, again.recordFile, cmp.AllowUnexported(recordedArchive{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
