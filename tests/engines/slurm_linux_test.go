package engines

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// slurmConf needs neither systemd nor control groups, and has two nodes on one host.
const slurmConf = `ClusterName=x
SlurmctldHost=HOST(127.0.0.1)
SlurmctldPort=PORT0
AuthType=auth/munge
AuthInfo=socket=DIR/munge.sock
SlurmUser=root
SlurmdUser=root
StateSaveLocation=DIR/state
SlurmdSpoolDir=DIR/%n
SlurmctldPidFile=DIR/ctld.pid
SlurmdPidFile=DIR/%n.pid
SlurmctldLogFile=DIR/ctld.log
SlurmdLogFile=DIR/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
InactiveLimit=0
KillWait=2
MinJobAge=300
Waittime=0
JobRequeue=1
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=HOST NodeAddr=127.0.0.1 Port=PORT1 CPUs=1 RealMemory=8000
NodeName=n2 NodeHostname=HOST NodeAddr=127.0.0.1 Port=PORT2 CPUs=1 RealMemory=8000
PartitionName=release Nodes=n1,n2 Default=YES MaxTime=60 State=UP
`

// cluster is a Slurm of two nodes on this machine.
type cluster struct {
	t     *testing.T
	dir   string
	nodes map[string]*exec.Cmd
}

// startSlurm starts a cluster for the time of a test.
func startSlurm(t *testing.T) *cluster {
	t.Helper()
	testenv.OnDemand(t, "slurmctld", "X_TEST_SLURM")
	for _, name := range []string{"munged", "slurmd", "sbatch", "squeue", "scontrol", "sinfo"} {
		testenv.Need(t, name)
	}
	if os.Getuid() != 0 {
		testenv.Missing(t, "slurmd needs the rights of root here")
	}
	dir, err := os.MkdirTemp("", "x-slurm-") // short: the name of a socket has 108 bytes
	testenv.Must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	host, err := os.Hostname()
	testenv.Must(t, err)
	host, _, _ = strings.Cut(host, ".")
	conf := strings.NewReplacer("HOST", host, "DIR", dir, "PORT0", freePort(t), "PORT1", freePort(t), "PORT2", freePort(t)).Replace(slurmConf)
	for _, sub := range []string{"state", "n1", "n2"} {
		testenv.Must(t, os.Mkdir(filepath.Join(dir, sub), 0o755))
	}
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "slurm.conf"), []byte(conf), 0o644))
	key := make([]byte, 1024)
	_, _ = rand.Read(key)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "key"), key, 0o400))
	c := &cluster{t, dir, map[string]*exec.Cmd{}}
	at := func(name string) string { return filepath.Join(dir, name) }
	c.start("munged", "--foreground", "--force", "--socket", at("munge.sock"), "--key-file", at("key"),
		"--pid-file", at("munged.pid"), "--log-file", at("munged.log"), "--seed-file", at("seed"))
	c.until("munged", func() bool { _, err := os.Stat(at("munge.sock")); return err == nil })
	c.start("slurmctld", "-D", "-f", at("slurm.conf"))
	c.node("n1")
	c.node("n2")
	c.until("two nodes", func() bool { return strings.TrimSpace(c.ask("sinfo", "-h", "-t", "idle", "-o", "%D")) == "2" })
	return c
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	testenv.Must(t, err)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// start starts a program that ends with the test.
func (c *cluster) start(name string, args ...string) *exec.Cmd {
	c.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "SLURM_CONF="+filepath.Join(c.dir, "slurm.conf"))
	testenv.Must(c.t, cmd.Start())
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// node starts a node.
func (c *cluster) node(name string) {
	c.nodes[name] = c.start("slurmd", "-D", "-N", name, "-f", filepath.Join(c.dir, "slurm.conf"))
}

