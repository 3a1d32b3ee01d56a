/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over the files of a directory, without libFuzzer: found crashers as a test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define INPUT_BYTES_MAX (4u << 20)

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *all = malloc(INPUT_BYTES_MAX);
	if (!f || !all) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return 1;
	}
	size_t n = fread(all, 1, INPUT_BYTES_MAX, f);
	fclose(f);

	uint8_t *exact = malloc(n ? n : 1); /* so that the sanitizer sees its end */
	if (!exact)
		return 1;
	for (size_t i = 0; i < n; i++)
		exact[i] = all[i];
	free(all);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
	unsigned n = 0;
	int failed = 0;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	if (!d) {
		printf("0 passed, 0 failed (no crashers)\n");
		return 0;
	}
	for (struct dirent *e; (e = readdir(d));) {
		char path[4096];
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
		failed += replay(path);
		n++;
	}
	closedir(d);
	printf("%u passed, %d failed\n", n, failed);
	return failed != 0;
}
