/*
 * dl-case: what dlopen(), dlsym() and dlerror() answer to a list of questions, in words that do
 * not depend on addresses. Its RUNPATH is $ORIGIN/plugins.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void tell(const char *question, void *symbol)
{
	const char *error = dlerror();
	Dl_info info;

	if (!symbol)
		printf("%s: none, %s\n", question, error ? error : "no error");
	else if (!dladdr(symbol, &info))
		printf("%s: nowhere\n", question);
	else
		printf("%s: %s in %s\n", question, info.dli_sname ? info.dli_sname : "?",
		       base_name(info.dli_fname));
}

static void look_up(void *handle, const char *where)
{
	static const char *const names[] = { "malloc", "",       "no_such_name", "c",
					     "curl",   "curl_",  "curl_no_such", "curl_version",
					     "here",   "environ" };
	char question[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(question, sizeof(question), "%s \"%s\"", where, names[i]);
		tell(question, dlsym(handle, names[i]));
	}
	snprintf(question, sizeof(question), "%s versioned", where);
	tell(question, dlvsym(handle, "memcpy", "GLIBC_2.14"));
	tell(question, dlvsym(handle, "memcpy", "NO_SUCH_1.0"));
}

static void *open_library(const char *name, int mode)
{
	void *handle = dlopen(name, mode);
	const char *error = handle ? NULL : dlerror();

	printf("open %s: %s\n", name ? name : "the program", handle ? "yes" : error);
	return handle;
}

int main(void)
{
	void *curl = open_library("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	void *plugin = open_library("libhere.so", RTLD_LAZY);

	look_up(RTLD_DEFAULT, "default");
	look_up(RTLD_NEXT, "next");
	look_up(open_library(NULL, RTLD_LAZY), "program");
	look_up(plugin, "plugin");
	look_up(curl, "libcurl");
	open_library("libno-such.so.1", RTLD_NOW);
	open_library("/no/such/libhere.so", RTLD_NOW);
	open_library("libhere.so", RTLD_NOW | RTLD_NOLOAD);
	open_library("libhere.so", 0);
	if (plugin && dlclose(plugin) == 0)
		printf("closed\n");
	printf("close nothing: %d\n", curl ? dlclose(curl) : 1);
	return 0;
}
