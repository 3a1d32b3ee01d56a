/* SPDX-License-Identifier: MIT */
/* Browse over a real library: paging, metadata, update ids, and what real TVs send. */
#include <fcntl.h>

#include "base/clock.h"
#include "base/fd.h"
#include "dlna/handlers.h"
#include "fixture.h"

static void read_request(const char *name, struct buf *out)
{
	char path[512];
	snprintf(path, sizeof path, "%s/requests/%s", DATA_DIR, name);
	EXPECT_OK(fd_read_file(AT_FDCWD, path, 1 << 20, out));
}

static void post_file(struct fixture *fx, enum upnp_service service, const char *name,
		      struct doc *out)
{
	struct buf body = { 0 };
	read_request(name, &body);
	EXPECT_U64(200, fixture_post(fx, service, NULL, buf_span(&body)));
	doc_parse(buf_span(&fx->reply), out);
	EXPECT(out->well_formed);
	buf_fini(&body);
}

TEST(browse, requests_of_real_devices_are_answered)
{
	struct fixture fx;
	struct doc a, d;
	fixture_init(&fx);
	fixture_put_songs(&fx, 5);

	post_file(&fx, SERVICE_CONTENT_DIRECTORY, "samsung_browse.xml", &a);
	fixture_didl(&a, &d);
	EXPECT_U64(fixture_number(&a, "TotalMatches"), doc_count(&d, "container"));
	EXPECT_STR("A", doc_attribute(doc_find(&d, "container", 0), "parentID"));
	doc_fini(&d);
	doc_fini(&a);

	post_file(&fx, SERVICE_CONTENT_DIRECTORY, "philips_browse.xml", &a);
	EXPECT_U64(1, fixture_number(&a, "NumberReturned"));
	EXPECT_U64(4, fixture_number(&a, "TotalMatches"));
	doc_fini(&a);

	post_file(&fx, SERVICE_CONTENT_DIRECTORY, "kodi_browse.xml", &a);
	fixture_didl(&a, &d);
	EXPECT_U64(5, doc_count(&d, "item"));
	EXPECT_STR("0:03:05.120", doc_attribute(doc_find(&d, "res", 0), "duration"));
	doc_fini(&d);
	doc_fini(&a);

	post_file(&fx, SERVICE_CONTENT_DIRECTORY, "xbox_browse.xml", &a);
	EXPECT_U64(0, fixture_number(&a, "TotalMatches"));
	doc_fini(&a);
	post_file(&fx, SERVICE_CONTENT_DIRECTORY, "vlc_browse.xml", &a);
	EXPECT_U64(4, fixture_number(&a, "NumberReturned"));
	doc_fini(&a);
	post_file(&fx, SERVICE_REGISTRAR, "wmp_is_authorized.xml", &a);
	EXPECT_SPAN(SPAN("1"), doc_text(&a, "Result", 0));
	doc_fini(&a);
	fixture_fini(&fx);
}

TEST(browse, samsungs_feature_list_names_containers_that_are_there)
{
	struct fixture fx;
	struct doc a, list, child;
	fixture_init(&fx);
	EXPECT_U64(200,
		   fixture_post(&fx, SERVICE_CONTENT_DIRECTORY, NULL,
				SPAN("<Envelope><Body><X_GetFeatureList/></Body></Envelope>")));
	doc_parse(buf_span(&fx.reply), &a);
	doc_parse(doc_text(&a, "FeatureList", 0), &list);
	EXPECT(a.well_formed && list.well_formed);
	EXPECT_U64(3, doc_count(&list, "container"));
	for (size_t i = 0; i < 3; i++) {
		char id[16];
		snprintf(id, sizeof id, "%s", doc_attribute(doc_find(&list, "container", i), "id"));
		EXPECT_U64(200, fixture_browse(&fx, &(struct browse_args){ .id = id }, &child));
		doc_fini(&child);
	}
	doc_fini(&list);
	doc_fini(&a);
	fixture_fini(&fx);
}

