#include "rules/where.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define XDG_NAME "/retryshim.ini"

static size_t put(char *buf, size_t size, const char *head, const char *tail)
{
	size_t head_len = strlen(head);
	size_t tail_len = strlen(tail);
	size_t len = head_len + tail_len;

	if (len < size) {
		memcpy(buf, head, head_len);
		memcpy(buf + head_len, tail, tail_len + 1);
	} else if (size > 0) {
		buf[0] = '\0';
	}
	return len;
}

/* A file that may not be reached, and a link that leads nowhere, are there: somebody meant them to
 * count, and is told what is wrong when they are read. */
static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ||
	       (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG);
}

size_t rs_rules_where(const char *retryshim_rules, const char *xdg_config_home, char *buf,
		      size_t size)
{
	if (retryshim_rules && retryshim_rules[0])
		return put(buf, size, retryshim_rules, "");
	/* The XDG base directory specification: a relative path is to be ignored. So is one that
	 * is too long for any file to be there. */
	if (xdg_config_home && xdg_config_home[0] == '/' &&
	    strlen(xdg_config_home) < PATH_MAX - strlen(XDG_NAME)) {
		size_t len = put(buf, size, xdg_config_home, XDG_NAME);

		if (len >= size || is_there(buf))
			return len;
	}
	if (is_there(RS_SYSTEM_RULES))
		return put(buf, size, RS_SYSTEM_RULES, "");
	return put(buf, size, "", "");
}
