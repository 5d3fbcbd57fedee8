/* two-flavours PLUGIN URL: fetch with the flavour linked here, then with the plugin's, in turn. */
#include <dlfcn.h>
#include <stdlib.h>

#include "fetch.h"

int main(int argc, char **argv)
{
	void *plugin = argc == 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	int (*plugin_fetch)(const char *) = NULL;
	void *symbol = plugin ? dlsym(plugin, "plugin_fetch") : NULL;
	int failed;

	if (!symbol) {
		fprintf(stderr, "two-flavours: %s\n", plugin ? "no such symbol" : dlerror());
		return 2;
	}
	memcpy(&plugin_fetch, &symbol, sizeof(symbol));
	failed = fetch_and_tell(argv[2]);
	failed |= plugin_fetch(argv[2]);
	failed |= fetch_and_tell(argv[2]);
	return failed;
}
