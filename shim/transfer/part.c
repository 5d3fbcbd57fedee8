#include "transfer/part.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "transfer/exchange.h"
#include "transfer/program.h"

struct rs_part {
	curl_read_callback read;
	curl_seek_callback seek; /* NULL: it can be read once */
	curl_free_callback release;
	void *arg;
	struct rs_part *next, **link; /* of those that a call has read; NULL: of none */
};

static _Atomic size_t parts; /* that there are */
static atomic_bool shared;

struct rs_part *rs_part_new(curl_read_callback read, curl_seek_callback seek,
			    curl_free_callback release, void *arg)
{
	struct rs_part *part = calloc(1, sizeof(*part));
	bool copies = read == rs_part_read;

	if (!part) {
		if (copies)
			rs_part_share();
		return NULL;
	}
	if (copies) { /* `release` is ours, too */
		*part = *(struct rs_part *)arg;
		part->next = NULL;
		part->link = NULL;
	} else {
		*part = (struct rs_part){ read, seek, release, arg, NULL, NULL };
	}
	atomic_fetch_add_explicit(&parts, 1, memory_order_relaxed);
	return part;
}

static void unlink_part(struct rs_part *part)
{
	if (!part->link)
		return;
	*part->link = part->next;
	if (part->next)
		part->next->link = part->link;
	part->next = NULL;
	part->link = NULL;
}

void rs_part_drop(struct rs_part *part)
{
	if (atomic_load_explicit(&shared, memory_order_relaxed))
		return;
	unlink_part(part);
	atomic_fetch_sub_explicit(&parts, 1, memory_order_relaxed);
	free(part);
}

void rs_part_release(void *user)
{
	struct rs_part *part = user;
	int depth = rs_program_enter();

	if (part->release)
		part->release(part->arg);
	rs_program_leave(depth);
	rs_part_drop(part);
}

void rs_part_share(void)
{
	atomic_store_explicit(&shared, true, memory_order_relaxed);
}

static void note_reader(struct rs_part *part)
{
	struct rs_exchange *x = rs_exchange_here;
	struct rs_part **first;

	if (part->link || !x)
		return;
	first = &x->handle->parts;
	part->next = *first;
	part->link = first;
	if (part->next)
		part->next->link = &part->next;
	*first = part;
	x->replaced_more = true; /* the call's end is not the usual one */
}

size_t rs_part_read(char *bytes, size_t size, size_t count, void *user)
{
	struct rs_part *part = user;
	int depth;
	size_t got;

	note_reader(part);
	depth = rs_program_enter();
	got = part->read(bytes, size, count, part->arg);
	rs_program_leave(depth);
	return got;
}

static int seek(const struct rs_part *part, curl_off_t offset, int whence)
{
	int depth = rs_program_enter();
	int answer = part->seek(part->arg, offset, whence);

	rs_program_leave(depth);
	return answer;
}

int rs_part_seek(void *user, curl_off_t offset, int whence)
{
	int answer = seek(user, offset, whence);

	if (rs_exchange_here)
		rs_exchange_here->refused =
			answer == CURL_SEEKFUNC_OK ? CURLE_OK : CURLE_SEND_FAIL_REWIND;
	return answer;
}

bool rs_part_repeatable(const struct rs_exchange *x, bool ended)
{
	const struct rs_part *part = x->handle->parts;

	if (atomic_load_explicit(&parts, memory_order_relaxed) == 0)
		return true;
	if (!x->alone || atomic_load_explicit(&shared, memory_order_relaxed))
		return false;
	for (; part; part = part->next) {
		if (!ended || !part->seek || seek(part, 0, SEEK_SET) != CURL_SEEKFUNC_OK)
			return false;
	}
	return true;
}

void rs_part_forget(struct rs_exchange *x)
{
	while (x->handle->parts)
		unlink_part(x->handle->parts);
}
