/*
 * The files that processes share, as somebody else may have left them: any bytes, any length,
 * title, owner, permissions. What is not ours is refused and stays as it is. Of what is taken the
 * quotas hand out no more than they hold, the counters can be told, and what `retryshim stats`
 * prints of them can be read by a terminal and by machines.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cli/verbs.h"
#include "fuzz.h"
#include "retry/ledger.h"
#include "retry/target_key.h"
#include "shared/counters.h"
#include "shared/file.h"

#define BUDGET_TITLE "retryshim budget, version 1\n"
#define NOBODY       65534

static char dir[] = "/dev/shm/rs-fuzz-XXXXXX", path[64];

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	MUST(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	atexit(remove_dir);
	umask(0);
	return 0;
}

/* ---- a file ---- */

struct image {
	char *bytes;
	size_t size; /* of a whole one */
	size_t len;  /* of this one */
};

static uint64_t take_word(struct input *in, unsigned bytes)
{
	uint64_t word = 0;

	while (bytes-- > 0)
		word = word << 8 | take_byte(in);
	return word;
}

static void put_word(const struct image *image, size_t at, uint64_t word)
{
	if (at + sizeof(word) <= image->size)
		memcpy(image->bytes + at, &word, sizeof(word));
}

static void put_slot(const struct image *image, size_t at, const struct rs_counters_slot *slot)
{
	if (at + sizeof(*slot) <= image->size)
		memcpy(image->bytes + at, slot, sizeof(*slot));
}

/* An entry whose key is that of its name, which may be any bytes, and any call. */
static void take_entry(const struct image *image, struct input *in)
{
	unsigned call = take_byte(in) % (RS_CALL_COUNT + 1);
	size_t place = take_word(in, 2) % RS_COUNTERS_SLOTS, copies = take_byte(in) % 4;
	char name[RS_RULE_NAME_SIZE] = "";
	struct rs_span text = take_until(in, '\n');
	struct rs_counters_slot slot = { 0 };

	text.len = text.len < sizeof(name) - 1 ? text.len : sizeof(name) - 1;
	if (text.len > 0)
		memcpy(name, text.at, text.len);
	slot.key = rs_key_of_both(rs_name_key(name), call + 1);
	memcpy((void *)slot.name, name, sizeof(name));
	for (int i = 0; i < RS_COUNTERS; i++)
		slot.counts[i] = take_word(in, 1 + take_byte(in) % 8);
	for (size_t i = 0; i <= copies; i++)
		put_slot(image, offsetof(struct rs_counters, slots) + (place + i) * sizeof(slot),
			 &slot);
}

/* The same bytes over and over from somewhere on: tables are large. */
static void take_pattern(const struct image *image, struct input *in)
{
	size_t at = take_word(in, 3) % image->size, len = take_byte(in) * 64u;
	struct rs_span pattern = take_bytes(in, 1 + take_byte(in) % 32);

	for (size_t i = 0; pattern.len > 0 && i < len && at + i < image->size; i++)
		image->bytes[at + i] = pattern.at[i % pattern.len];
}

static struct image take_image(struct input *in, size_t size, const char *title)
{
	struct image image = { calloc(1, size), size, size };
	unsigned shape = take_byte(in);

	MUST(image.bytes);
	memcpy(image.bytes, title, strlen(title));
	for (unsigned i = take_byte(in) % 16; i > 0; i--) {
		unsigned what = take_byte(in) % 4;

		if (what == 0)
			put_word(&image, 56 + take_word(in, 2) * 8, take_word(in, 8));
		else if (what == 1)
			take_pattern(&image, in);
		else
			take_entry(&image, in);
	}
	if (shape & 1)
		image.bytes[take_byte(in) % RS_TITLE_SIZE] ^= (char)(1 + take_byte(in));
	if (shape & 2)
		image.len = take_word(in, 3) % (size + 1);
	return image;
}

static void write_image(const struct image *image, struct input *in, bool odd)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	MUST(fd >= 0 && write(fd, image->bytes, image->len) == (ssize_t)image->len);
	if (odd)
		MUST(fchmod(fd, take_word(in, 2) & 07777) == 0);
	if (odd && geteuid() == 0 && take_byte(in) & 1)
		MUST(fchown(fd, NOBODY, NOBODY) == 0);
	close(fd);
}

