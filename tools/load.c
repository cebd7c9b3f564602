/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads profiles side by side and hands them over one at a time (load.h): parsing takes longer than whatever
 * is done with the result. */
#include "tools/load.h"

#include "profile/format.h"
#include "profile/merge.h"
#include "tools/complain.h"
#include "tools/inputs.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 64

struct loading {
	struct rps_inputs inputs;
	rps_load_taker *take;
	void *cls;
	bool with_sums; /* those in directories, too */
	pthread_mutex_t lock;
	atomic_size_t next;
	size_t n_taken, n_sums, n_broken;
	int error;
};

static bool is_left_out(const struct loading *loading, const struct rps_input_file *input,
			const struct rps_profile *profile)
{
	return !loading->with_sums && !input->is_named &&
	       rps_profile_meta(profile, RPS_AGGREGATE_KEY) != NULL;
}

static void load_one(struct loading *loading, const struct rps_input_file *input)
{
	struct rps_profile *profile = NULL;
	char why[1024];
	int error = rps_format_read(input->path, &profile, why, sizeof(why));

	pthread_mutex_lock(&loading->lock);
	if (error != 0) {
		rps_complain("%s%s", loading->inputs.n_inputs > 1 ? "skipped " : "", why);
		loading->n_broken++;
	} else if (is_left_out(loading, input, profile)) {
		loading->n_sums++;
	} else if (loading->error == 0) {
		loading->error = loading->take(loading->cls, input->path, profile);
		loading->n_taken++;
	}
	pthread_mutex_unlock(&loading->lock);
	rps_profile_destroy(profile);
}

static void *work(void *cls)
{
	struct loading *loading = cls;
	size_t i;

	while ((i = atomic_fetch_add(&loading->next, 1)) < loading->inputs.n_inputs)
		load_one(loading, &loading->inputs.inputs[i]);
	return NULL;
}

static void load_all(struct loading *loading)
{
	long n_processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MAX];
	size_t n_threads = n_processors < 1             ? 1
			   : n_processors > THREADS_MAX ? THREADS_MAX
							: (size_t)n_processors;
	size_t n_started = 0;

	atomic_store(&loading->next, 0);
	while (n_started + 1 < n_threads && n_started + 1 < loading->inputs.n_inputs &&
	       pthread_create(&threads[n_started], NULL, work, loading) == 0)
		n_started++;
	work(loading);
	for (size_t i = 0; i < n_started; i++)
		pthread_join(threads[i], NULL);
}

int rps_load_each(char *const *paths, int n_paths, enum rps_load_sums sums, rps_load_taker *take, void *cls,
		  uint64_t *n_read)
{
	struct loading loading = {
	    .take = take, .cls = cls, .with_sums = sums == RPS_LOAD_SUMS, .lock = PTHREAD_MUTEX_INITIALIZER};

	/* Each file's arrays come and go: from the heap, not as fresh pages of the kernel's each time. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	for (int i = 0; i < n_paths && loading.error == 0; i++)
		loading.error = rps_inputs_add(&loading.inputs, paths[i]);
	if (loading.error == 0)
		load_all(&loading);
	if (loading.error == 0 && loading.n_taken == 0 && loading.n_sums > 0) {
		loading.with_sums = true;
		loading.n_broken = 0;
		load_all(&loading);
	}
	if (loading.error != 0)
		rps_complain("%s", strerror(-loading.error));
	*n_read = loading.n_taken;
	rps_inputs_clear(&loading.inputs);
	if (loading.error != 0)
		return 2;
	return loading.n_broken > 0 || loading.inputs.n_unreadable > 0 || loading.n_taken == 0;
}

/* ---- The sum ------------------------------------------------------------------------------------ */

struct summing {
	struct rps_merge *merge;
};

static int add_to_sum(void *cls, const char *path, const struct rps_profile *profile)
{
	struct summing *summing = cls;
	int error = rps_merge_add(summing->merge, profile);

	if (error == -EOVERFLOW || error == -E2BIG)
		rps_complain("cannot add %s: %s", path,
			     error == -E2BIG ? "too many different events in all"
					     : "the sum would be beyond 64 bits");
	return error;
}

static int load_single(const char *path, struct rps_profile **profile)
{
	char why[1024];

	if (rps_format_read(path, profile, why, sizeof(why)) == 0)
		return 0;
	rps_complain("%s", why);
	*profile = NULL;
	return 1;
}

int rps_load_sum(char *const *paths, int n_paths, struct rps_profile **profile)
{
	struct summing summing;
	struct stat status;
	uint64_t n_read;
	int result;

	*profile = NULL;
	if (n_paths == 1 &&
	    (strcmp(paths[0], "-") == 0 || stat(paths[0], &status) != 0 || !S_ISDIR(status.st_mode)))
		return load_single(paths[0], profile);
	summing.merge = rps_merge_create("all profiles");
	result = summing.merge != NULL
		     ? rps_load_each(paths, n_paths, RPS_LOAD_WITHOUT_SUMS, add_to_sum, &summing, &n_read)
		     : 2;
	if (result != 2 && n_read > 0)
		*profile = rps_merge_finish(summing.merge);
	rps_merge_destroy(summing.merge);
	if (result != 2 && n_read > 0 && *profile == NULL) {
		rps_complain("out of memory");
		return 2;
	}
	return result;
}
