#include "retry/pattern.h"

#include <stdlib.h>

#include "gnu.h"

static int compile(struct rs_pattern *pattern, regex_t *made)
{
	regex_t *before = NULL;
	int rc = regcomp(made, pattern->text, REG_EXTENDED | REG_NOSUB);

	if (rc != 0) {
		free(made);
		return rc;
	}
	if (!atomic_compare_exchange_strong(&pattern->regex, &before, made)) {
		regfree(made);
		free(made);
	}
	return 0;
}

int rs_pattern_compile(struct rs_pattern *pattern)
{
	int rc = atomic_load(&pattern->trouble);
	regex_t *made;

	if (rc != 0 || atomic_load(&pattern->regex))
		return rc;
	made = malloc(sizeof(*made));
	rc = made ? compile(pattern, made) : REG_ESPACE;
	if (rc != REG_ESPACE) /* there may be memory later */
		atomic_store(&pattern->trouble, rc);
	return rc;
}

bool rs_pattern_finds(struct rs_pattern *pattern, const char *at, size_t len)
{
	return rs_pattern_compile(pattern) == 0 &&
	       rs_regex_finds(atomic_load(&pattern->regex), at, len);
}

void rs_pattern_free(struct rs_pattern *pattern)
{
	regex_t *regex = atomic_load(&pattern->regex);

	if (!regex)
		return;
	regfree(regex);
	free(regex);
	atomic_store(&pattern->regex, NULL);
}
