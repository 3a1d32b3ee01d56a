/* SPDX-License-Identifier: MIT */
/* Planning: the disk's entries against the store's, in all the ways they can differ. */
#include "scanner/plan.h"

#include <stdlib.h>

#include "harness.h"
#include "library/library.h"

#define NAMES_MAX 600

struct store {
	struct plan_known known[NAMES_MAX];
	size_t n, at;
	bool suits;
};

static bool store_next(void *ctx, struct plan_known *out)
{
	struct store *s = ctx;

	if (s->at == s->n)
		return false;
	*out = s->known[s->at++];
	return true;
}

static bool store_suits(void *ctx, const struct walk_entry *entry)
{
	(void)entry;
	return ((struct store *)ctx)->suits;
}

struct fixture {
	struct walk_entry entries[NAMES_MAX];
	struct walk_entries disk;
	struct store store;
	struct arena arena;
	struct plan plan;
};

static void fixture_init(struct fixture *fx)
{
	*fx = (struct fixture){ .store.suits = true };
	fx->disk.items = fx->entries;
	arena_init(&fx->arena, 16u << 20);
}

static struct span key_of(struct arena *a, struct span name)
{
	uint8_t key[COLLATE_KEY_MAX];

	return arena_dup(a, span_of(key, library_collate_key(name, key)));
}

static struct walk_entry *on_disk(struct fixture *fx, const char *name, uint64_t size,
				  int64_t mtime)
{
	struct walk_entry *e = &fx->entries[fx->disk.n++];

	*e = (struct walk_entry){ .name = span_str(name), .size = size, .mtime_ns = mtime };
	e->key = key_of(&fx->arena, e->name);
	return e;
}

static void in_store(struct fixture *fx, const char *name, uint64_t id, uint64_t size,
		     int64_t mtime)
{
	fx->store.known[fx->store.n++] = (struct plan_known){
		.name = span_str(name), .id = id, .size = size, .mtime_ns = mtime
	};
}

static int by_key(const void *a, const void *b)
{
	const struct walk_entry *x = a;
	const struct walk_entry *y = b;
	int order = span_cmp(x->key, y->key);

	return order ? order : span_cmp(x->name, y->name);
}

static void make(struct fixture *fx, bool whole)
{
	struct plan_source source = { store_next, store_suits, &fx->store };

	qsort(fx->entries, fx->disk.n, sizeof *fx->entries, by_key);
	EXPECT_OK(plan_make(&fx->plan, &fx->disk, whole, &source, &fx->arena));
}

static void fixture_fini(struct fixture *fx)
{
	plan_fini(&fx->plan);
	arena_fini(&fx->arena);
}

static const struct plan_action *find(const struct fixture *fx, const char *name)
{
	for (size_t i = 0; i < fx->plan.n; i++) {
		const struct plan_action *a = &fx->plan.actions[i];
		struct span n = a->kind == PLAN_REMOVED ? a->name : fx->entries[a->entry].name;

		if (span_eq(n, span_str(name)))
			return a;
	}
	return NULL;
}

TEST(plan, unchanged_directory_makes_no_action)
{
	struct fixture fx;

	fixture_init(&fx);
	in_store(&fx, "2.mp3", 7, 10, 100);
	in_store(&fx, "10.mp3", 8, 11, 101);
	on_disk(&fx, "10.mp3", 11, 101);
	on_disk(&fx, "2.mp3", 10, 100);
	make(&fx, true);
	EXPECT_U64(0, fx.plan.n);
	EXPECT_U64(2, fx.plan.same_n);
	EXPECT_U64(7, fx.entries[0].known_id);
	EXPECT_U64(8, fx.entries[1].known_id);
	fixture_fini(&fx);
}

TEST(plan, size_and_time_to_the_nanosecond_decide_what_changed)
{
	struct fixture fx;

	fixture_init(&fx);
	in_store(&fx, "a.mp3", 1, 10, 100);
	in_store(&fx, "b.mp3", 2, 10, 100);
	in_store(&fx, "c.mp3", 3, 10, 100);
	on_disk(&fx, "a.mp3", 11, 100);
	on_disk(&fx, "b.mp3", 10, 101);
	on_disk(&fx, "c.mp3", 10, 100);
	make(&fx, true);
	EXPECT_U64(2, fx.plan.n);
	EXPECT(find(&fx, "a.mp3")->kind == PLAN_CHANGED);
	EXPECT_U64(1, find(&fx, "a.mp3")->id);
	EXPECT(find(&fx, "b.mp3")->kind == PLAN_CHANGED);
	fixture_fini(&fx);
}

TEST(plan, new_and_removed_names_are_told_apart)
{
	struct fixture fx;

	fixture_init(&fx);
	in_store(&fx, "a.mp3", 1, 10, 100);
	in_store(&fx, "c.mp3", 3, 10, 100);
	on_disk(&fx, "b.mp3", 1, 1);
	on_disk(&fx, "c.mp3", 10, 100);
	on_disk(&fx, "d.mp3", 1, 1);
	make(&fx, true);
	EXPECT_U64(3, fx.plan.n);
	EXPECT(find(&fx, "a.mp3")->kind == PLAN_REMOVED);
	EXPECT(find(&fx, "b.mp3")->kind == PLAN_NEW);
	EXPECT(find(&fx, "d.mp3")->kind == PLAN_NEW);
	EXPECT_U64(1, fx.plan.removed_n);
	fixture_fini(&fx);
}

