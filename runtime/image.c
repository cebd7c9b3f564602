/* SPDX-License-Identifier: MIT */
/* See image.h. A small table remembers the images seen so far: entries are
 * written before their number is published, and never change. An image that was closed
 * and another opened in its place is told apart by its range and link map; both the same is
 * the same file in all but contrived cases.
 */
#include "runtime/image.h"

#include "runtime/dictionary.h"

#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define N_KNOWN_MAX 256

struct known_image {
	_Atomic uintptr_t start; /* 0: being written */
	uintptr_t end;
	const struct link_map *map;
	uintptr_t bias;
	uint32_t id;
};

static struct known_image known[N_KNOWN_MAX];
static _Atomic uint32_t n_known;
static char executable_path[PATH_MAX];
static char working_directory[PATH_MAX];

void rps_image_init(void)
{
	ssize_t size = readlink("/proc/self/exe", executable_path, sizeof(executable_path) - 1);

	executable_path[size > 0 ? size : 0] = '\0';
	if (getcwd(working_directory, sizeof(working_directory)) == NULL)
		working_directory[0] = '\0';
}

static void read_build_id(uintptr_t start, uintptr_t bias, struct rps_image_entry *entry)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)start;
	const ElfW(Phdr) *segment;

	/* The first mapped page holds the ELF header in anything a linker makes without a script of its own. */
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_phentsize != sizeof(*segment) ||
	    header->e_phoff + header->e_phnum * sizeof(*segment) > RPS_PAGE)
		return;
	segment = (const ElfW(Phdr) *)(start + header->e_phoff);
	for (unsigned int i = 0; i < header->e_phnum; i++) {
		uintptr_t at = bias + segment[i].p_vaddr;
		uintptr_t end = at + segment[i].p_memsz;

		if (segment[i].p_type != PT_NOTE || segment[i].p_align > 8)
			continue;
		while (at + sizeof(ElfW(Nhdr)) <= end) {
			const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
			uintptr_t name = at + sizeof(*note);
			uintptr_t payload = name + ((note->n_namesz + 3u) & ~3u);

			if (payload + note->n_descsz > end)
				break;
			if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
			    memcmp((const void *)name, "GNU", 4) == 0 && note->n_descsz <= RPS_BUILD_ID_MAX) {
				memcpy(entry->build_id, (const void *)payload, note->n_descsz);
				entry->build_id_size = (uint8_t)note->n_descsz;
				return;
			}
			at = payload + ((note->n_descsz + 3u) & ~3u);
		}
	}
}

/* Apart, so that its buffer is not on the (perhaps tiny) stack of every hook that meets a new image. */
static __attribute__((noinline)) uint32_t relative_path_id(const char *name)
{
	char path[PATH_MAX];
	size_t n_dir = strlen(working_directory), n_name = strlen(name);

	if (n_dir + 1 + n_name >= sizeof(path))
		return rps_dictionary_string(name);
	memcpy(path, working_directory, n_dir);
	path[n_dir] = '/';
	memcpy(path + n_dir + 1, name, n_name + 1);
	return rps_dictionary_string(path);
}

static uint32_t path_id(const char *name)
{
	if (name == NULL || name[0] == '\0')
		return rps_dictionary_string(executable_path);
	return name[0] == '/' ? rps_dictionary_string(name) : relative_path_id(name);
}

static uint32_t register_image(uintptr_t start, uintptr_t end, const struct link_map *map)
{
	struct rps_image_entry entry;
	uint32_t index = atomic_load_explicit(&n_known, memory_order_relaxed);
	uint32_t id;

	memset(&entry, 0, sizeof(entry));
	entry.path = path_id(map->l_name);
	read_build_id(start, map->l_addr, &entry);
	id = rps_dictionary_image(&entry);
	do {
		if (index >= N_KNOWN_MAX)
			return id; /* found anew each time: slower, still right */
	} while (!atomic_compare_exchange_weak_explicit(&n_known, &index, index + 1, memory_order_relaxed,
							memory_order_relaxed));
	known[index].end = end;
	known[index].map = map;
	known[index].bias = map->l_addr;
	known[index].id = id;
	atomic_store_explicit(&known[index].start, start, memory_order_release);
	return id;
}

uint32_t rps_image_find(uintptr_t address, uintptr_t *elf_address)
{
	struct dl_find_object found;
	uintptr_t start, end;
	uint32_t n;

	*elf_address = address;
	if (_dl_find_object((void *)address, &found) != 0)
		return 0;
	start = (uintptr_t)found.dlfo_map_start;
	end = (uintptr_t)found.dlfo_map_end;
	*elf_address = address - found.dlfo_link_map->l_addr;
	n = atomic_load_explicit(&n_known, memory_order_relaxed);
	for (uint32_t i = 0; i < n; i++)
		if (atomic_load_explicit(&known[i].start, memory_order_acquire) == start &&
		    known[i].end == end && known[i].map == found.dlfo_link_map)
			return known[i].id;
	return register_image(start, end, found.dlfo_link_map);
}
