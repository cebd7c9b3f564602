/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantiles of the t distribution by bisection (student.h). With t = sqrt(n) tan a its density becomes
 * cos^(n-1) a, which is smooth and lives on a quarter circle, so Simpson's rule is as good as exact. Called
 * by runprofile diff. */
#include "tools/student.h"

#include <math.h>

#define N_STEPS 400u /* even */
#define N_BISECTIONS 60u

/* The integral of cos^power from `from` to a quarter circle. */
static double integrate(double from, double power)
{
	const double step = (M_PI / 2 - from) / N_STEPS;
	double sum = 0;

	for (uint32_t i = 0; i <= N_STEPS; i++) {
		const double weight = i == 0 || i == N_STEPS ? 1 : i % 2 == 1 ? 4 : 2;
		const double cosine = i == N_STEPS ? 0 : cos(from + i * step);

		sum += weight * (power == 0 ? 1 : pow(cosine, power));
	}
	return sum * step / 3;
}

double rps_student_bound(double p_outside, uint32_t freedom)
{
	const double n = freedom < RPS_STUDENT_FREEDOM_MAX ? freedom : RPS_STUDENT_FREEDOM_MAX,
		     wanted = p_outside * integrate(0, n - 1);
	double low = 0, high = M_PI / 2;

	for (uint32_t i = 0; i < N_BISECTIONS; i++) {
		const double middle = (low + high) / 2;

		if (integrate(middle, n - 1) > wanted)
			low = middle;
		else
			high = middle;
	}
	return sqrt(n) * tan(high);
}

double rps_student_cached_bound(struct rps_student_cache *cache, double p_outside, uint32_t freedom)
{
	if (cache->p_outside != p_outside)
		*cache = (struct rps_student_cache){.p_outside = p_outside};
	if (freedom > RPS_STUDENT_FREEDOM_MAX)
		freedom = RPS_STUDENT_FREEDOM_MAX;
	if (cache->bounds[freedom] == 0)
		cache->bounds[freedom] = rps_student_bound(p_outside, freedom);
	return cache->bounds[freedom];
}