TEST(browse, every_page_is_the_right_part_of_the_whole)
{
	struct fixture fx;
	struct doc all, part, all_didl, part_didl;
	fixture_init(&fx);
	fixture_put_songs(&fx, 57);
	static const char *const ids[] = { "0", "A", "AT", "F", "AR", "y1999" };
	for (size_t k = 0; k < ARRAY_LEN(ids); k++) {
		EXPECT_U64(200, fixture_browse(&fx, &(struct browse_args){ .id = ids[k] }, &all));
		fixture_didl(&all, &all_didl);
		uint64_t total = fixture_number(&all, "TotalMatches");
		EXPECT(total > 0);
		EXPECT_U64(total, fixture_number(&all, "NumberReturned"));
		for (int round = 0; round < 30; round++) {
			unsigned start = (unsigned)(test_random() % (total + 3));
			unsigned count = (unsigned)(test_random() % (total + 3));
			struct browse_args args = { .id = ids[k], .start = start, .count = count };
			uint64_t left = start < total ? total - start : 0;
			uint64_t want = count == 0 ? left : MIN(left, count);
			EXPECT_U64(200, fixture_browse(&fx, &args, &part));
			fixture_didl(&part, &part_didl);
			EXPECT_U64(want, fixture_number(&part, "NumberReturned"));
			EXPECT_U64(total, fixture_number(&part, "TotalMatches"));
			EXPECT_U64(want, doc_count(&part_didl, "dc:title"));
			EXPECT_SPAN(doc_text(&all, "UpdateID", 0), doc_text(&part, "UpdateID", 0));
			for (size_t i = 0; i < want; i++)
				EXPECT_SPAN(doc_text(&all_didl, "dc:title", start + i),
					    doc_text(&part_didl, "dc:title", i));
			doc_fini(&part_didl);
			doc_fini(&part);
		}
		doc_fini(&all_didl);
		doc_fini(&all);
	}
	fixture_fini(&fx);
}

/** Same name, attributes and text, and the same children. */
static void expect_same(const struct doc *a, size_t i, const struct doc *b, size_t j)
{
	unsigned depth = a->nodes[i].depth;
	do {
		EXPECT(i < a->nodes_n && j < b->nodes_n);
		EXPECT_STR(a->nodes[i].name, b->nodes[j].name);
		EXPECT_STR(a->nodes[i].attributes, b->nodes[j].attributes);
		EXPECT_SPAN(buf_span(&a->nodes[i].text), buf_span(&b->nodes[j].text));
		i++, j++;
	} while (i < a->nodes_n && a->nodes[i].depth > depth);
	EXPECT(j == b->nodes_n || b->nodes[j].depth <= depth);
}

static unsigned walk(struct fixture *fx, const char *id, unsigned level)
{
	struct doc answer, didl;
	unsigned seen_n = 0;
	EXPECT(level < 10);
	EXPECT_U64(200, fixture_browse(fx, &(struct browse_args){ .id = id }, &answer));
	fixture_didl(&answer, &didl);
	for (size_t i = 1; i < didl.nodes_n; i++) {
		const struct doc_node *n = &didl.nodes[i];
		struct doc meta, meta_didl;
		char child[64];
		if (n->depth != 1)
			continue;
		seen_n++;
		EXPECT_STR(id, doc_attribute(n, "parentID"));
		snprintf(child, sizeof child, "%s", doc_attribute(n, "id"));
		struct browse_args args = { .id = child, .metadata = true };
		EXPECT_U64(200, fixture_browse(fx, &args, &meta));
		EXPECT_U64(1, fixture_number(&meta, "NumberReturned"));
		EXPECT_U64(1, fixture_number(&meta, "TotalMatches"));
		fixture_didl(&meta, &meta_didl);
		expect_same(&didl, i, &meta_didl, 1);
		if (strcmp(n->name, "container") == 0) {
			struct doc kids;
			args.metadata = false;
			args.count = 1;
			EXPECT_U64(200, fixture_browse(fx, &args, &kids));
			EXPECT_SPAN(doc_text(&meta, "UpdateID", 0), doc_text(&kids, "UpdateID", 0));
			EXPECT_SPAN(doc_text(&kids, "TotalMatches", 0),
				    span_str(doc_attribute(n, "childCount")));
			doc_fini(&kids);
			seen_n += walk(fx, child, level + 1);
		}
		doc_fini(&meta_didl);
		doc_fini(&meta);
	}
	doc_fini(&didl);
	doc_fini(&answer);
	return seen_n;
}

