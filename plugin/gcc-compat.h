/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GCC's headers for the plugin, in the order they want, and what differs
 * between GCC 11 and 15. Everything else in plugin/ is written to what these
 * versions share; a difference found later belongs here, nowhere else.
 *
 *   14  last_stmt() is gone: we use gsi_last_bb() throughout
 *   13  build_string_literal() takes an unsigned length: we pass unsigned
 *   13  -finstrument-functions-once wraps the hook calls in a test: nothing to do
 *   15  the headers need C++14
 */
#ifndef PROFCC_GCC_COMPAT_H
#define PROFCC_GCC_COMPAT_H

#define INCLUDE_MAP
#define INCLUDE_SET
#define INCLUDE_STRING
#define INCLUDE_VECTOR

#include "gcc-plugin.h"
#include "tm.h"
#include "plugin-version.h"
#include "tree.h"
#include "stor-layout.h"
#include "tree-pass.h"
#include "context.h"
#include "function.h"
#include "basic-block.h"
#include "gimple.h"
#include "gimple-iterator.h"
#include "tree-cfg.h"
#include "tree-eh.h"
#include "cgraph.h"
#include "stringpool.h"
#include "attribs.h"
#include "langhooks.h"
#include "toplev.h"
#include "diagnostic-core.h"
#include "file-prefix-map.h"
#include "memmodel.h"
#include "rtl.h"
#include "emit-rtl.h"
#include "cfghooks.h"
#include "cfgloop.h"
#include "dominance.h"
#include "internal-fn.h"
#include "builtins.h"

/* gimple-iterator.h of some versions needs what others include themselves. */
#include "ssa.h"
#include "tree-into-ssa.h"

/* What the compiler makes code for. It may run on another machine, so its own headers tell, not what they are compiled for. */
#ifdef TARGET_X32
#define PROFCC_TARGET_IS_X86 1
#else
#define PROFCC_TARGET_IS_X86 0
#endif

#if GCCPLUGIN_VERSION < 11000
#error "the plugin is written for GCC 11 and later"
#endif

/* libiberty's, which every compiler proper contains; its header is not among those for plugins. Weak,
 * so that a compiler linked without it still loads us. */
extern "C" char *cplus_demangle_v3(const char *mangled, int options) __attribute__((weak));
#define PROFCC_DEMANGLE_PARAMETERS (1 << 0)
#define PROFCC_DEMANGLE_QUALIFIERS (1 << 1)
#define PROFCC_DEMANGLE_NO_RETURN_TYPE (1 << 6)

#endif
