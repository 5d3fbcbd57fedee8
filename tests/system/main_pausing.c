/*
 * pausing HOW DRIVEN URL: a transfer that pauses, and a line of what came of it.
 *
 *   HOW     between: at the first piece, which it takes, with curl_easy_pause(); it goes on from
 *           the progress callback
 *           never-on: at each piece, for ever; the transfer has 300 ms
 *           late-N: when libcurl has three bytes, all that there are, at the Nth time that the
 *           progress callback is asked after, for ever; likewise
 *   DRIVEN  easy or multi
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	CURL *easy;
	bool never, paused;
	long late;
	int unwanted, asked;
	size_t got;
	CURLcode answer;
} pausing;

static size_t take(char *bytes, size_t size, size_t count, void *user)
{
	(void)bytes, (void)user;
	pausing.unwanted += pausing.paused;
	if (pausing.never) {
		pausing.paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (pausing.got == 0 && !pausing.late) {
		pausing.paused = true;
		pausing.answer = curl_easy_pause(pausing.easy, CURLPAUSE_RECV);
	}
	pausing.got += size * count;
	return size * count;
}

static void pause_late(void)
{
	curl_off_t got = 0;

	(void)curl_easy_getinfo(pausing.easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
	if (got == 3 && ++pausing.asked == pausing.late)
		(void)curl_easy_pause(pausing.easy, CURLPAUSE_RECV);
}

static int go_on(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)user, (void)a, (void)b, (void)c, (void)d;
	if (pausing.late)
		pause_late();
	if (pausing.paused && !pausing.never && ++pausing.asked == 3) {
		pausing.paused = false;
		(void)curl_easy_pause(pausing.easy, CURLPAUSE_CONT);
	}
	return 0;
}

static CURLcode drive(void)
{
	CURLM *multi = curl_multi_init();
	int running = 1, left;
	CURLMsg *msg = NULL;
	CURLcode result;

	(void)curl_multi_add_handle(multi, pausing.easy);
	while (running) {
		(void)curl_multi_perform(multi, &running);
		if (running) /* the progress callback of one that is paused is not asked else */
			(void)curl_multi_poll(multi, NULL, 0, 50, NULL);
	}
	msg = curl_multi_info_read(multi, &left);
	result = msg ? msg->data.result : CURLE_FAILED_INIT;
	(void)curl_multi_remove_handle(multi, pausing.easy);
	(void)curl_multi_cleanup(multi);
	return result;
}

static void set_time(void)
{
	bool is_short = pausing.never || pausing.late;

	(void)curl_easy_setopt(pausing.easy, CURLOPT_TIMEOUT_MS, is_short ? 300L : 10000L);
}

int main(int argc, char **argv)
{
	char error[CURL_ERROR_SIZE] = "";
	CURLcode result;

	if (argc != 4)
		return 2;
	pausing.easy = curl_easy_init();
	pausing.never = strcmp(argv[1], "never-on") == 0;
	if (strncmp(argv[1], "late-", 5) == 0)
		pausing.late = strtol(argv[1] + 5, NULL, 10);
	(void)curl_easy_setopt(pausing.easy, CURLOPT_URL, argv[3]);
	(void)curl_easy_setopt(pausing.easy, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(pausing.easy, CURLOPT_XFERINFOFUNCTION, go_on);
	(void)curl_easy_setopt(pausing.easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(pausing.easy, CURLOPT_ERRORBUFFER, error);
	set_time();
	result = strcmp(argv[2], "easy") == 0 ? curl_easy_perform(pausing.easy) : drive();
	(void)printf("result %d, pause %d, %zu bytes, %d unwanted, %.19s %s\n", (int)result,
		     (int)pausing.answer, pausing.got, pausing.unwanted, error,
		     strstr(error, "with") ? strstr(error, "with") : "");
	curl_easy_cleanup(pausing.easy);
	return 0;
}
