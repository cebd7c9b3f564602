/* SPDX-License-Identifier: MIT */
/* Calls made from a header, for plugin-calls.c and .cc: the file of a call
 * site counts as well as its line. */
#ifdef __cplusplus
extern "C"
#endif
int header_leaf(int x);

static inline int header_inline(int x)
{
	return header_leaf(x + 1) * 2; /* => header_leaf 10 */
}
