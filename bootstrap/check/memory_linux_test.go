package check

import (
	"testing"
	"testing/fstest"
)

func TestGroupMemory(t *testing.T) {
	t.Parallel()
	const total = 1000
	tests := []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"none", nil, total},
		{"no limit", map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, total},
		{"own", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "10\n"}, 10},
		{"parent", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "20\n"}, 20},
		{"lowest", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "30\n", "sys/fs/cgroup/memory.max": "20\n"}, 20},
		{"container", map[string]string{"proc/self/cgroup": "0::/docker/1\n", "sys/fs/cgroup/memory.max": "40\n"}, 40},
		{"namespace", map[string]string{"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/memory.max": "40\n"}, 40},
		{"no proc", map[string]string{"sys/fs/cgroup/memory.max": "40\n"}, 40},
		{"version 1", map[string]string{
			"proc/self/cgroup": "5:cpu,memory:/a\n1:name=systemd:/b\n0::/c\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "50\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":   "9223372036854771712\n",
			"sys/fs/cgroup/memory/b/memory.limit_in_bytes": "1\n",
		}, 50},
		{"more than there is", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "5000\n"}, total},
		{"nonsense", map[string]string{"proc/self/cgroup": "x\n::::\n0:\n", "sys/fs/cgroup/memory.max": "-1\n"}, total},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := fstest.MapFS{}
			for name, text := range tt.files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := groupMemory(root, total); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
