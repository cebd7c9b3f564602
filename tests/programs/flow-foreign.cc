// SPDX-License-Identifier: MIT
/* Compiled without profcc: its frames are unknown to the profiler, and exceptions pass through them (flow-cxx.cc). */
extern "C" void foreign_call(void (*function)(int), int argument)
{
	volatile int room[64] = {argument};

	function(room[0]);
	room[1] = 0;
}
