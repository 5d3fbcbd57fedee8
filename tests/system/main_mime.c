/*
 * mime HOW DRIVEN URL: send a form with a part that a callback gives, and write what is answered,
 * and how it ended.
 *
 *   HOW     seekable; unseekable: without a seek function; stubborn: its seek function fails;
 *           beside: seekable, and there is another form with a part that is not; copied: a copy
 *           of the handle, after the handle is gone
 *   DRIVEN  easy or multi
 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "driven.h"

#define BYTES "the part's bytes"

static size_t given;
static int released;
static const char *how;

static size_t give(char *bytes, size_t size, size_t count, void *user)
{
	size_t left = strlen(BYTES) - given, len = left < size * count ? left : size * count;

	if (user != &given)
		(void)puts("another user pointer");
	memcpy(bytes, &BYTES[given], len);
	given += len;
	return len;
}

static int put_back(void *user, curl_off_t offset, int whence)
{
	(void)user;
	if (strcmp(how, "stubborn") == 0 || whence != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	given = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void release(void *user)
{
	released += user == &given;
}

static curl_mime *form(CURL *easy, curl_seek_callback seek)
{
	curl_mime *mime = curl_mime_init(easy);
	curl_mimepart *part = curl_mime_addpart(mime);

	(void)curl_mime_name(part, "part");
	(void)curl_mime_data_cb(part, (curl_off_t)strlen(BYTES), give, seek, release, &given);
	return mime;
}

static void send_form(CURL *easy, const char *driven)
{
	CURLcode result = driven_by(driven, easy);
	long status = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	(void)printf(" %d %ld", (int)result, status);
}

static CURL *copy_of(CURL *easy)
{
	CURL *copy = curl_easy_duphandle(easy);

	curl_easy_cleanup(easy);
	return copy;
}

int main(int argc, char **argv)
{
	CURL *easy = curl_easy_init();
	curl_mime *mime, *other = NULL;

	if (argc != 4)
		return 2;
	how = argv[1];
	mime = form(easy, strcmp(how, "unseekable") == 0 ? NULL : put_back);
	if (strcmp(how, "beside") == 0)
		other = form(easy, NULL);
	(void)curl_easy_setopt(easy, CURLOPT_URL, argv[3]);
	(void)curl_easy_setopt(easy, CURLOPT_MIMEPOST, mime);
	if (strcmp(how, "copied") == 0) {
		easy = copy_of(easy);
		curl_mime_free(mime);
		mime = NULL;
	}
	send_form(easy, argv[2]);
	curl_easy_cleanup(easy);
	curl_mime_free(mime);
	curl_mime_free(other);
	(void)printf(", %d released\n", released);
	return 0;
}
