/* SPDX-License-Identifier: MIT */
/* See mhd_options.h. */
#include "runtime/mhd_options.h"

#include <stdint.h>
#include <stdlib.h>

/* N: a number of that type; P: a pointer, PP: two; NP: size_t and a pointer; A: an array of options. */
enum shape { UNKNOWN = 0, N_INT, N_UINT, N_SIZE, P, PP, NP, A };

static const unsigned char shapes[] = {
    [1] = N_SIZE, /* CONNECTION_MEMORY_LIMIT */
    [2] = N_UINT, /* CONNECTION_LIMIT */
    [3] = N_UINT, /* CONNECTION_TIMEOUT */
    [4] = PP,     /* NOTIFY_COMPLETED */
    [5] = N_UINT, /* PER_IP_CONNECTION_LIMIT */
    [6] = P,      /* SOCK_ADDR */
    [7] = PP,     /* URI_LOG_CALLBACK */
    [8] = P,      /* HTTPS_MEM_KEY */
    [9] = P,      /* HTTPS_MEM_CERT */
    [10] = N_INT, /* HTTPS_CRED_TYPE */
    [11] = P,     /* HTTPS_PRIORITIES */
    [12] = N_INT, /* LISTEN_SOCKET */
    [13] = PP,    /* EXTERNAL_LOGGER */
    [14] = N_UINT, /* THREAD_POOL_SIZE */
    [15] = A,     /* ARRAY */
    [16] = PP,    /* UNESCAPE_CALLBACK */
    [17] = NP,    /* DIGEST_AUTH_RANDOM */
    [18] = N_UINT, /* NONCE_NC_SIZE */
    [19] = N_SIZE, /* THREAD_STACK_SIZE */
    [20] = P,     /* HTTPS_MEM_TRUST */
    [21] = N_SIZE, /* CONNECTION_MEMORY_INCREMENT */
    [22] = P,     /* HTTPS_CERT_CALLBACK */
    [23] = N_UINT, /* TCP_FASTOPEN_QUEUE_SIZE */
    [24] = P,     /* HTTPS_MEM_DHPARAMS */
    [25] = N_UINT, /* LISTENING_ADDRESS_REUSE */
    [26] = P,     /* HTTPS_KEY_PASSWORD */
    [27] = PP,    /* NOTIFY_CONNECTION */
    [28] = N_UINT, /* LISTEN_BACKLOG_SIZE */
    [29] = N_INT, /* STRICT_FOR_CLIENT */
    [30] = PP,    /* GNUTLS_PSK_CRED_HANDLER */
    [31] = P,     /* HTTPS_CERT_CALLBACK2 */
    [32] = N_UINT, /* SERVER_INSANITY */
    [33] = N_INT, /* SIGPIPE_HANDLED_BY_APP */
    [34] = N_INT, /* TLS_NO_ALPN */
    [35] = NP,    /* DIGEST_AUTH_RANDOM_COPY */
    [36] = N_UINT, /* DIGEST_AUTH_NONCE_BIND_TYPE */
    [37] = P,     /* HTTPS_PRIORITIES_APPEND */
    [38] = N_INT, /* CLIENT_DISCIPLINE_LVL */
    [39] = N_INT, /* APP_FD_SETSIZE */
    [40] = NP,    /* SOCK_ADDR_LEN: socklen_t is passed like an unsigned int, see read_item */
    [41] = N_UINT, /* DIGEST_AUTH_NONCE_TIMEOUT */
    [42] = N_UINT, /* DIGEST_AUTH_DEF_MAX_NC */
};
#define OPTION_SOCK_ADDR_LEN 40

static enum shape shape_of(int option)
{
	if (option < 0 || (size_t)option >= sizeof(shapes) / sizeof(shapes[0]))
		return UNKNOWN;
	return (enum shape)shapes[option];
}

struct items {
	struct MHD_OptionItem *at;
	size_t n, n_room, n_spare;
};

static int append(struct items *items, const struct MHD_OptionItem *item)
{
	if (items->n + items->n_spare + 1 > items->n_room) {
		size_t n_room = 2 * items->n_room + items->n_spare + 16;
		struct MHD_OptionItem *at = realloc(items->at, n_room * sizeof(*at));

		if (at == NULL)
			return -1;
		items->at = at;
		items->n_room = n_room;
	}
	items->at[items->n++] = *item;
	return 0;
}

/* Arrays may hold arrays. libmicrohttpd passes an unknown option in an array to its own error path, so they are copied as they are. */
static int append_array(struct items *items, const struct MHD_OptionItem *array)
{
	for (; array->option != MHD_OPTION_END; array++) {
		int error = array->option == MHD_OPTION_ARRAY ? append_array(items, array->ptr_value) : append(items, array);

		if (error != 0)
			return error;
	}
	return 0;
}

struct MHD_OptionItem *rps_mhd_options_flatten(va_list ap, size_t n_spare, size_t *n_items, int *unknown)
{
	static const struct MHD_OptionItem end = {MHD_OPTION_END, 0, NULL};
	struct items items = {NULL, 0, 0, n_spare};
	int option;

	*unknown = 0;
	while ((option = va_arg(ap, int)) != MHD_OPTION_END) {
		struct MHD_OptionItem item = {(enum MHD_OPTION)option, 0, NULL};
		int error = 0;

		switch (shape_of(option)) {
		case N_INT:
			item.value = va_arg(ap, int);
			break;
		case N_UINT:
			item.value = (intptr_t)va_arg(ap, unsigned int);
			break;
		case N_SIZE:
			item.value = (intptr_t)va_arg(ap, size_t);
			break;
		case P:
			item.ptr_value = va_arg(ap, void *);
			break;
		case PP:
			item.value = (intptr_t)va_arg(ap, void *);
			item.ptr_value = va_arg(ap, void *);
			break;
		case NP:
			item.value = option == OPTION_SOCK_ADDR_LEN ? (intptr_t)va_arg(ap, unsigned int)
								    : (intptr_t)va_arg(ap, size_t);
			item.ptr_value = va_arg(ap, void *);
			break;
		case A:
			error = append_array(&items, va_arg(ap, struct MHD_OptionItem *));
			break;
		case UNKNOWN:
			*unknown = option;
			error = -1;
			break;
		}
		if (error == 0 && shape_of(option) != A)
			error = append(&items, &item);
		if (error != 0) {
			free(items.at);
			return NULL;
		}
	}
	if (append(&items, &end) != 0) {
		free(items.at);
		return NULL;
	}
	*n_items = items.n - 1;
	return items.at;
}
