/* SPDX-License-Identifier: MIT */
/* The tree of watched directories: found by (parent, name) and by watch descriptor. */
#include "scanner/watch_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>

#include "base/buf.h"

#define FIRST_BUCKETS 64

#define WATCH_MASK                                                                                 \
	(IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB |        \
	 IN_ONLYDIR | IN_EXCL_UNLINK)
#define WATCH_MASK_ROOT (WATCH_MASK | IN_DELETE_SELF | IN_MOVE_SELF)

uint64_t watch_hash(struct span name)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 0x100000001b3u;
	return h;
}

static struct span node_name(const struct watch_node *n)
{
	return span_of(n->name, n->name_n);
}

static size_t name_bucket(const struct watch *w, const struct watch_node *parent, uint16_t root,
			  struct span name)
{
	uint64_t h = watch_hash(name) ^ ((uintptr_t)parent * 0x9e3779b97f4a7c15u) ^ root;

	return (h ^ h >> 32) & (w->buckets_n - 1);
}

static size_t wd_bucket(const struct watch *w, int wd)
{
	return (unsigned)wd & (w->buckets_n - 1);
}

static void link_wd(struct watch *w, struct watch_node *n, int wd)
{
	struct watch_node **head = &w->by_wd[wd_bucket(w, wd)];

	n->wd = wd;
	n->wd_next = *head;
	*head = n;
	w->watches_n++;
}

static void unlink_wd(struct watch *w, struct watch_node *n)
{
	struct watch_node **at = &w->by_wd[wd_bucket(w, n->wd)];

	while (*at != n)
		at = &(*at)->wd_next;
	*at = n->wd_next;
	n->wd = -1;
	w->watches_n--;
}

struct watch_node *watch_by_wd(const struct watch *w, int wd, const struct watch_node *after)
{
	struct watch_node *n = after ? after->wd_next : w->by_wd[wd_bucket(w, wd)];

	while (n && n->wd != wd)
		n = n->wd_next;
	return n;
}

void watch_forget_wd(struct watch *w, struct watch_node *node)
{
	if (node->wd >= 0)
		unlink_wd(w, node);
}

/* Takes the watch away, unless the directory is also reached another way. */
static void release_wd(struct watch *w, struct watch_node *n)
{
	int wd = n->wd;

	if (wd < 0)
		return;
	unlink_wd(w, n);
	if (!watch_by_wd(w, wd, NULL))
		inotify_rm_watch(w->fd, wd);
}

static void link_name(struct watch *w, struct watch_node *n)
{
	struct watch_node **head = &w->by_name[name_bucket(w, n->parent, n->root, node_name(n))];

	n->name_next = *head;
	*head = n;
}

static void unlink_name(struct watch *w, struct watch_node *n)
{
	struct watch_node **at = &w->by_name[name_bucket(w, n->parent, n->root, node_name(n))];

	while (*at != n)
		at = &(*at)->name_next;
	*at = n->name_next;
}

static enum err tables_new(struct watch *w, size_t buckets_n)
{
	struct watch_node **by_name = calloc(buckets_n, sizeof *by_name);
	struct watch_node **by_wd = calloc(buckets_n, sizeof *by_wd);

	if (!by_name || !by_wd) {
		free(by_name);
		free(by_wd);
		return ERR_NOMEM;
	}
	w->by_name = by_name;
	w->by_wd = by_wd;
	w->buckets_n = buckets_n;
	return ERR_OK;
}

/* Twice the buckets; without memory the chains just get longer. */
static void tables_grow(struct watch *w)
{
	struct watch_node **by_name = w->by_name;
	struct watch_node **by_wd = w->by_wd;
	size_t n = w->buckets_n;

	if (tables_new(w, n * 2) != ERR_OK)
		return;
	w->watches_n = 0;
	for (size_t i = 0; i < n; i++) {
		for (struct watch_node *node = by_name[i], *next; node; node = next) {
			next = node->name_next;
			link_name(w, node);
		}
		for (struct watch_node *node = by_wd[i], *next; node; node = next) {
			next = node->wd_next;
			link_wd(w, node, node->wd);
		}
	}
	free(by_name);
	free(by_wd);
}

static struct watch_node *find(const struct watch *w, const struct watch_node *parent,
			       uint16_t root, struct span name)
{
	struct watch_node *n = w->by_name[name_bucket(w, parent, root, name)];

	while (n && (n->parent != parent || n->root != root || !span_eq(node_name(n), name)))
		n = n->name_next;
	return n;
}

struct watch_node *watch_find(const struct watch *w, const struct watch_node *parent,
			      struct span name)
{
	return find(w, parent, parent->root, name);
}

struct watch_node *watch_root(const struct watch *w, uint16_t root)
{
	struct watch_node *n = w->roots;

	while (n && n->root != root)
		n = n->next;
	return n;
}

static struct watch_node *node_new(struct watch *w, struct watch_node *parent, uint16_t root,
				   struct span name)
{
	struct watch_node *n = calloc(1, sizeof *n + name.n + 1);

	if (!n)
		return NULL;
	if (++w->nodes_n > w->buckets_n)
		tables_grow(w);
	n->parent = parent;
	n->root = root;
	n->wd = -1;
	n->name_n = (uint16_t)name.n;
	memcpy(n->name, name.p, name.n);
	struct watch_node **head = parent ? &parent->child_first : &w->roots;
	n->next = *head;
	if (n->next)
		n->next->prev = n;
	*head = n;
	link_name(w, n);
	return n;
}