TEST(plan, names_that_collate_alike_are_different_names)
{
	struct fixture fx;

	fixture_init(&fx);
	in_store(&fx, "track.mp3", 1, 1, 1); /* ties come in the order of ids */
	in_store(&fx, "TRACK.mp3", 2, 2, 2);
	in_store(&fx, "Track.mp3", 3, 3, 3);
	on_disk(&fx, "TRACK.mp3", 2, 2);
	on_disk(&fx, "Track.mp3", 9, 9);
	on_disk(&fx, "tRACK.mp3", 4, 4);
	make(&fx, true);
	EXPECT_U64(3, fx.plan.n);
	EXPECT_U64(1, fx.plan.same_n);
	EXPECT(find(&fx, "track.mp3")->kind == PLAN_REMOVED);
	EXPECT(find(&fx, "Track.mp3")->kind == PLAN_CHANGED);
	EXPECT_U64(3, find(&fx, "Track.mp3")->id);
	EXPECT(find(&fx, "tRACK.mp3")->kind == PLAN_NEW);
	fixture_fini(&fx);
}

TEST(plan, store_in_another_order_removes_nothing)
{
	struct fixture fx;

	fixture_init(&fx);
	in_store(&fx, "z.mp3", 1, 1, 1);
	in_store(&fx, "a.mp3", 2, 1, 1);
	in_store(&fx, "m.mp3", 3, 1, 1);
	on_disk(&fx, "a.mp3", 1, 1);
	on_disk(&fx, "m.mp3", 1, 1);
	on_disk(&fx, "z.mp3", 1, 1);
	make(&fx, true);
	EXPECT_U64(0, fx.plan.n);
	EXPECT_U64(3, fx.plan.same_n);
	fixture_fini(&fx);
}

TEST(plan, partial_listing_removes_nothing)
{
	struct fixture fx;

	fixture_init(&fx);
	in_store(&fx, "a.mp3", 1, 1, 1);
	in_store(&fx, "b.mp3", 2, 1, 1);
	on_disk(&fx, "b.mp3", 1, 1);
	make(&fx, false);
	EXPECT_U64(0, fx.plan.n);
	fixture_fini(&fx);
}

TEST(plan, entries_to_be_left_alone_stay_as_they_are)
{
	struct fixture fx;

	fixture_init(&fx);
	in_store(&fx, "a.mp3", 1, 1, 1);
	on_disk(&fx, "a.mp3", 0, 0)->leave = true;
	on_disk(&fx, "b.mp3", 0, 0)->leave = true;
	make(&fx, true);
	EXPECT_U64(0, fx.plan.n);
	EXPECT_U64(1, fx.plan.same_n);
	fixture_fini(&fx);
}

TEST(plan, record_that_no_longer_suits_is_stale)
{
	struct fixture fx;

	fixture_init(&fx);
	fx.store.suits = false;
	in_store(&fx, "a.mp3", 1, 1, 1);
	on_disk(&fx, "a.mp3", 1, 1);
	make(&fx, true);
	EXPECT(find(&fx, "a.mp3")->kind == PLAN_STALE);
	fixture_fini(&fx);
}

TEST(plan, file_that_was_not_examined_is_looked_at_again)
{
	struct fixture fx;

	fixture_init(&fx);
	in_store(&fx, "a.mp3", 1, 1, 1);
	in_store(&fx, "b.mp3", 2, 1, 1);
	in_store(&fx, "c.mp3", 3, 1, 1);
	fx.store.known[0].unexamined = fx.store.known[1].unexamined = true;
	on_disk(&fx, "a.mp3", 1, 1);
	on_disk(&fx, "b.mp3", 2, 1);
	on_disk(&fx, "c.mp3", 1, 1);
	make(&fx, true);
	EXPECT_U64(2, fx.plan.n);
	EXPECT_U64(1, fx.plan.same_n);
	EXPECT(find(&fx, "a.mp3")->kind == PLAN_UNEXAMINED);
	EXPECT_U64(1, find(&fx, "a.mp3")->id);
	EXPECT(find(&fx, "b.mp3")->kind == PLAN_CHANGED);
	fixture_fini(&fx);
}

/* Random names of few letters in both cases, so that many collate alike. */
TEST(plan, random_directories_agree_with_a_naive_comparison)
{
	for (int round = 0; round < 200; round++) {
		static char names[NAMES_MAX][8];
		struct fixture fx;
		size_t n = test_random() % 120;
		size_t changed = 0, added = 0, removed = 0, same = 0;

		fixture_init(&fx);
		struct walk_entry known[NAMES_MAX];
		size_t known_n = 0;
		for (size_t i = 0; i < n; i++) {
			bool twice = false;
			for (int c = 0; c < 3; c++)
				names[i][c] = "aAbB12"[test_random() % 6];
			names[i][3] = '\0';
			for (size_t k = 0; k < i; k++)
				twice |= strcmp(names[i], names[k]) == 0;
			if (twice)
				continue;
			uint64_t what = test_random() % 4;
			if (what != 0)
				on_disk(&fx, names[i], 1, what == 1 ? 2 : 1);
			if (what != 3)
				known[known_n++] = (struct walk_entry){
					.name = span_str(names[i]),
					.key = key_of(&fx.arena, span_str(names[i])),
				};
			changed += what == 1;
			same += what == 2;
			added += what == 3;
			removed += what == 0;
		}
		if (known_n > 0)
			qsort(known, known_n, sizeof *known, by_key);
		for (size_t i = 0; i < known_n; i++)
			in_store(&fx, known[i].name.p, i + 1, 1, 1);
		make(&fx, true);
		EXPECT_U64(changed + added + removed, fx.plan.n);
		EXPECT_U64(removed, fx.plan.removed_n);
		EXPECT_U64(same, fx.plan.same_n);
		fixture_fini(&fx);
	}
}
