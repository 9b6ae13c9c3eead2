// LLD as a child, whose end this program waits for.
#include "guest.h"

// wait_for waits for a child and returns how it ended, as wait4 has it. Signals that
// would end this program go to the child, so that the tokens still come back.
static int wait_for(long child) {
	int status = 0;
	for (long ended; (ended = sys_wait(child, &status, false)) != child;) {
		bool sent;
		int signal = ended < 0 ? -1 : next_signal(&sent);
		if (signal < 0 && sys_wait(child, &status, true) != child)
			return 1 << 8; // the system lets this program see no signal and no child
		if (signal < 0)
			break;
		if (signal != SIG_CHLD && sent)
			sys_kill(child, signal);
	}
	return status;
}

// run_to_end runs c, waits for its end, gives the tokens back and ends this program in
// the same way. Signals are blocked, but for those in before they were not. It returns
// false if no process can be started.
bool run_to_end(struct command *c, uint64_t before, struct pool p, const char *tokens, int n) {
	bool ignored = set_ignored(SIG_CHLD, false); // with it, no status would come
	long self = sys_getpid(), child = sys_fork();
	if (child > 0) {
		int status = wait_for(child);
		give(p, tokens, n);
		if (status & 0x7F)
			die_of(status & 0x7F);
		sys_exit(status & 0x7F ? 128 + (status & 0x7F) : status >> 8 & 0xFF);
	}
	if (ignored)
		set_ignored(SIG_CHLD, true);
	if (child < 0)
		return false;
	restore_signals(before);
	die_with_parent();
	if (sys_getppid() != self)
		sys_exit(1); // the parent ended before
	become(c->path, c->argv, c->label);
}