TEST(browse, metadata_of_everything_equals_its_entry_in_the_parent)
{
	struct fixture fx;
	fixture_init(&fx);
	const struct media_file_in others[] = {
		{ .path = SPAN("/m/v/Film.mkv"),
		  .mime_type = SPAN("video/x-matroska"),
		  .kind = MEDIA_KIND_VIDEO,
		  .size = 5,
		  .inode = 901 },
		{ .path = SPAN("/m/p/a & b/x.jpg"),
		  .mime_type = SPAN("image/jpeg"),
		  .kind = MEDIA_KIND_IMAGE,
		  .width = 10,
		  .height = 10,
		  .size = 5,
		  .inode = 902 },
	};
	fixture_put_songs(&fx, 7);
	fixture_put(&fx, others, ARRAY_LEN(others));
	EXPECT(walk(&fx, "0", 0) > 40);
	fixture_fini(&fx);
}

TEST(browse, root_has_no_parent_and_the_systems_update_id)
{
	struct fixture fx;
	struct doc a, d;
	struct browse_args args = { .id = "0", .metadata = true };
	fixture_init(&fx);
	fixture_put_songs(&fx, 1);
	EXPECT_U64(200, fixture_browse(&fx, &args, &a));
	fixture_didl(&a, &d);
	EXPECT_STR("-1", doc_attribute(doc_find(&d, "container", 0), "parentID"));
	struct buf id;
	buf_init(&id, 32);
	content_directory_system_update_id(&fx.dlna, &id);
	EXPECT_SPAN(buf_span(&id), doc_text(&a, "UpdateID", 0));
	buf_fini(&id);
	doc_fini(&d);
	doc_fini(&a);
	fixture_fini(&fx);
}

TEST(browse, wrong_questions_have_their_codes)
{
	struct fixture fx;
	struct doc a;
	fixture_init(&fx);
	fixture_put_songs(&fx, 1);
	static const struct {
		struct browse_args args;
		unsigned want;
	} rows[] = {
		{ { .id = "nope" }, 701 },
		{ { .id = "nope", .metadata = true }, 701 },
		{ { .id = "d99" }, 701 },
		{ { .id = "i1" }, 402 },
		{ { .id = "0", .sort = "+x:nonsense" }, 709 },
		{ { .id = "0", .sort = "-dc:title" }, 709 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EXPECT_U64(500, fixture_browse(&fx, &rows[i].args, &a));
		EXPECT_U64(rows[i].want, fixture_fault(&a));
		doc_fini(&a);
	}
	EXPECT_U64(200, fixture_browse(
				&fx, &(struct browse_args){ .id = "AT", .sort = "+dc:title" }, &a));
	doc_fini(&a);
	fixture_fini(&fx);
}

TEST_LIMIT(browse, a_reply_has_whole_objects_only_however_long_the_list, 120)
{
	struct fixture fx;
	struct doc a, d;
	fixture_init(&fx);
	fixture_put_songs(&fx, 200);
	fx.reply.max = 64 << 10; /* stands for HTTP_REPLY_MAX_BYTES */
	buf_fini(&fx.reply);
	buf_init(&fx.reply, 64 << 10);
	EXPECT_U64(200, fixture_browse(&fx, &(struct browse_args){ .id = "AT" }, &a));
	fixture_didl(&a, &d);
	uint64_t n = fixture_number(&a, "NumberReturned");
	EXPECT(n > 20 && n < 200);
	EXPECT_U64(n, doc_count(&d, "item"));
	EXPECT_U64(200, fixture_number(&a, "TotalMatches"));
	doc_fini(&d);
	doc_fini(&a);
	fixture_fini(&fx);
}

TEST_LIMIT(browse, speed_of_200_items_is_reported, 120)
{
	struct fixture fx;
	struct doc a;
	fixture_init(&fx);
	fixture_put_songs(&fx, 200);
	EXPECT_U64(200, fixture_browse(&fx, &(struct browse_args){ .id = "AT", .count = 200 }, &a));
	doc_fini(&a);
	struct buf body = { 0 };
	read_request("kodi_browse.xml", &body);
	const unsigned rounds = 200;
	uint64_t began = clock_now_ns();
	for (unsigned i = 0; i < rounds; i++) {
		buf_fini(&fx.reply);
		EXPECT_U64(200,
			   fixture_post(&fx, SERVICE_CONTENT_DIRECTORY, NULL, buf_span(&body)));
	}
	uint64_t us = (clock_now_ns() - began) / 1000 / rounds;
	printf("Browse of 200 items: %" PRIu64 " us, %zu bytes\n", us, fx.reply.n);
	buf_fini(&body);
	fixture_fini(&fx);
}
