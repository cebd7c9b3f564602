# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways a program is compiled: one table. What was compiled is kept in bench/cache of the build tree, under a hash of
the command, the sources and, for profcc, the plugin; SQLite takes minutes."""
import dataclasses
import hashlib
import os
import shlex
import subprocess

from harness.context import Unavailable


@dataclasses.dataclass(frozen=True)
class Build:
    flags: tuple = ()
    profcc: bool = False
    profcc_flags: str = ""  # for PROFCC_FLAGS
    empty_hooks: bool = False  # linked with hooks that do nothing
    text: str = ""


BUILDS = {
    "plain": Build(text="uninstrumented"),
    "noinline": Build(("-fno-inline",), text="uninstrumented, nothing inlined"),
    "pg": Build(("-pg",), text="gcc -pg"),
    "hooks": Build(("-finstrument-functions",), empty_hooks=True, text="empty hooks, called"),
    "gcc": Build(("-finstrument-functions",), text="gcc -finstrument-functions"),
    "profcc": Build(profcc=True, text="profcc"),
    "profcc-noinline": Build(("-fno-inline",), profcc=True, text="profcc, nothing inlined"),
    "small": Build(profcc=True, profcc_flags="--profcc-small-code", text="profcc, small code"),
}


def default_compiler(bench):
    """The one that profcc runs: the one to compare with."""
    for line in (bench.build / "Makefile").read_text().splitlines():
        if line.startswith("PROFCC_DEFAULT_CC = "):
            return line.split(" = ")[1]
    return "gcc"


def _hash(bench, command, sources, build):
    digest = hashlib.sha256("\0".join(command + [build.profcc_flags]).encode())
    inputs = [*sources, bench.source / "workloads" / "report.h"]
    if build.profcc:
        inputs += [bench.build / "profcc", *sorted((bench.build / "plugin").rglob("*.so")),
                   *sorted((bench.build / "plugin").rglob("*.specs")), *sorted(bench.build.glob("*.specs"))]
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _run(bench, command, output, build):
    environment = dict(os.environ)
    environment.pop("PROFCC_FLAGS", None)
    if build.profcc_flags:
        environment["PROFCC_FLAGS"] = build.profcc_flags
    bench.progress(f"compiling {output.name}")
    part = output.with_name(output.name + ".part")
    done = subprocess.run([*command, "-o", str(part)], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise Unavailable(f"{build.text}: {reason}")
    part.rename(output)


def compile_program(bench, name, key, sources, libraries=(), flags=(), objects=()):
    """The path of program `name` compiled the way BUILDS[key] says; `objects` are linked as they are."""
    build = BUILDS[key]
    compiler = str(bench.build / "profcc") if build.profcc else default_compiler(bench)
    command = [*shlex.split(compiler), "-O2", "-g", *flags, *build.flags, f"-I{bench.source}/workloads",
               *map(str, sources), *map(str, objects), *libraries]
    if build.empty_hooks:
        command += [str(empty_hooks(bench)), f"-Wl,-rpath,{bench.cache}"]
    output = bench.cache / f"{name}-{key}-{_hash(bench, command, [*sources, *objects], build)}"
    if not output.exists():
        _run(bench, command, output, build)
    return output


def compile_object(bench, name, key, source, flags=()):
    build = BUILDS[key]
    compiler = str(bench.build / "profcc") if build.profcc else default_compiler(bench)
    command = [*shlex.split(compiler), "-O2", "-g", *flags, *build.flags, "-c", str(source)]
    output = bench.cache / f"{name}-{key}-{_hash(bench, command, [source], build)}.o"
    if not output.exists():
        _run(bench, command, output, build)
    return output


def empty_hooks(bench):
    """A shared object, as the runtime is one."""
    source = bench.source / "workloads" / "empty-hooks.c"
    command = [*shlex.split(default_compiler(bench)), "-O2", "-shared", "-fPIC", str(source)]
    output = bench.cache / f"libempty-{_hash(bench, command, [source], BUILDS['plain'])}.so"
    if not output.exists():
        _run(bench, command, output, BUILDS["plain"])
    return output
