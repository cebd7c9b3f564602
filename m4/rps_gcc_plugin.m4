# SPDX-License-Identifier: GPL-3.0-or-later

# RPS_GCC_PLUGIN: for which versions of GCC the plugin is built.
#
# Looks at g++-11 ... g++-15, the default g++ and $CXX, and asks each whether a minimal plugin builds
# and loads: headers alone may belong to another build of the compiler. Sets
#   GCC_PLUGIN_VERSIONS   "11 12"
#   GCC_PLUGIN_FILES      the plugins make builds
#   GCC_PLUGIN_CXX_N      the g++ of version N
#   PROFCC_DEFAULT_CC     what profcc runs when PROFCC_CC does not say
#   PROFCC_DEFAULT_CXX
#   PROFCC_MACHINE        what that compiles for, "x86_64-linux-gnu"
#   rps_plugin_summary    for the end of configure

m4_define([RPS_GCC_VERSIONS], [11, 12, 13, 14, 15])

# RPS_GCC_PLUGIN_TRY(COMPILER, ACTION-IF-WORKS)
AC_DEFUN([RPS_GCC_PLUGIN_TRY], [
  rps_gxx="$1"
  rps_gcc_version=`$rps_gxx -dumpfullversion 2>/dev/null`
  rps_gcc_major=`echo "$rps_gcc_version" | sed 's/\..*//'`
  AS_CASE([" $rps_plugin_tried "], [*" $rps_gcc_major "*], [rps_gcc_major=])
  AS_CASE([" m4_translit(m4_quote(RPS_GCC_VERSIONS), [,], [ ]) "], [*" $rps_gcc_major "*], [], [rps_gcc_major=])
  AS_IF([test -n "$rps_gcc_major"], [
    rps_plugin_tried="$rps_plugin_tried $rps_gcc_major"
    AC_MSG_CHECKING([whether $rps_gxx ($rps_gcc_version) builds and loads plugins])
    rps_plugin_dir=`$rps_gxx -print-file-name=plugin`
    cat >conftest.cc <<_RPSEOF
#include "gcc-plugin.h"
#include "plugin-version.h"
#include "tree.h"
#include "tree-pass.h"
#include "context.h"
int plugin_is_GPL_compatible;
int plugin_init(struct plugin_name_args *args, struct plugin_gcc_version *version)
{
	return !plugin_default_version_check(version, &gcc_version) || !g;
}
_RPSEOF
    echo 'int x;' >conftest-in.c
    AS_IF([$rps_gxx -std=gnu++14 -fno-rtti -fPIC -shared -I"$rps_plugin_dir/include" conftest.cc \
             -o conftest-plugin.so >&AS_MESSAGE_LOG_FD 2>&1 &&
           $rps_gxx -x c -c -fplugin=./conftest-plugin.so conftest-in.c -o conftest-out.o \
             >&AS_MESSAGE_LOG_FD 2>&1],
      [AC_MSG_RESULT([yes])
       $2],
      [AC_MSG_RESULT([no])
       rps_plugin_missing="$rps_plugin_missing gcc-$rps_gcc_major-plugin-dev"])
    rm -f conftest.cc conftest-in.c conftest-plugin.so conftest-out.o
  ])
])

