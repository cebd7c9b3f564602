# SPDX-License-Identifier: GPL-3.0-or-later

# RPS_WARNINGS: one list of warnings for all our code; --enable-werror makes them errors.
AC_DEFUN([RPS_WARNINGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors (used by CI)])])
  RPS_WARN_CFLAGS="-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wno-unused-parameter"
  RPS_WARN_CXXFLAGS="-Wall -Wextra -Wno-unused-parameter"
  AS_IF([test "x$enable_werror" = xyes], [
    RPS_WARN_CFLAGS="$RPS_WARN_CFLAGS -Werror"
    RPS_WARN_CXXFLAGS="$RPS_WARN_CXXFLAGS -Werror"
  ])
  AC_SUBST([RPS_WARN_CFLAGS])
  AC_SUBST([RPS_WARN_CXXFLAGS])
])

# RPS_SANITIZERS: --enable-asan, --enable-ubsan, --enable-tsan for our own programs and tests
# (never for code that profcc compiles).
AC_DEFUN([RPS_SANITIZERS], [
  AC_ARG_ENABLE([asan], [AS_HELP_STRING([--enable-asan], [build with AddressSanitizer])])
  AC_ARG_ENABLE([ubsan], [AS_HELP_STRING([--enable-ubsan], [build with UndefinedBehaviorSanitizer])])
  AC_ARG_ENABLE([tsan], [AS_HELP_STRING([--enable-tsan], [build with ThreadSanitizer])])
  RPS_SAN_FLAGS=
  AS_IF([test "x$enable_asan" = xyes], [RPS_SAN_FLAGS="$RPS_SAN_FLAGS -fsanitize=address"])
  AS_IF([test "x$enable_ubsan" = xyes], [RPS_SAN_FLAGS="$RPS_SAN_FLAGS -fsanitize=undefined -fno-sanitize-recover=undefined"])
  AS_IF([test "x$enable_tsan" = xyes], [RPS_SAN_FLAGS="$RPS_SAN_FLAGS -fsanitize=thread"])
  AS_IF([test -n "$RPS_SAN_FLAGS"], [RPS_SAN_FLAGS="$RPS_SAN_FLAGS -fno-omit-frame-pointer"])
  AC_SUBST([RPS_SAN_FLAGS])
])
