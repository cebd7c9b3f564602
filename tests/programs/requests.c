/* SPDX-License-Identifier: MIT */
/* A program that says itself what its requests are: `requests api N`, N jobs of 1, 2, 3 ... calls of leaf(). `requests threads N`:
 * the same in four threads at once; `hand-over N`: each is begun by one thread, worked on by another, and ended by the first;
 * `crash N`: the last never ends. `calls N`: without marks, each job is a call of job(), which is recursive; `leaps N`: job() is
 * left by longjmp each time; `serve PORT`: an HTTP server that passes on the front's id. */
#define _GNU_SOURCE
#include <runprofile.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static volatile int sink;

static NOINLINE void leaf(void)
{
	sink++;
}

static NOINLINE void work(int n)
{
	for (int i = 0; i < n; i++)
		leaf();
}

static NOINLINE void outside(void)
{
	leaf();
}

static void run_marked(int number)
{
	struct runprofile_request *request = runprofile_begin("job");
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	runprofile_set(request, "Number", text);
	work(number);
	runprofile_end(request);
}

static void api(int n)
{
	for (int i = 1; i <= n; i++) {
		outside();
		run_marked(i);
	}
}

/* ---- Threads ------------------------------------------------------------------ */

static int n_jobs;

static void *run_jobs(void *first)
{
	for (int i = 1 + (int)(long)first; i <= n_jobs; i += 4)
		run_marked(i);
	return NULL;
}

static void threads(int n)
{
	pthread_t ids[4];

	n_jobs = n;
	for (long i = 0; i < 4; i++)
		pthread_create(&ids[i], NULL, run_jobs, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(ids[i], NULL);
}

struct job {
	struct runprofile_request *request;
	int number;
};

static void *work_for_another(void *arg)
{
	struct job *job = arg;

	outside();
	runprofile_resume(job->request);
	work(job->number);
	runprofile_suspend(job->request);
	outside();
	return NULL;
}

static void hand_over(int n)
{
	for (int i = 1; i <= n; i++) {
		struct job job = {runprofile_begin("job"), i};
		pthread_t id;

		leaf();
		runprofile_suspend(job.request);
		outside();
		pthread_create(&id, NULL, work_for_another, &job);
		pthread_join(id, NULL);
		runprofile_resume(job.request);
		leaf();
		runprofile_end(job.request);
	}
}

static void crash(int n)
{
	struct runprofile_request *request;

	api(n - 1);
	request = runprofile_begin("job");
	work(n);
	raise(SIGKILL);
	runprofile_end(request);
}

/* ---- Calls ---------------------------------------------------------------------- */

static NOINLINE void job(int n)
{
	if (n == 0)
		return;
	leaf();
	job(n - 1); /* within: no request of its own */
}

static void calls(int n)
{
	for (int i = 1; i <= n; i++) {
		outside();
		job(i);
	}
}

static jmp_buf env;

static NOINLINE void leaping_job(int n)
{
	work(n);
	longjmp(env, 1);
}

static void leaps(int n)
{
	for (volatile int i = 1; i <= n; i++) {
		if (setjmp(env) == 0)
			leaping_job(i);
		outside();
	}
}

/* ---- Under the front -------------------------------------------------------------- */

static void answer(int fd)
{
	char head[4096], *id, *line;
	struct runprofile_request *request;
	ssize_t size = 0, n;

	do {
		n = read(fd, head + size, sizeof(head) - 1 - (size_t)size);
		size += n > 0 ? n : 0;
		head[size] = '\0';
	} while (n > 0 && strstr(head, "\r\n\r\n") == NULL);
	if (size == 0)
		return;
	id = strcasestr(head, "X-Runprofile-Id: ");
	line = strstr(head, "n=");
	n = line != NULL ? atoi(line + 2) : 0;
	if (id != NULL) {
		id += 17;
		id[strcspn(id, "\r\n")] = '\0';
	}
	request = runprofile_begin_http("answer", id);
	runprofile_set(request, "Number", n == 5 ? "five" : "another");
	job((int)n);
	if (write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", 41) < 0)
		perror("write");
	runprofile_end(request);
}

static void serve(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int listen_fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listen_fd, 64) != 0) {
		perror("requests");
		exit(1);
	}
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);

		if (fd < 0)
			continue;
		answer(fd);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(int n);
	} cases[] = {{"api", api},	 {"threads", threads}, {"hand-over", hand_over}, {"crash", crash},
		     {"calls", calls}, {"leaps", leaps},     {"serve", serve}};

	for (size_t i = 0; argc > 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name) == 0) {
			cases[i].run(atoi(argv[2]));
			puts("fine");
			return 0;
		}
	}
	return 2;
}
