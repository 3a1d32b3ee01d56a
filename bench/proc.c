/* SPDX-License-Identifier: MIT */
/* Numbers out of /proc. */
#include "proc.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PROC_BYTES_MAX 4096

uint64_t proc_number(const char *file, const char *name)
{
	char text[PROC_BYTES_MAX];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *p = strstr(text, name);
	uint64_t v = 0;
	while (p && *p && (*p < '0' || *p > '9'))
		p++;
	for (; p && *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	return v;
}

struct proc_io proc_io(void)
{
	return (struct proc_io){ .asked = proc_number("/proc/self/io", "wchar:"),
				 .written = proc_number("/proc/self/io", "write_bytes:") };
}
