// Package engine prints the jobs by which engines that others run do the tasks of a
// plan: Slurm, Kubernetes, GitHub Actions and GitLab CI. x has no queue of its own.
//
// Nothing of what a plan names gets into a job: it has numbers of tasks alone.
package engine
