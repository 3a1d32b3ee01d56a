/* SPDX-License-Identifier: MIT */
/* A device over a real library, asked by SOAP without HTTP. */
#include "fixture.h"

#include "base/num.h"
#include "base/xml.h"
#include "http/http.h"

void fixture_init(struct fixture *fx)
{
	struct library_options options = { .database_dir = test_tmpdir() };
	struct err_info info = { 0 };

	*fx = (struct fixture){ .dlna = { .library = NULL } };
	EXPECT_OK(library_open(&options, &fx->dlna.library, &info));
	EXPECT_OK(cache_new(256 << 10, &fx->dlna.pages));
	buf_init(&fx->reply, HTTP_REPLY_MAX_BYTES);
}

void fixture_fini(struct fixture *fx)
{
	buf_fini(&fx->reply);
	cache_free(fx->dlna.pages);
	library_close(fx->dlna.library);
}

void fixture_put(struct fixture *fx, const struct media_file_in *files, size_t n)
{
	struct batch *b;
	struct batch_result result;

	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_root(b, SPAN("/m"), SPAN("Test")));
	for (size_t i = 0; i < n; i++)
		EXPECT_OK(batch_put(b, &files[i]));
	EXPECT_OK(library_submit_wait(fx->dlna.library, b, &result));
	EXPECT_OK(result.err);
}

void fixture_put_songs(struct fixture *fx, unsigned n)
{
	static char paths[2000][32], titles[2000][32];
	static struct media_file_in files[2000];

	EXPECT(n <= ARRAY_LEN(files));
	for (unsigned i = 0; i < n; i++) {
		snprintf(paths[i], sizeof paths[i], "/m/Song %u.mp3", i + 1);
		snprintf(titles[i], sizeof titles[i], "Song %u", i + 1);
		files[i] = (struct media_file_in){ .path = span_str(paths[i]),
						   .title = span_str(titles[i]),
						   .mime_type = SPAN("audio/mpeg"),
						   .artist = SPAN("Artist A"),
						   .album = SPAN("Album"),
						   .genre = SPAN("Rock"),
						   .track = (uint16_t)(i + 1),
						   .year = 1999,
						   .size = 1000 + i,
						   .duration_ms = 185120,
						   .bitrate = 320000,
						   .sample_rate = 44100,
						   .channels = 2,
						   .audio_codec = SPAN("mp3"),
						   .art_embedded = true,
						   .inode = i + 1,
						   .kind = MEDIA_KIND_AUDIO };
	}
	fixture_put(fx, files, n);
}

unsigned fixture_post(struct fixture *fx, enum upnp_service service, const char *soap_action,
		      struct span body)
{
	struct soap_http request = { .soap_action = span_str(soap_action),
				     .body = body,
				     .local = SPAN("10.0.0.2:8250"),
				     .client = fx->client };

	struct soap_change *change;
	struct batch_result result;

	buf_clear(&fx->reply);
	unsigned status = soap_serve(&fx->dlna, &services[service], &request, &fx->reply, &change);
	if (!change)
		return status;
	EXPECT_U64(200, status);
	enum err e = library_submit_wait(fx->dlna.library, change->batch, &result);
	change->batch = NULL;
	status = soap_changed(&fx->dlna, change, e == ERR_OK ? result.err : e, &fx->reply);
	soap_change_free(change);
	return status;
}

unsigned fixture_browse(struct fixture *fx, const struct browse_args *args, struct doc *out)
{
	struct buf body;

	buf_init(&body, 1 << 20);
	buf_addf(&body,
		 "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
		 "<u:Browse xmlns:u=\"urn:schemas-upnp-org:service:ContentDirectory:1\">"
		 "<ObjectID>%s</ObjectID><BrowseFlag>%s</BrowseFlag><Filter>%s</Filter>"
		 "<StartingIndex>%u</StartingIndex><RequestedCount>%u</RequestedCount>"
		 "<SortCriteria>%s</SortCriteria></u:Browse></s:Body></s:Envelope>",
		 args->id, args->metadata ? "BrowseMetadata" : "BrowseDirectChildren",
		 args->filter ? args->filter : "*", args->start, args->count,
		 args->sort ? args->sort : "");
	unsigned status = fixture_post(fx, SERVICE_CONTENT_DIRECTORY, NULL, buf_span(&body));
	buf_fini(&body);
	doc_parse(buf_span(&fx->reply), out);
	EXPECT(out->well_formed);
	return status;
}

unsigned fixture_search(struct fixture *fx, const struct search_args *args, struct doc *out)
{
	struct buf body;

	buf_init(&body, 1 << 20);
	buf_addf(&body,
		 "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
		 "<u:Search xmlns:u=\"urn:schemas-upnp-org:service:ContentDirectory:1\">"
		 "<ContainerID>%s</ContainerID><SearchCriteria>",
		 args->id);
	xml_add_text(&body, span_str(args->criteria), 1);
	buf_addf(&body,
		 "</SearchCriteria><Filter>*</Filter>"
		 "<StartingIndex>%u</StartingIndex><RequestedCount>%u</RequestedCount>"
		 "<SortCriteria>%s</SortCriteria></u:Search></s:Body></s:Envelope>",
		 args->start, args->count, args->sort ? args->sort : "");
	unsigned status = fixture_post(fx, SERVICE_CONTENT_DIRECTORY, NULL, buf_span(&body));
	buf_fini(&body);
	doc_parse(buf_span(&fx->reply), out);
	EXPECT(out->well_formed);
	return status;
}

uint64_t fixture_number(const struct doc *answer, const char *name)
{
	uint64_t v = 0;

	EXPECT_OK(num_parse_u64(doc_text(answer, name, 0), 0, UINT64_MAX, &v));
	return v;
}

void fixture_didl(const struct doc *answer, struct doc *out)
{
	doc_parse(doc_text(answer, "Result", 0), out);
	EXPECT(out->well_formed);
}

uint64_t fixture_fault(const struct doc *answer)
{
	EXPECT_SPAN(SPAN("s:Client"), doc_text(answer, "faultcode", 0));
	EXPECT_SPAN(SPAN("UPnPError"), doc_text(answer, "faultstring", 0));
	return fixture_number(answer, "errorCode");
}
