package xz

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/match"
)

func TestRecentTable(t *testing.T) {
	data := append([]byte("abcdefgh-abcxyz-abcdefgi-0123abcdefgj-xyz"), make([]byte, match.Tail)...)
	var table recentTable
	for range 2 { // a table can be used again
		table.reset(data)
		for _, tt := range []struct {
			pos  int
			want []int // those with six bytes, newest first, then the newest with three
		}{
			{0, nil},
			{9, []int{0}},
			{16, []int{0, 9}},
			{29, []int{16, 0, 16}},
			{38, []int{12}},
		} {
			if diff := cmp.Diff(tt.want, table.find(tt.pos, nil)); diff != "" {
				t.Errorf("position %d (-want +got):\n%s", tt.pos, diff)
			}
		}
	}
}
