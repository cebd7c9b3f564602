/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See preloading.h. The dynamic linker does the preloading: a static program has none, and in a program that runs with
 * others' rights it does as if it had not been asked. */
#include "collect/preloading.h"

#include <fcntl.h>
#include <gelf.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_static(int fd)
{
	Elf *elf;
	GElf_Ehdr header;
	GElf_Phdr segment;
	size_t n = 0;
	int answer = 0;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf != NULL && gelf_getehdr(elf, &header) != NULL && elf_getphdrnum(elf, &n) == 0) {
		answer = n > 0;
		for (size_t i = 0; i < n; i++)
			if (gelf_getphdr(elf, (int)i, &segment) != NULL && segment.p_type == PT_INTERP)
				answer = 0;
	}
	elf_end(elf);
	return answer;
}

const char *rps_preloading_hindrance(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC), is_foreign, has_no_linker;

	if (fd < 0 || fstat(fd, &status) != 0) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	is_foreign = ((status.st_mode & S_ISUID) && status.st_uid != geteuid()) ||
		     ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) && status.st_gid != getegid());
	has_no_linker = is_static(fd);
	close(fd);
	if (has_no_linker)
		return "it is statically linked, so the runtime can't be preloaded: link it with profcc";
	if (is_foreign)
		return "it is set-user-ID or set-group-ID, so the runtime can't be preloaded: run it as its owner, or a copy without these bits";
	return NULL;
}
