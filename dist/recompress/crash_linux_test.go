package recompress

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/tests/testenv"
)

// recompressVar makes TestKillRecompress the child that it kills, for a directory.
const recompressVar = "X_RECOMPRESS_TEST_DIR"

// recompressForever replaces the archives of a directory over and over, with other
// settings each time, and says so.
func recompressForever(dir string) error {
	for n := 0; ; n++ {
		r := Options{Profile: []archive.Profile{archive.Fast, archive.Balanced}[n%2], Formats: []archive.Format{archive.GZ, archive.XZ, archive.Zst}}
		c, err := Plan(context.Background(), []string{dir}, r)
		if err == nil {
			_, err = c.Run(context.Background())
		}
		if err != nil {
			return err
		}
		fmt.Println("recompressed", n)
	}
}

// TestKillRecompress kills runs that replace their own input: at any moment it is
// there, whole, and no checksum lies beside an archive that it is not of.
func TestKillRecompress(t *testing.T) {
	if dir := os.Getenv(recompressVar); dir != "" {
		t.Fatal(recompressForever(dir)) // a child
	}
	exe, err := os.Executable()
	testenv.Must(t, err)
	dir := t.TempDir()
	content := tarOf(t, 1, 300_000)
	path := pack(t, dir, "a", content, archive.XZ)[0]
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for round := range 14 {
		cmd := exec.Command(exe, "-test.run=^TestKillRecompress$")
		cmd.Env = append(os.Environ(), recompressVar+"="+dir)
		out, err := cmd.StdoutPipe()
		testenv.Must(t, err)
		testenv.Must(t, cmd.Start())
		if round%3 > 0 {
			_, err := bufio.NewReader(out).ReadString('\n') // a whole run
			testenv.Must(t, err)
		}
		time.Sleep(time.Duration(r.IntN(80)) * time.Millisecond)
		testenv.Must(t, cmd.Process.Kill())
		cmd.Wait()

		for _, f := range []archive.Format{archive.GZ, archive.XZ, archive.Zst} {
			path := filepath.Join(dir, "a"+f.Ext())
			if _, err := os.Stat(path); err != nil && f != archive.XZ {
				continue
			}
			if !bytes.Equal(unpacked(t, path), content) {
				t.Fatalf("round %d: %s: the content changed", round, path)
			}
		}
		checkSums(t, dir)
		if t.Failed() {
			return
		}
	}
	root, err := os.OpenRoot(dir)
	testenv.Must(t, err)
	defer root.Close()
	_, err = dist.RemoveStale(root)
	testenv.Must(t, err)
	recompress(t, Options{Profile: archive.Fast, Formats: []archive.Format{archive.GZ, archive.XZ, archive.Zst}}, dir)
	if got := testenv.List(t, dir); len(got) != 7 || checkSums(t, dir) != 3 || !bytes.Equal(unpacked(t, path), content) {
		t.Errorf("got files %q, want three archives with their sums and the record", got)
	}
}
