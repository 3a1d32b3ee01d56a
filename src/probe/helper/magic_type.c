/* SPDX-License-Identifier: MIT */
/* A second opinion from libmagic, for the few files where name and content disagree. */
#include "probe/helper/magic_type.h"

#include <dlfcn.h>
#include <magic.h>

/* The default reads 7 MiB of every file and takes 10 ms for it. */
#define MAGIC_READ_MAX_BYTES 65536

/* Loaded at run time, so that workers which never need it do not carry it. */
struct magic_library {
	magic_t cookie;
	__typeof__(magic_descriptor) *descriptor;
};

static bool magic_load_library(struct magic_library *lib)
{
	void *so = dlopen("libmagic.so.1", RTLD_LAZY | RTLD_LOCAL);
	if (!so)
		return false;
	__typeof__(magic_open) *open_fn = (__typeof__(magic_open) *)dlsym(so, "magic_open");
	__typeof__(magic_load) *load_fn = (__typeof__(magic_load) *)dlsym(so, "magic_load");
	__typeof__(magic_setparam) *set_fn =
		(__typeof__(magic_setparam) *)dlsym(so, "magic_setparam");
	size_t max = MAGIC_READ_MAX_BYTES;

	lib->descriptor = (__typeof__(magic_descriptor) *)dlsym(so, "magic_descriptor");
	if (!open_fn || !load_fn || !set_fn || !lib->descriptor)
		return false;
	lib->cookie = open_fn(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR);
	return lib->cookie && set_fn(lib->cookie, MAGIC_PARAM_BYTES_MAX, &max) == 0 &&
	       load_fn(lib->cookie, NULL) == 0;
}

const char *magic_type_of(const struct source *s)
{
	static struct magic_library lib;
	static enum { NEW, LOADED, FAILED } state; /* one worker, one thread, one cookie */

	if (state == NEW)
		state = magic_load_library(&lib) ? LOADED : FAILED;
	return state == LOADED ? lib.descriptor(lib.cookie, s->fd) : NULL;
}