static bool has_bytes(const struct image *image)
{
	char *there = malloc(image->len + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool same;

	MUST(there && (fd >= 0 || errno == EACCES));
	same = fd < 0 || (read(fd, there, image->len + 1) == (ssize_t)image->len &&
			  memcmp(there, image->bytes, image->len) == 0);
	if (fd >= 0)
		close(fd);
	free(there);
	return same;
}

/* NULL: refused. */
static void *map(const struct rs_shared_file *file, const struct image *image)
{
	static const char zeros[sizeof(struct rs_counters)];
	char title[RS_TITLE_SIZE] = "";
	struct stat before;
	const char *why = NULL;
	size_t begun;
	void *at;

	MUST(stat(path, &before) == 0);
	if (rs_shared_map(file, &at, &why) != 0) {
		MUST(why && *why && has_bytes(image));
		return NULL;
	}
	memcpy(title, file->title, strlen(file->title));
	MUST(before.st_uid == geteuid() && !(before.st_mode & 07777 & ~file->allowed));
	MUST(memcmp(at, title, sizeof(title)) == 0);
	MUST(image->len == 0 || memcmp(at, image->bytes, image->len) == 0);
	begun = image->len > 0 ? image->len : sizeof(title);
	MUST(memcmp((char *)at + begun, zeros, file->size - begun) == 0);
	return at;
}

/* ---- the budget ---- */

static void spend(struct rs_ledger *ledger, struct input *in)
{
	struct rs_ledger_bucket bucket = { 1 + take_word(in, 1 + take_byte(in) % 8), 1 };
	uint32_t now_s = (uint32_t)take_word(in, 4);
	int32_t taken = 0, left;

	bucket.key = bucket.key ? bucket.key : 1;
	bucket.capacity += (int32_t)(take_word(in, 4) & 0x3fffffff);
	while (in->left > 0) {
		int32_t cost = (int32_t)(take_word(in, 1 + take_byte(in) % 4) & INT32_MAX);
		int32_t before = rs_ledger_level(ledger, bucket, now_s);

		MUST(before >= 0 && before <= bucket.capacity);
		left = rs_ledger_take(ledger, bucket, cost, now_s);
		/* A bucket that shared a place may have got one of its own, and a spoilt one. */
		MUST(left == -1 || (left >= 0 && left <= bucket.capacity - cost && cost <= before));
		rs_ledger_give(ledger, bucket, cost / 2, now_s);
		MUST(left == -1 || rs_ledger_level(ledger, bucket, now_s) >= left);
		now_s += take_byte(in) * 4;
	}
	/* Without refunds there is an end. */
	for (int i = 0; i < 100; i++) {
		int32_t cost = bucket.capacity / 16 + 1;

		left = rs_ledger_take(ledger, bucket, cost, now_s);
		if (left == -1)
			break;
		taken += cost;
		MUST(taken <= bucket.capacity - left && !rs_ledger_rests(ledger));
	}
	MUST(left == -1);
}

static void use_budget(struct input *in)
{
	const struct rs_shared_file file = {
		.path = path,
		.title = BUDGET_TITLE,
		.size = sizeof(struct rs_ledger),
		.mode = 0600,
		.allowed = 0600,
	};
	struct image image = take_image(in, file.size, BUDGET_TITLE);
	struct rs_ledger *ledger;

	write_image(&image, in, take_byte(in) & 1);
	ledger = map(&file, &image);
	if (ledger) {
		spend(ledger, in);
		munmap(ledger, sizeof(*ledger));
	}
	free(image.bytes);
}

/* ---- the counters ---- */

/* What the verb prints; to be freed. */
static char *printed(const char *option, int *status)
{
	char verb[] = "stats", word[16] = "--";
	char *argv[] = { verb, word, path, NULL }, *text = NULL;
	FILE *kept_out = stdout, *kept_err = stderr;
	size_t size;

	snprintf(word, sizeof(word), "--%s", option);
	stdout = stderr = open_memstream(&text, &size);
	MUST(stdout);
	*status = rs_cli_stats(3, argv);
	fclose(stdout);
	stdout = kept_out;
	stderr = kept_err;
	MUST(text && strlen(text) == size);
	return text;
}

static void check_text(const char *text)
{
	for (; *text; text++)
		MUST((*text >= ' ' && *text < 0x7f) || *text == '\n');
}

/* No series twice: the whole scrape would be refused. */
static void check_series(const char *text)
{
	const char *samples[6 * RS_COUNTED_MOST];
	size_t count = 0;

	for (; *text; text += strcspn(text, "\n") + 1) {
		const char *end = strstr(text, "\"} ");

		if (*text == '#')
			continue;
		MUST(end && end < text + strcspn(text, "\n"));
		for (size_t i = count > 40 ? count - 40 : 0; i < count; i++)
			MUST(strncmp(samples[i], text, (size_t)(end - text) + 3) != 0);
		samples[count++] = text;
	}
}

static void read_counters(unsigned form)
{
	static const char *const options[] = { "", "json", "prometheus" };
	int status;
	char *text = printed(options[form % 3], &status);

	MUST((status == 0 || status == EXIT_FAILURE) && *text);
	check_text(text);
	if (form % 3 == 2 && status == 0)
		check_series(text);
	free(text);
}

static void use_counters(struct input *in)
{
	const struct rs_shared_file file = {
		.path = path,
		.title = RS_COUNTERS_TITLE,
		.size = sizeof(struct rs_counters),
		.mode = 0644,
		.allowed = 0664,
		.roots_too = true,
	};
	struct image image = take_image(in, file.size, RS_COUNTERS_TITLE);
	struct rs_counters *counters;
	unsigned form;

	write_image(&image, in, take_byte(in) & 1);
	form = take_byte(in);
	read_counters(form);
	counters = map(&file, &image);
	if (counters) {
		const struct rs_amounts amounts = { { 1, 2, 3, 4, 5, 6 } };
		char *name = text_copy(take_bytes(in, 300));

		rs_counters_add(counters, take_byte(in) % RS_CALL_COUNT, name, &amounts);
		free(name);
		munmap(counters, sizeof(*counters));
		read_counters(form / 3);
	}
	free(image.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);

	if (take_byte(&in) & 1)
		use_budget(&in);
	else
		use_counters(&in);
	unlink(path);
	return 0;
}
