#include "other_libcurl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static ElfW(Dyn) * dynamic_of(char *image)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(void *)image;
	const ElfW(Phdr) *parts = (const ElfW(Phdr) *)(void *)(image + header->e_phoff);

	for (int i = 0; i < header->e_phnum; i++) {
		if (parts[i].p_type == PT_DYNAMIC)
			return (ElfW(Dyn) *)(void *)(image + parts[i].p_offset);
	}
	return NULL;
}

bool other_libcurl_add_flags(char *image, unsigned flags)
{
	for (ElfW(Dyn) *d = dynamic_of(image); d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_FLAGS) {
			d->d_un.d_val |= flags;
			return true;
		}
	}
	return false;
}

const char *other_libcurl(change_libcurl *change)
{
	static char setting[4200];
	char *(*version)(void) = curl_version, *image = NULL;
	bool changed = false;
	size_t len = 0;
	void *symbol;
	Dl_info about;

	memcpy(&symbol, &version, sizeof(symbol));
	if (dladdr(symbol, &about) != 0)
		image = read_file(about.dli_fname, &len);
	if (image)
		changed = change(image, len);
	if (changed)
		(void)temp_file("libcurl.so.4", image, len);
	free(image);
	(void)snprintf(setting, sizeof(setting), "LD_LIBRARY_PATH=%s", temp_dir());
	return changed ? setting : NULL;
}