AC_DEFUN([RPS_GCC_PLUGIN], [
  AC_ARG_WITH([gcc-plugins],
    [AS_HELP_STRING([--with-gcc-plugins=LIST],
      [major versions of GCC to build the plugin for, as in "11,12"; "no" for none (default: all that work)])],
    [], [with_gcc_plugins=auto])
  rps_plugins_wanted=`echo "$with_gcc_plugins" | tr ',' ' '`
  rps_plugin_tried=
  rps_plugin_missing=
  GCC_PLUGIN_VERSIONS=
  GCC_PLUGIN_FILES=

  AS_IF([test "x$with_gcc_plugins" != xno], [
    for rps_candidate in m4_map_args_sep([g++-], [], [ ], RPS_GCC_VERSIONS) g++ "$CXX"; do
      RPS_GCC_PLUGIN_TRY([$rps_candidate], [
        AS_CASE([" auto yes $rps_plugins_wanted "],
          [*" $with_gcc_plugins "*|*" $rps_gcc_major "*], [rps_take=yes], [rps_take=no])
        AS_CASE(["$with_gcc_plugins"], [auto|yes], [],
          [AS_CASE([" $rps_plugins_wanted "], [*" $rps_gcc_major "*], [], [rps_take=no])])
        AS_IF([test $rps_take = yes], [
          GCC_PLUGIN_VERSIONS="$GCC_PLUGIN_VERSIONS $rps_gcc_major"
          GCC_PLUGIN_FILES="$GCC_PLUGIN_FILES plugin/profcc_plugin_$rps_gcc_major.so"
          AS_VAR_SET([GCC_PLUGIN_CXX_$rps_gcc_major], [$rps_gxx])
        ])
      ])
    done
  ])
  GCC_PLUGIN_VERSIONS=`echo $GCC_PLUGIN_VERSIONS`
  GCC_PLUGIN_FILES=`echo $GCC_PLUGIN_FILES`

  AS_CASE(["$with_gcc_plugins"], [auto|yes|no], [], [
    for rps_wanted in $rps_plugins_wanted; do
      AS_CASE([" $GCC_PLUGIN_VERSIONS "], [*" $rps_wanted "*], [],
        [AC_MSG_ERROR([no plugin can be built for GCC $rps_wanted: install g++-$rps_wanted and gcc-$rps_wanted-plugin-dev])])
    done
  ])

  # The compiler profcc runs: the one configured, if it has a plugin; else the newest that has one.
  PROFCC_DEFAULT_CC=gcc
  PROFCC_DEFAULT_CXX=g++
  rps_newest=
  AS_IF([$CC -dumpfullversion >/dev/null 2>&1 && $CXX -dumpfullversion >/dev/null 2>&1],
    [PROFCC_DEFAULT_CC="$CC"
     PROFCC_DEFAULT_CXX="$CXX"])
  rps_default_major=`$PROFCC_DEFAULT_CC -dumpfullversion 2>/dev/null | sed 's/\..*//'`
  AS_CASE([" $GCC_PLUGIN_VERSIONS "], [*" $rps_default_major "*], [], [
    for rps_newest in $GCC_PLUGIN_VERSIONS; do :; done
    AS_IF([test -n "$rps_newest" && gcc-$rps_newest -dumpfullversion >/dev/null 2>&1 &&
           g++-$rps_newest -dumpfullversion >/dev/null 2>&1],
      [PROFCC_DEFAULT_CC=gcc-$rps_newest
       PROFCC_DEFAULT_CXX=g++-$rps_newest])
  ])

  PROFCC_MACHINE=`$PROFCC_DEFAULT_CC -dumpmachine`

  AS_IF([test -n "$GCC_PLUGIN_VERSIONS"],
    [rps_plugin_summary="plugin for gcc $GCC_PLUGIN_VERSIONS; profcc runs $PROFCC_DEFAULT_CC"],
    [rps_plugin_summary="plain hooks only (install`echo ${rps_plugin_missing:- gcc-12-plugin-dev} | sed 's/^/ /'`)"])

  AC_SUBST([GCC_PLUGIN_VERSIONS])
  AC_SUBST([GCC_PLUGIN_FILES])
  m4_foreach([rps_version], [RPS_GCC_VERSIONS], [AC_SUBST([GCC_PLUGIN_CXX_]rps_version)
  ])
  AC_SUBST([PROFCC_DEFAULT_CC])
  AC_SUBST([PROFCC_DEFAULT_CXX])
  AC_SUBST([PROFCC_MACHINE])
])
