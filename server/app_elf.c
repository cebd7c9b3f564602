/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See app_elf.h. Called by main.c at the start. */
#include "server/app_elf.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef DF_1_PIE
#define DF_1_PIE 0x08000000
#endif

static const char *const hook_names[] = {
    "__runprofile_process_v2",
    "__runprofile_enter_v2",
    "__runprofile_exit_v2",
    "__cyg_profile_func_enter",
    "__cyg_profile_func_exit",
};

static void look_at_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct rps_app_elf *app)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;

	for (size_t i = 0; i < n; i++) {
		const char *name;
		GElf_Sym symbol;

		if (!gelf_getsym(data, (int)i, &symbol))
			break;
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (!name)
			continue;
		for (size_t k = 0; k < sizeof(hook_names) / sizeof(hook_names[0]); k++)
			if (!strcmp(name, hook_names[k]))
				app->is_instrumented = 1;
		if (!strncmp(name, "__runprofile_", 13))
			app->is_of_profcc = 1;
		if (symbol.st_shndx == SHN_UNDEF)
			continue;
		if (!strcmp(name, "FCGX_Accept_r"))
			app->needs_fcgi = 1;
		if (header->sh_type == SHT_DYNSYM && !strcmp(name, "runprofile_app"))
			app->has_entry = 1;
		if (!strncmp(name, "_Z14runprofile_app", 18))
			app->has_mangled_entry = 1;
	}
}

/* Returns nonzero if the dynamic section says that this is a program. */
static int look_at_dynamic(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct rps_app_elf *app)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
	int is_pie = 0;

	for (size_t i = 0; i < n; i++) {
		const char *name;
		GElf_Dyn entry;

		if (!gelf_getdyn(data, (int)i, &entry))
			break;
		if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE))
			is_pie = 1;
		if (entry.d_tag != DT_NEEDED)
			continue;
		name = elf_strptr(elf, header->sh_link, entry.d_un.d_val);
		if (name && !strncmp(name, "libmicrohttpd.so", 16))
			app->needs_microhttpd = 1;
		if (name && (!strncmp(name, "libfcgi.so", 10) || !strncmp(name, "libfcgi++.so", 12)))
			app->needs_fcgi = 1;
	}
	return is_pie;
}

static void look_at_sections(Elf *elf, struct rps_app_elf *app, int *is_pie)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (name && !strcmp(name, "rps_instrumented"))
			app->is_instrumented = app->is_of_profcc = 1;
		if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
			look_at_symbols(elf, section, &header, app);
		if (header.sh_type == SHT_DYNAMIC && look_at_dynamic(elf, section, &header, app))
			*is_pie = 1;
	}
}

static int read_elf(Elf *elf, uint64_t file_bytes, struct rps_app_elf *app)
{
	int has_interpreter = 0, is_pie = 0;
	size_t n_headers;
	GElf_Ehdr header;

	if (!gelf_getehdr(elf, &header) || (header.e_type != ET_EXEC && header.e_type != ET_DYN) ||
	    elf_getphdrnum(elf, &n_headers))
		return -ENOEXEC;
	app->is_whole = header.e_shoff + (uint64_t)header.e_shnum * header.e_shentsize <= file_bytes;
	for (size_t i = 0; i < n_headers; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(elf, (int)i, &segment))
			continue;
		if (segment.p_type == PT_INTERP)
			has_interpreter = 1;
		if (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > file_bytes)
			app->is_whole = 0;
	}
	look_at_sections(elf, app, &is_pie);
	app->kind = header.e_type == ET_DYN && !has_interpreter && !is_pie ? RPS_APP_MODULE : RPS_APP_PROGRAM;
	return 0;
}

int rps_app_elf_read(const char *path, struct rps_app_elf *app, char *error, size_t error_size)
{
	struct stat st = {0};
	Elf *elf;
	int fd, rc = 0;

	memset(app, 0, sizeof(*app));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		rc = -errno;
		/* A program may be executable and yet not readable: nothing is known of it then. */
		if (rc == -EACCES && !access(path, X_OK)) {
			app->kind = RPS_APP_PROGRAM;
			app->is_instrumented = app->is_whole = 1;
			return 0;
		}
		snprintf(error, error_size, "cannot read %s: %s", path, strerror(-rc));
		return rc;
	}
	rc = fstat(fd, &st) ? -errno : 0;
	if (rc || !S_ISREG(st.st_mode)) {
		close(fd);
		if (!rc && S_ISDIR(st.st_mode)) {
			app->kind = RPS_APP_DIRECTORY;
			return 0;
		}
		snprintf(error, error_size, "cannot run %s: it is not a plain file", path);
		return -EINVAL;
	}
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		rc = read_elf(elf, (uint64_t)st.st_size, app);
		if (rc)
			snprintf(
			    error, error_size,
			    "%s is neither a program nor a shared object (an object file? link it first)",
			    path);
	} else {
		app->kind = RPS_APP_OTHER;
		app->is_whole = 1;
	}
	if (elf)
		elf_end(elf);
	close(fd);
	return rc;
}
