/* SPDX-License-Identifier: MIT */
/* A libmicrohttpd application whose every request makes a known number of calls
 * of leaf(), in each way libmicrohttpd can run a request: segments in one or
 * several threads, content readers that run after the handler, suspended connections, completion notices.
 *
 *     mhd-modes pool|epoll|thread|internal|select PORT
 *
 *   /plain?n=N    the handler calls leaf() N times
 *   /stream?n=N   a content reader sends N lines, one leaf() each, after the handler has returned
 *   /shared?n=N   like /stream, all requests by one response object (N of the first)
 *   /suspend?n=N  suspended, resumed by another thread, then N calls of leaf()
 *   /barrier?n=N  waits until 16 requests have come this far, then N calls of leaf()
 *   /post         one leaf() per 1000 bytes of body
 *   /sleep?n=N    sleeps N ms within instrumented sleeper()
 *   /deep?n=N     N calls nested in each other
 *   /parse?n=N    mutual recursion that meets one function in two contexts, N levels deep
 *   /jump?n=N     N times longjmp out of three levels of calls
 *   /crash        SIGSEGV within instrumented crasher()
 *
 * The completion notice calls notice_leaf() once per request.
 */
#include <microhttpd.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define N_AT_BARRIER 16

struct state {
	unsigned long n;
	unsigned long sent;
	unsigned long received;
	int is_resumed;
	struct MHD_Connection *connection;
};

static volatile unsigned long sink;
static volatile sig_atomic_t is_ending;
static struct MHD_Response *shared;
static struct state shared_state;

static __attribute__((noinline)) void leaf(unsigned long i)
{
	sink += i;
}

static __attribute__((noinline)) void notice_leaf(void)
{
	sink++;
}

static void work(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		leaf(i);
}

static __attribute__((noinline)) void sleeper(unsigned long ms)
{
	struct timespec pause = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

	nanosleep(&pause, NULL);
}

static __attribute__((noinline)) void crasher(void)
{
	raise(SIGSEGV);
}

static __attribute__((noinline)) unsigned long dive(unsigned long n)
{
	return n == 0 ? 0 : 1 + dive(n - 1);
}

/* statement -> block -> statement, and statement -> if_statement -> block -> statement. */
static void statement(unsigned long depth);

static __attribute__((noinline)) void spin(void)
{
	for (int i = 0; i < 20000; i++)
		sink++;
}

static __attribute__((noinline)) void block(unsigned long depth)
{
	spin();
	if (depth > 0)
		statement(depth - 1);
}

static __attribute__((noinline)) void if_statement(unsigned long depth)
{
	block(depth);
}

static __attribute__((noinline)) void statement(unsigned long depth)
{
	if (depth % 2 == 1)
		if_statement(depth);
	else
		block(depth);
}

static jmp_buf surface;

static __attribute__((noinline)) void jump_third(void)
{
	longjmp(surface, 1);
}

static __attribute__((noinline)) void jump_second(void)
{
	jump_third();
	sink++;
}

static __attribute__((noinline)) void jump_first(void)
{
	jump_second();
	sink++;
}

static void jump_about(unsigned long n)
{
	for (volatile unsigned long i = 0; i < n; i++)
		if (setjmp(surface) == 0)
			jump_first();
}

static void wait_at_barrier(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t all_here = PTHREAD_COND_INITIALIZER;
	static int n_here;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	pthread_mutex_lock(&lock);
	n_here++;
	pthread_cond_broadcast(&all_here);
	while (n_here < N_AT_BARRIER)
		if (pthread_cond_timedwait(&all_here, &lock, &until) != 0)
			break;
	pthread_mutex_unlock(&lock);
}

static ssize_t read_stream(void *cls, uint64_t position, char *buffer, size_t size)
{
	struct state *state = cls;

	if (state->sent == state->n || size < 5)
		return state->sent == state->n ? MHD_CONTENT_READER_END_OF_STREAM : 0;
	leaf(state->sent);
	state->sent++;
	memcpy(buffer, "line\n", 5);
	return 5;
}

/* By position alone, as a reader that serves several connections at once must. */
static ssize_t read_shared(void *cls, uint64_t position, char *buffer, size_t size)
{
	const struct state *state = cls;

	if (position / 5 >= state->n || size < 5)
		return position / 5 >= state->n ? MHD_CONTENT_READER_END_OF_STREAM : 0;
	leaf(position);
	memcpy(buffer, "line\n", 5);
	return 5;
}

