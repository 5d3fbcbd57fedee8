/*
 * interleave ROUNDS COMMAND... -- COMMAND... : how long commands take, run in turn.
 *
 * Each round runs every command once, so that what disturbs the machine disturbs all of them. Words
 * NAME=VALUE before a command are its environment on top of ours. Per command, in microseconds: the
 * median of the processor time that it and its children took, which others on the machine disturb
 * least, and that of the time that passed; then the first divided by that of the first command.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MOST 16

struct command {
	char **argv;
	char **env;
	double *us; /* that passed, for each round */
	double *cpu_us;
};

static void give_up(const char *what, int error)
{
	fprintf(stderr, "interleave: %s: %s\n", what, strerror(error));
	exit(1);
}

static void *room(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		give_up("memory", ENOMEM);
	return memory;
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[count / 2];
}

/* Our environment, and what the words before the command say; they end where argv begins. */
static void split_environment(struct command *command)
{
	size_t count = 0, ours = 0;
	char **words = command->argv;

	while (environ[ours])
		ours++;
	while (*command->argv && strchr(*command->argv, '='))
		command->argv++;
	if (!*command->argv)
		give_up("a command is missing", EINVAL);
	command->env = room(ours + (size_t)(command->argv - words) + 1, sizeof(char *));
	while (words < command->argv)
		command->env[count++] = *words++;
	memcpy(command->env + count, environ, ours * sizeof(char *));
}

static size_t split_commands(char **word, struct command *commands, size_t rounds)
{
	size_t count = 0;

	while (*word && count < COMMANDS_MOST) {
		struct command *command = &commands[count++];

		command->argv = word;
		command->us = room(rounds, sizeof(double));
		command->cpu_us = room(rounds, sizeof(double));
		while (*word && strcmp(*word, "--") != 0)
			word++;
		if (*word)
			*word++ = NULL;
		split_environment(command);
	}
	return count;
}

static double us_of(struct timeval time)
{
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static void run(const struct command *command, posix_spawn_file_actions_t *silent, size_t round)
{
	double began = now_us();
	struct rusage usage;
	pid_t child;
	int status;
	int error =
		posix_spawnp(&child, command->argv[0], silent, NULL, command->argv, command->env);

	if (error)
		give_up(command->argv[0], error);
	if (wait4(child, &status, 0, &usage) < 0 || status != 0)
		give_up(command->argv[0], ECANCELED);
	command->us[round] = now_us() - began;
	command->cpu_us[round] = us_of(usage.ru_utime) + us_of(usage.ru_stime);
}

static void print(const struct command *command, size_t rounds, double first)
{
	double cpu = median(command->cpu_us, rounds);

	printf("%10.1f %10.1f %8.3f  %s\n", cpu, median(command->us, rounds),
	       first > 0 ? cpu / first : 1, command->argv[0]);
}

int main(int argc, char **argv)
{
	static struct command commands[COMMANDS_MOST];
	posix_spawn_file_actions_t silent;
	double first;
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, count;

	if (rounds == 0 || argc < 3) {
		fputs("usage: interleave ROUNDS COMMAND... [-- COMMAND...]...\n", stderr);
		return 2;
	}
	count = split_commands(argv + 2, commands, rounds);
	if (count == 0)
		return 2;
	posix_spawn_file_actions_init(&silent);
	posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; i < rounds; i++) {
		/* Another one comes first each time. */
		for (size_t j = 0; j < count; j++)
			run(&commands[(i + j) % count], &silent, i);
	}
	first = median(commands[0].cpu_us, rounds);
	for (size_t j = 0; j < count; j++)
		print(&commands[j], rounds, first);
	return 0;
}
