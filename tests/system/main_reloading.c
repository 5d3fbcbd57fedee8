/*
 * reloading PLUGIN...: load one after the other, each in the place of the one before, and ask each
 * whether it has got its libcurl. Exit status 3: one has got another place.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	void *place = NULL;

	for (int i = 1; i < argc; i++) {
		void *plugin = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
		void *symbol = plugin ? dlsym(plugin, "plugin_is_right") : NULL;
		bool (*is_right)(void);

		if (!symbol)
			return 2;
		if (place && symbol != place)
			return 3;
		place = symbol;
		memcpy(&is_right, &symbol, sizeof(is_right));
		(void)puts(is_right() ? "right" : "wrong");
		(void)dlclose(plugin);
	}
	return 0;
}
