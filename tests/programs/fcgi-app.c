/* SPDX-License-Identifier: MIT */
/* A FastCGI application in all the ways libfcgi can be used. Each request makes as many calls of leaf() as its query's
 * n= says, and answers with its variables and body.
 *
 *     fcgi-app accept        FCGX_Accept
 *     fcgi-app r N           FCGX_Accept_r in N threads
 *     fcgi-app finish N      the same, with FCGX_Finish_r by itself, and work after that
 *     fcgi-app hand          accepted in one thread, handled and finished in another
 *     fcgi-app mark          the same, and the other says what it works for (runprofile.h)
 *
 * Built with -DUSE_STDIO it knows FCGI_Accept and fcgi_stdio.h only. /crash crashes, /stderr complains, /sleep?n=MS
 * takes its time, /status answers 404 by a Status line, /garbage answers without a head.
 */
#ifdef USE_STDIO
#include <fcgi_stdio.h>
#else
#include <fcgiapp.h>
#endif
#include <runprofile.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile unsigned long sink;

static __attribute__((noinline)) void leaf(unsigned long i)
{
	sink += i;
}

static __attribute__((noinline)) void afterwards(void)
{
	sink++;
}

static __attribute__((noinline)) void work(const char *query)
{
	const char *n = query != NULL ? strstr(query, "n=") : NULL;
	unsigned long count = n != NULL ? strtoul(n + 2, NULL, 10) : 0;

	for (unsigned long i = 0; i < count; i++)
		leaf(i);
}

#ifdef USE_STDIO

extern char **environ;

int main(void)
{
	while (FCGI_Accept() >= 0) {
		work(getenv("QUERY_STRING"));
		printf("Content-Type: text/plain\r\n\r\n");
		for (char **variable = environ; *variable != NULL; variable++)
			printf("%s\n", *variable);
	}
	return 0;
}

#else

static void answer(FCGX_Stream *in, FCGX_Stream *out, FCGX_Stream *err, char **envp)
{
	const char *path = FCGX_GetParam("PATH_INFO", envp), *query = FCGX_GetParam("QUERY_STRING", envp);
	char buffer[65536];
	int n;

	if (strcmp(path, "/crash") == 0)
		raise(SIGSEGV);
	if (strcmp(path, "/stderr") == 0)
		FCGX_FPrintF(err, "a complaint\nin two lines");
	if (strcmp(path, "/sleep") == 0)
		usleep((useconds_t)atoi(query + 2) * 1000);
	else
		work(query);
	if (strcmp(path, "/garbage") == 0) {
		FCGX_FPrintF(out, "no head\n\n");
		return;
	}
	if (strcmp(path, "/status") == 0)
		FCGX_FPrintF(out, "Status: 404 Gone Astray\r\n");
	FCGX_FPrintF(out, "Content-Type: text/plain\r\nX-One: 1\r\n\r\n");
	for (char **variable = envp; strcmp(path, "/echo") != 0 && *variable != NULL; variable++)
		FCGX_FPrintF(out, "%s\n", *variable);
	while ((n = FCGX_GetStr(buffer, sizeof(buffer), in)) > 0)
		FCGX_PutStr(buffer, n, out);
}

static int finishes;

static void *serve(void *arg)
{
	FCGX_Request request;

	FCGX_InitRequest(&request, 0, 0);
	while (FCGX_Accept_r(&request) == 0) {
		answer(request.in, request.out, request.err, request.envp);
		if (finishes) {
			FCGX_Finish_r(&request);
			afterwards();
		}
	}
	return arg;
}

static int marks;

static void *handle(void *arg)
{
	FCGX_Request *request = arg;
	const char *id = FCGX_GetParam("RUNPROFILE_ID", request->envp);
	struct runprofile_request *marked = marks && id ? runprofile_begin_http("handled", id) : NULL;

	answer(request->in, request->out, request->err, request->envp);
	runprofile_end(marked);
	FCGX_Finish_r(request);
	free(request);
	return NULL;
}

static void hand_over(void)
{
	for (;;) {
		FCGX_Request *request = malloc(sizeof(*request));
		pthread_t thread;

		FCGX_InitRequest(request, 0, 0);
		if (FCGX_Accept_r(request) != 0)
			return;
		work(FCGX_GetParam("QUERY_STRING", request->envp));
		pthread_create(&thread, NULL, handle, request);
		pthread_detach(thread);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "accept";
	int n_threads = argc > 2 ? atoi(argv[2]) : 1;
	FCGX_Stream *in, *out, *err;
	FCGX_ParamArray envp;
	pthread_t thread;

	FCGX_Init();
	if (strcmp(mode, "accept") == 0)
		while (FCGX_Accept(&in, &out, &err, &envp) >= 0)
			answer(in, out, err, envp);
	finishes = strcmp(mode, "finish") == 0;
	marks = strcmp(mode, "mark") == 0;
	if (marks || strcmp(mode, "hand") == 0)
		hand_over();
	for (int i = 1; i < n_threads; i++)
		pthread_create(&thread, NULL, serve, NULL);
	serve(NULL);
	return 0;
}

#endif
