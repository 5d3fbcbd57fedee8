#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server_parts.h"

static void bytes_room(struct bytes *bytes, size_t more)
{
	if (bytes->size - bytes->len > more)
		return;
	bytes->size = bytes->size * 2 + more + 1;
	bytes->at = realloc(bytes->at, bytes->size);
	if (!bytes->at)
		server_die("memory");
}

void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
	bytes_room(bytes, len);
	if (len > 0)
		memcpy(bytes->at + bytes->len, data, len);
	bytes->len += len;
	bytes->at[bytes->len] = '\0';
}

void bytes_format(struct bytes *bytes, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		server_die("memory");
	bytes_add(bytes, text, (size_t)len);
	free(text);
}
