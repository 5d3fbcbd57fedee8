/*
 * form URL PART...: send a form of the old kind, with a part for each word, and write what is
 * answered to stdout. A word is `callback`, which the read callback has to read, `pipe`, a file
 * that can be read once, or the name of a file; two names with a comma between are one part.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BYTES "can be read once"

static const char *name_of_pipe(void)
{
	static char name[32];
	int ends[2];

	if (pipe(ends) != 0 || write(ends[1], BYTES, strlen(BYTES)) < 0)
		return "";
	(void)close(ends[1]);
	(void)snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
	return name;
}

static FILE *stream(void)
{
	FILE *file = tmpfile();

	if (file) {
		(void)fputs(BYTES, file);
		rewind(file);
	}
	return file;
}

static const char *file_of(const char *word)
{
	return strcmp(word, "pipe") == 0 ? name_of_pipe() : word;
}

static CURLFORMcode add(struct curl_httppost **form, struct curl_httppost **last, char *word)
{
	char *second = strchr(word, ',');

	if (strcmp(word, "callback") == 0)
		return curl_formadd(form, last, CURLFORM_COPYNAME, "part", CURLFORM_STREAM,
				    stream(), CURLFORM_CONTENTLEN, (curl_off_t)strlen(BYTES),
				    CURLFORM_END);
	if (!second)
		return curl_formadd(form, last, CURLFORM_COPYNAME, "part", CURLFORM_FILECONTENT,
				    file_of(word), CURLFORM_END);
	*second++ = '\0';
	return curl_formadd(form, last, CURLFORM_COPYNAME, "part", CURLFORM_FILE, file_of(word),
			    CURLFORM_FILE, file_of(second), CURLFORM_END);
}

int main(int argc, char **argv)
{
	struct curl_httppost *form = NULL, *last = NULL;
	CURL *easy = curl_easy_init();
	CURLcode result;

	if (argc < 3 || !easy)
		return 2;
	for (int i = 2; i < argc; i++) {
		if (add(&form, &last, argv[i]) != CURL_FORMADD_OK)
			return 2;
	}
	(void)curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPPOST, form);
	result = curl_easy_perform(easy);
	if (result != CURLE_OK)
		(void)fprintf(stderr, "form: %s\n", curl_easy_strerror(result));
	curl_easy_cleanup(easy);
	curl_formfree(form);
	return result != CURLE_OK || fflush(stdout) != 0;
}
