# SPDX-License-Identifier: GPL-3.0-or-later

# RPS_CHECK_PLATFORM: the runtime's tricks are Linux's, and it knows two architectures (wire/counter.h, runtime/arch.h).
AC_DEFUN([RPS_CHECK_PLATFORM], [
  AC_CANONICAL_HOST
  AS_CASE([$host_os], [linux*], [],
    [AC_MSG_ERROR([RunProfileServer needs Linux (this is $host_os)])])
  AS_CASE([$host_cpu], [x86_64|aarch64], [],
    [AC_MSG_ERROR([RunProfileServer runs on x86-64 and arm64 (this is $host_cpu; another architecture needs its part of wire/counter.h and runtime/arch.h)])])
  # The runtime's code that inlined hooks jump to keeps the integer registers only.
  AS_CASE([$host_cpu], [x86_64], [RUNTIME_REGISTERS_CFLAGS=-mgeneral-regs-only], [RUNTIME_REGISTERS_CFLAGS=])
  AC_SUBST([RUNTIME_REGISTERS_CFLAGS])
])

# RPS_REQUIRE_PKG(PREFIX, PKG-CONFIG-SPEC, DEBIAN-PACKAGE)
AC_DEFUN([RPS_REQUIRE_PKG], [
  PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 is missing: install $3 (./quickstart deps installs all that is needed)])])
])

# RPS_REQUIRE_HEADER(HEADER, DEBIAN-PACKAGE)
AC_DEFUN([RPS_REQUIRE_HEADER], [
  AC_CHECK_HEADER([$1], [],
    [AC_MSG_ERROR([$1 is missing: install $2 (./quickstart deps installs all that is needed)])])
])

# RPS_OPTIONAL_PKG(PREFIX, PKG-CONFIG-SPEC, DEBIAN-PACKAGE, WHAT-IT-IS-FOR)
# Sets the conditional HAVE_PREFIX and a line of the summary.
AC_DEFUN([RPS_OPTIONAL_PKG], [
  PKG_CHECK_MODULES([$1], [$2],
    [rps_have_$1=yes; rps_says_$1="yes"],
    [rps_have_$1=no; rps_says_$1="no (install $3)"])
  AM_CONDITIONAL([HAVE_$1], [test "x$rps_have_$1" = xyes])
])