// ask returns what a client of Slurm prints, or "" if it fails.
func (c *cluster) ask(name string, args ...string) string {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "SLURM_CONF="+filepath.Join(c.dir, "slurm.conf"))
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// until waits for something.
func (c *cluster) until(what string, there func() bool) {
	c.t.Helper()
	for range 1200 {
		if there() {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	logs, _ := os.ReadFile(filepath.Join(c.dir, "ctld.log"))
	c.t.Fatalf("waiting for %s in vain; slurmctld.log:\n%s", what, logs)
}

// attempt is a run of a task, as its job noted it.
type attempt struct {
	task, restart, node string
	pids                []int // of the job and of slurmstepd
}

// attempts returns what jobs noted in a directory.
func attempts(t *testing.T, dir string) (out []attempt) {
	t.Helper()
	for name, text := range testenv.Contents(t, dir) {
		task, restart, _ := strings.Cut(name, ".")
		a := attempt{task: task, restart: restart}
		var job, step int
		if _, err := fmt.Sscan(text, &job, &step, &a.node); err == nil { // else it is being written
			a.pids = []int{job, step}
			out = append(out, a)
		}
	}
	return out
}

// kill ends a node and what runs there, as a loss of power does.
func (c *cluster) kill(a attempt) {
	testenv.Must(c.t, c.nodes[a.node].Process.Kill())
	_ = c.nodes[a.node].Wait()
	for _, pid := range []int{a.pids[1], a.pids[0]} {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// TestSlurm does eight tasks of real archives on two nodes with a store in S3. Each node is lost once
// with its task, whose archive was on its way to the store, while another copy of a task
// runs elsewhere. The release has the bytes of one machine's, and no task but the two has
// run twice.
func TestSlurm(t *testing.T) {
	testenv.Long(t, "it waits for Slurm to miss a node")
	c := startSlurm(t)
	dir := plannedReal(t, 8)
	s := newSlowStore(t, 3*time.Second)
	for _, v := range credentials {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value) // sbatch passes it on
	}
	all := keys(t, dir)
	runs := filepath.Join(dir, "runs")
	testenv.Must(t, os.Mkdir(runs, 0o755))
	script := engine(t, dir, s.place, "slurm", "--setup", `echo $$ $PPID $SLURMD_NODENAME >runs/$SLURM_ARRAY_TASK_ID.${SLURM_RESTART_COUNT:-0}`)
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "job"), []byte(script), 0o644))
	if said := c.ask("sbatch", "--chdir", dir, filepath.Join(dir, "job")); !strings.Contains(said, "Submitted") {
		t.Fatalf("sbatch: got %q\n%s", said, script)
	}
	// on returns a task of a node that is putting its archive.
	on := func(node string) (found attempt) {
		c.until("a task on "+node, func() bool {
			for _, a := range attempts(t, runs) {
				number, err := strconv.Atoi(a.task)
				testenv.Must(t, err)
				if a.node == node && syscall.Kill(a.pids[0], 0) == nil && s.putting(all[number]) {
					found = a
					return true
				}
			}
			return false
		})
		return found
	}
	killed := map[string]bool{}
	for i, node := range []string{"n1", "n2"} {
		victim := on(node)
		c.kill(victim)
		killed[victim.task] = true
		if i == 0 {
			twin := on("n2")
			runx.Must(t, dir, nil, "recompress", "task", "--plan", "plan.json", "--store", s.place, "--task", twin.task)
		}
		c.node(node)
	}
	c.until("the end of all tasks", func() bool {
		queue := c.ask("squeue", "-h", "-r", "-o", "%A %r")
		for line := range strings.Lines(queue) {
			if id, reason, _ := strings.Cut(strings.TrimSpace(line), " "); reason == "BeginTime" {
				c.ask("scontrol", "update", "jobid="+id, "StartTime=now") // Slurm waits two minutes
			}
		}
		return queue == ""
	})
	runx.Must(t, dir, nil, "recompress", "collect", "--plan", "plan.json", "--store", s.place, "--out", "release")
	compare(t, dir)
	count := map[string]int{}
	for _, a := range attempts(t, runs) {
		count[a.task]++
	}
	for task := range 8 {
		want := 1
		if killed[strconv.Itoa(task)] {
			want = 2
		}
		if got := count[strconv.Itoa(task)]; got != want {
			t.Errorf("task %d ran %d times, want %d", task, got, want)
		}
	}
}