static void set_polled(struct watch *w, struct watch_node *n, bool polled)
{
	if (n->polled != polled)
		w->polled_n += polled ? 1 : (uint64_t)-1;
	n->polled = polled;
}

enum err watch_enter(struct watch *w, struct watch_node *parent, uint16_t root, struct span name,
		     int dir_fd, struct watch_node **out)
{
	char path[64];

	if (name.n > UINT16_MAX)
		return ERR_RANGE;
	struct watch_node *n = find(w, parent, root, name);
	if (!n)
		n = node_new(w, parent, root, name);
	if (!n)
		return ERR_NOMEM;
	/* By the open directory: a path could lead elsewhere by now, or be too long. */
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", dir_fd);
	int wd = inotify_add_watch(w->fd, path, parent ? WATCH_MASK : WATCH_MASK_ROOT);
	int why = wd < 0 ? errno : 0;
	if (n->wd >= 0 && n->wd != wd)
		release_wd(w, n);
	if (wd >= 0 && n->wd != wd)
		link_wd(w, n, wd);
	set_polled(w, n, wd < 0);
	*out = n;
	if (wd >= 0)
		return ERR_OK;
	return why == ENOSPC || why == ENOMEM ? ERR_LIMIT : ERR_UNSUPPORTED;
}

void watch_undirty(struct watch *w, struct watch_node *n)
{
	if (!n->dirty)
		return;
	*(n->dirty_prev ? &n->dirty_prev->dirty_next : &w->dirty_first) = n->dirty_next;
	*(n->dirty_next ? &n->dirty_next->dirty_prev : &w->dirty_last) = n->dirty_prev;
	n->dirty_next = n->dirty_prev = NULL;
	n->dirty = false;
}

/* Out of every table, without its children. */
static void detach(struct watch *w, struct watch_node *n)
{
	if (n->dropped)
		return;
	release_wd(w, n);
	set_polled(w, n, false);
	watch_undirty(w, n);
	unlink_name(w, n);
	n->dropped = true;
	w->nodes_n--;
}

/* Children first; the tree stays linked for watch_sweep(). */
static void detach_tree(struct watch *w, struct watch_node *n)
{
	for (struct watch_node *c = n->child_first; c; c = c->next)
		detach_tree(w, c);
	detach(w, n);
}

void watch_drop(struct watch *w, struct watch_node *node)
{
	if (!node || node->dropped)
		return;
	detach_tree(w, node);
	*(node->prev	 ? &node->prev->next
	  : node->parent ? &node->parent->child_first
			 : &w->roots) = node->next;
	if (node->next)
		node->next->prev = node->prev;
	node->prev = NULL;
	node->next = w->dropped;
	w->dropped = node;
}

static void free_tree(struct watch *w, struct watch_node *n)
{
	for (struct watch_node *c = n->child_first, *next; c; c = next) {
		next = c->next;
		free_tree(w, c);
	}
	detach(w, n); /* the walk may have entered it after all above it was dropped */
	for (unsigned i = 0; i < w->writers_n; i++)
		if (w->writers[i].node == n)
			w->writers[i].node = NULL;
	free(n);
}

void watch_sweep(struct watch *w)
{
	while (w->dropped) {
		struct watch_node *n = w->dropped;

		w->dropped = n->next;
		free_tree(w, n);
	}
}

void watch_unstamp(struct watch *w)
{
	w->stamp++;
}

void watch_keep(struct watch *w, struct watch_node *child)
{
	child->stamp = w->stamp;
}

void watch_drop_unkept(struct watch *w, struct watch_node *node)
{
	for (struct watch_node *c = node->child_first, *next; c; c = next) {
		next = c->next;
		if (c->stamp != w->stamp)
			watch_drop(w, c);
	}
}

void watch_set_unstored(struct watch *w, struct watch_node *node)
{
	for (; node && node->unstored != w->unstored; node = node->parent)
		node->unstored = w->unstored;
}

bool watch_is_unstored(const struct watch *w, const struct watch_node *node)
{
	return node->unstored == w->unstored;
}

void watch_all_stored(struct watch *w)
{
	if (++w->unstored == 0)
		w->unstored = 1;
}

enum err watch_new(struct watch **out)
{
	struct watch *w = calloc(1, sizeof *w);

	if (!w)
		return ERR_NOMEM;
	w->unstored = 1;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	enum err e = w->fd < 0 ? err_from_errno(errno) : tables_new(w, FIRST_BUCKETS);
	if (e != ERR_OK) {
		watch_free(w);
		return e;
	}
	*out = w;
	return ERR_OK;
}

uint64_t watch_len(const struct watch *w)
{
	return w->watches_n;
}

bool watch_has_polled(const struct watch *w)
{
	return w->polled_n > 0;
}

void watch_poll(struct watch *w, struct watch_node *node)
{
	set_polled(w, node, true);
}

static void each_polled(struct watch_node *n, void (*fn)(void *ctx, struct watch_node *node),
			void *ctx)
{
	for (; n; n = n->next) {
		if (n->polled)
			fn(ctx, n);
		else
			each_polled(n->child_first, fn, ctx);
	}
}

void watch_each_polled(struct watch *w, void (*fn)(void *ctx, struct watch_node *node), void *ctx)
{
	each_polled(w->roots, fn, ctx);
}

void watch_add_path(const struct watch_node *node, struct buf *out)
{
	if (!node->parent)
		return;
	watch_add_path(node->parent, out);
	if (out->n > 0)
		buf_add_char(out, '/');
	buf_add(out, node_name(node));
}
