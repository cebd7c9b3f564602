/* SPDX-License-Identifier: MIT */
/* The smallest application for runprofileserver:
 *
 *     profcc -O2 -g -fPIC -shared -o hello.so hello.c -lmicrohttpd
 *     runprofileserver --kcachegrind --prof-path=/tmp/profiles ./hello.so
 */
#include <runprofile.h>
#include <stdio.h>

/* Something to find in the profile: fibonacci(20) makes 21,891 calls. */
static unsigned int fibonacci(unsigned int n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

enum MHD_Result runprofile_app(void *cls, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload_data,
			       size_t *upload_data_size, void **con_cls)
{
	char text[64];
	int size = snprintf(text, sizeof(text), "fibonacci(20) is %u\n", fibonacci(20));
	struct MHD_Response *response =
	    MHD_create_response_from_buffer((size_t)size, text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);

	MHD_destroy_response(response);
	return result;
}
