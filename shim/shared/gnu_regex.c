#include "gnu.h"

#ifdef REG_STARTEND

bool rs_regex_finds(const regex_t *regex, const char *at, size_t len)
{
	regmatch_t range = { .rm_so = 0, .rm_eo = (regoff_t)len };

	return regexec(regex, at ? at : "", 1, &range, REG_STARTEND) == 0;
}

#else

#include <stdlib.h>

bool rs_regex_finds(const regex_t *regex, const char *at, size_t len)
{
	char *text = malloc(len + 1);
	bool found;

	if (!text)
		return false;
	for (size_t i = 0; i < len; i++)
		text[i] = at[i] != '\0' ? at[i] : '\1';
	text[len] = '\0';
	found = regexec(regex, text, 0, NULL, 0) == 0;
	free(text);
	return found;
}

#endif
