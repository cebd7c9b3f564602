# SPDX-License-Identifier: GPL-3.0-or-later

# RPS_SUMMARY: what was found, and what that switches on or off.
AC_DEFUN([RPS_SUMMARY], [
  AS_ECHO(["
RunProfileServer $VERSION

  installs below          $prefix
  profcc and profc++      ${rps_plugin_summary}
  libmicrohttpd           $($PKG_CONFIG --modversion libmicrohttpd)  (front, modules, scoped requests)
  libcurl                 $($PKG_CONFIG --modversion libcurl)  (gateway to the application)
  elfutils                $($PKG_CONFIG --modversion libdw)  (names and lines of code without our plugin)
  unit tests              ${rps_says_CMOCKA}
  example application     ${rps_says_SQLITE}
  checked build           ${RPS_SAN_FLAGS:-no}

Next: make && make check
"])
])