static void *resume_later(void *arg)
{
	struct state *state = arg;
	struct timespec pause = {0, 2000000};

	nanosleep(&pause, NULL);
	state->is_resumed = 1;
	MHD_resume_connection(state->connection);
	return NULL;
}

static enum MHD_Result answer(struct MHD_Connection *connection, const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), (void *)(size_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);

	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_stream(struct MHD_Connection *connection, struct state *state)
{
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 64, read_stream, state, NULL);
	enum MHD_Result result;

	MHD_add_response_header(response, "X-Streamed", "yes");
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_shared(struct MHD_Connection *connection, struct state *state)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&lock);
	if (shared == NULL) {
		shared_state.n = state->n;
		shared = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 64, read_shared, &shared_state, NULL);
		MHD_add_response_header(shared, "X-Streamed", "shared");
	}
	pthread_mutex_unlock(&lock);
	return MHD_queue_response(connection, MHD_HTTP_OK, shared);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	struct state *state = *con_cls;
	const char *n = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "n");
	pthread_t thread;
	char text[64];

	if (state == NULL) {
		state = calloc(1, sizeof(*state));
		state->n = n != NULL ? strtoul(n, NULL, 10) : 0;
		state->connection = connection;
		*con_cls = state;
		return MHD_YES;
	}
	if (*upload_data_size > 0) {
		for (state->received += *upload_data_size; state->received >= 1000; state->received -= 1000)
			leaf(state->received);
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/suspend") == 0 && !state->is_resumed) {
		MHD_suspend_connection(connection);
		pthread_create(&thread, NULL, resume_later, state);
		pthread_detach(thread);
		return MHD_YES;
	}
	if (strcmp(url, "/stream") == 0)
		return answer_stream(connection, state);
	if (strcmp(url, "/shared") == 0)
		return answer_shared(connection, state);
	if (strcmp(url, "/barrier") == 0)
		wait_at_barrier();
	if (strcmp(url, "/sleep") == 0)
		sleeper(state->n);
	else if (strcmp(url, "/deep") == 0)
		sink += dive(state->n);
	else if (strcmp(url, "/parse") == 0)
		statement(state->n);
	else if (strcmp(url, "/jump") == 0)
		jump_about(state->n);
	else if (strcmp(url, "/crash") == 0)
		crasher();
	else
		work(state->n);
	snprintf(text, sizeof(text), "%s %lu\n", url + 1, state->n);
	return answer(connection, text);
}

static void notice(void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode code)
{
	notice_leaf();
	free(*con_cls);
	*con_cls = NULL;
}

static void end(int signal_number)
{
	is_ending = 1;
}

static void run_select_loop(struct MHD_Daemon *daemon)
{
	while (!is_ending) {
		struct timeval patience = {0, 20000};
		fd_set readable, writable, exceptional;
		int highest = 0;

		FD_ZERO(&readable);
		FD_ZERO(&writable);
		FD_ZERO(&exceptional);
		MHD_get_fdset(daemon, &readable, &writable, &exceptional, &highest);
		select(highest + 1, &readable, &writable, &exceptional, &patience);
		MHD_run(daemon);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "thread";
	unsigned int flags = MHD_ALLOW_SUSPEND_RESUME, n_threads = 0;
	struct MHD_OptionItem options[] = {{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)notice, NULL},
					   {MHD_OPTION_END, 0, NULL},
					   {MHD_OPTION_END, 0, NULL}};
	struct MHD_Daemon *daemon;

	if (strcmp(mode, "pool") == 0)
		flags |= MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, n_threads = 4;
	else if (strcmp(mode, "epoll") == 0)
		flags |= MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, n_threads = 4;
	else if (strcmp(mode, "internal") == 0)
		flags |= MHD_USE_INTERNAL_POLLING_THREAD;
	else if (strcmp(mode, "thread") == 0)
		flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
	if (n_threads > 0) {
		options[1].option = MHD_OPTION_THREAD_POOL_SIZE;
		options[1].value = (intptr_t)n_threads;
	}
	signal(SIGTERM, end);
	daemon = MHD_start_daemon(flags, (uint16_t)atoi(argc > 2 ? argv[2] : "8080"), NULL, NULL, handle, NULL,
				  MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	if (daemon == NULL)
		return 1;
	if (strcmp(mode, "select") == 0)
		run_select_loop(daemon);
	else
		while (!is_ending)
			pause();
	MHD_stop_daemon(daemon);
	return 0;
}
