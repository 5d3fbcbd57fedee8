#include "transfer/upload.h"

#include <stdio.h>

#include "transfer/program.h"

void rs_upload_begin(struct rs_upload *upload, const struct rs_options *options, size_t limit)
{
	*upload = (struct rs_upload){ .options = options, .spool.limit = limit };
}

void rs_upload_end(struct rs_upload *upload)
{
	rs_spool_clear(&upload->spool);
}

/* The program's stream now stands at `offset`: what is read from here on is the body. */
static void restart(struct rs_upload *upload, curl_off_t offset)
{
	rs_spool_clear(&upload->spool);
	upload->origin = offset;
	upload->taken = 0;
	upload->cursor = 0;
	upload->serving = upload->outgrown = upload->ended = false;
}

static int seek_program(struct rs_upload *upload, curl_off_t offset)
{
	const struct rs_options *o = upload->options;
	int depth = rs_program_enter();
	int answer;

	answer = o->seek_fn(o->seek_data, offset, SEEK_SET);
	rs_program_leave(depth);
	upload->refused = answer != CURL_SEEKFUNC_OK && answer != CURL_SEEKFUNC_CANTSEEK;
	return answer;
}

/* Put a stream that is too long for the spool back to its beginning. */
static bool put_back(struct rs_upload *upload)
{
	const struct rs_options *o = upload->options;
	FILE *file = o->read_data;
	off_t now;

	if (o->seek_fn)
		return seek_program(upload, upload->origin) == CURL_SEEKFUNC_OK;
	if (o->read_fn || !file)
		return false;
	now = ftello(file);
	return now >= upload->taken && fseeko(file, now - upload->taken, SEEK_SET) == 0;
}

bool rs_upload_repeatable(struct rs_upload *upload)
{
	if (!upload->outgrown)
		return true;
	if (!put_back(upload))
		return false;
	restart(upload, upload->origin);
	return true;
}

void rs_upload_repeat(struct rs_upload *upload)
{
	upload->cursor = 0;
	upload->serving = true;
	upload->stop = upload->stopped_by_us = false;
}

static size_t read_program(struct rs_upload *upload, char *bytes, size_t size, size_t count)
{
	const struct rs_options *o = upload->options;
	int depth = rs_program_enter();
	size_t got;

	if (o->read_fn)
		got = o->read_fn(bytes, size, count, o->read_data);
	else
		got = fread(bytes, size, count, o->read_data);
	rs_program_leave(depth);
	return got;
}

static void keep(struct rs_upload *upload, const char *bytes, size_t len)
{
	upload->taken += (curl_off_t)len;
	if (upload->outgrown)
		return;
	if (rs_spool_add(&upload->spool, bytes, len) == 0) {
		upload->cursor += len;
		return;
	}
	upload->outgrown = true;
	rs_spool_clear(&upload->spool);
	upload->cursor = 0;
}

size_t rs_upload_read(char *bytes, size_t size, size_t count, void *user)
{
	struct rs_upload *upload = user;
	size_t got;

	if (upload->stop) {
		upload->stopped_by_us = true;
		return CURL_READFUNC_ABORT;
	}
	if (upload->cursor < upload->spool.len) {
		got = rs_spool_read(&upload->spool, upload->cursor, bytes, size * count);
		upload->cursor += got;
		return got;
	}
	if (upload->ended)
		return 0;
	got = read_program(upload, bytes, size, count);
	if (got == 0)
		upload->ended = true;
	else if (got <= size * count)
		keep(upload, bytes, got);
	return got;
}

int rs_upload_seek(void *user, curl_off_t offset, int whence)
{
	struct rs_upload *upload = user;
	const struct rs_options *o = upload->options;
	int answer;

	if (whence != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	if (upload->serving && !upload->outgrown && offset >= upload->origin &&
	    offset - upload->origin <= (curl_off_t)upload->spool.len) {
		upload->cursor = (size_t)(offset - upload->origin);
		return CURL_SEEKFUNC_OK;
	}
	if (o->seek_fn)
		answer = seek_program(upload, offset);
	else if (o->read_fn)
		answer = CURL_SEEKFUNC_CANTSEEK;
	else /* as libcurl does with its own default reader */
		answer = offset == 0 && fseek(o->read_data, 0, SEEK_SET) == 0
				 ? CURL_SEEKFUNC_OK
				 : CURL_SEEKFUNC_CANTSEEK;
	if (answer == CURL_SEEKFUNC_OK)
		restart(upload, offset);
	return answer;
}
