/* SPDX-License-Identifier: MIT */
/* Events: who may subscribe, and what arrives. Subscribers are sockets of the test on loopback. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "dlna/gena.h"
#include "dlna/gena_callback.h"
#include "dlna/gena_changes.h"
#include "fixture.h"

static struct sockaddr_storage ipv4(const char *text)
{
	struct sockaddr_storage ss = { .ss_family = AF_INET };
	EXPECT(inet_pton(AF_INET, text, &((struct sockaddr_in *)&ss)->sin_addr) == 1);
	return ss;
}

/* ---- CALLBACK -------------------------------------------------------------------------------- */

TEST(callback, urls_in_their_order)
{
	struct callback cb[CALLBACKS_MAX];
	size_t n;
	EXPECT_OK(callbacks_parse(SPAN("<http://name/x> <http://10.0.0.5:49152/evt?a=1>"
				       "<HTTP://[fe80::1]><http://10.0.0.6/>"),
				  cb, &n));
	EXPECT_U64(2, n);
	EXPECT_STR("10.0.0.5:49152", cb[0].host);
	EXPECT_STR("/evt?a=1", cb[0].path);
	EXPECT_U64(49152, ntohs(((struct sockaddr_in *)&cb[0].address)->sin_port));
	EXPECT_STR("[fe80::1]", cb[1].host);
	EXPECT_STR("/", cb[1].path);
	EXPECT_U64(80, ntohs(((struct sockaddr_in6 *)&cb[1].address)->sin6_port));
}

TEST(callback, kodis_is_taken)
{
	struct callback cb[CALLBACKS_MAX];
	size_t n;
	EXPECT_OK(callbacks_parse(SPAN("<http://10.77.0.2:1158/0b6c3a42-1c2b-9d3c/urn:upnp-org:"
				       "serviceId:ContentDirectory>"),
				  cb, &n));
	EXPECT_STR("/0b6c3a42-1c2b-9d3c/urn:upnp-org:serviceId:ContentDirectory", cb[0].path);
}

TEST(callback, what_is_not_a_numeric_http_url_is_refused)
{
	static const char *const rows[] = {
		"",
		"http://10.0.0.5/",
		"<>",
		"<http://>",
		"<http://example.org/>",
		"<https://10.0.0.5/>",
		"<http://10.0.0.5:0/>",
		"<http://10.0.0.5:65536/>",
		"<http://10.0.0.5:x/>",
		"<http://user@10.0.0.5/>",
		"<http://10.0.0.5/a b>",
		"<http://10.0.0.5/a\r\nX: y>",
		"<http://10.0.0.5",
		"<http://[fe80::1/>",
		"<http://[fe80::1]x/>",
		"<http://0x7f.1/>",
		"<http://10.0.0.5\\@x/>",
	};
	struct callback cb[CALLBACKS_MAX];
	size_t n;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		EXPECT_ERR(ERR_INVALID, callbacks_parse(span_str(rows[i]), cb, &n));
}

TEST(callback, subnets)
{
	struct sockaddr_storage a = ipv4("10.0.0.5"), b = ipv4("10.0.0.200"), c = ipv4("10.0.1.5");
	struct sockaddr_storage mask = ipv4("255.255.255.0");
	EXPECT(same_subnet(&a, &b, &mask));
	EXPECT(!same_subnet(&a, &c, &mask));
	struct sockaddr_storage local = ipv4("127.0.0.1"), near = ipv4("127.0.0.9"),
				far = ipv4("192.0.2.1");
	EXPECT(address_is_near(&near, &local));
	EXPECT(!address_is_near(&far, &local));
	EXPECT(!address_is_near(&far, &far)); /* not an address of ours */
}

/* ---- changes --------------------------------------------------------------------------------- */

static void change(struct gena_changes *c, uint64_t commit, const char *id)
{
	struct library_change ch = { .commit = commit, .containers_n = 1 };
	snprintf(ch.containers[0], sizeof ch.containers[0], "%s", id);
	gena_changes_add(c, &ch);
}

static void expect_list(const struct gena_changes *c, uint64_t serial, const char *want)
{
	struct buf b;
	buf_init(&b, 1 << 16);
	gena_changes_list(c, serial, &b);
	EXPECT_SPAN(span_str(want), buf_span(&b));
	buf_fini(&b);
}

TEST(changes, each_container_once_with_its_last_update)
{
	static struct gena_changes c;
	change(&c, 5, "AT");
	change(&c, 6, "d1");
	uint64_t told = c.serial;
	change(&c, 7, "AT");
	change(&c, 8, "AT");
	expect_list(&c, 0, "AT,8,d1,6");
	expect_list(&c, told, "AT,8");
	expect_list(&c, c.serial, "");
}

TEST(changes, the_root_stands_for_what_is_forgotten)
{
	static struct gena_changes c;
	change(&c, 1, "0");
	for (unsigned i = 0; i < CHANGES_MAX + 5; i++) {
		char id[16];
		snprintf(id, sizeof id, "d%u", i + 1);
		change(&c, 2 + i, id);
	}
	struct buf b;
	buf_init(&b, 1 << 16);
	gena_changes_list(&c, 0, &b);
	EXPECT(span_starts(buf_span(&b), SPAN("0,134,")));
	buf_fini(&b);
	char want[32];
	snprintf(want, sizeof want, "d%u,%u", CHANGES_MAX + 5, CHANGES_MAX + 6);
	expect_list(&c, c.serial - 1, want);
}

/* ---- a subscriber ---------------------------------------------------------------------------- */

struct subscriber {
	struct fixture fx;
	int listener;
	char callback[128];
	struct gena_request request;
	char sid[GENA_SID_MAX];
};

#define SURELY_MS 20000 /* what happens at all has happened by then, on the slowest machine */

static void subscriber_init(struct subscriber *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof in;

	fixture_init(&s->fx);
	EXPECT_OK(gena_new(&s->fx.dlna, &s->fx.dlna.gena));
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(bind(s->listener, (struct sockaddr *)&in, sizeof in) == 0);
	EXPECT(listen(s->listener, 16) == 0);
	EXPECT(getsockname(s->listener, (struct sockaddr *)&in, &n) == 0);
	snprintf(s->callback, sizeof s->callback, "<http://127.0.0.1:%u/evt>", ntohs(in.sin_port));
	s->request = (struct gena_request){ .nt = SPAN("upnp:event"),
					    .callback = span_str(s->callback),
					    .local = ipv4("127.0.0.1"),
					    .peer = ipv4("127.0.0.1") };
}

static void subscriber_fini(struct subscriber *s)
{
	gena_free(s->fx.dlna.gena);
	close(s->listener);
	fixture_fini(&s->fx);
}

static bool readable_within(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, ms) == 1;
}

/** One NOTIFY: answered with `answer`, its bytes in `out`. */
static void receive(struct subscriber *s, const char *answer, struct buf *out)
{
	EXPECT(readable_within(s->listener, SURELY_MS));
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	EXPECT(fd >= 0);
	buf_init(out, 1 << 20);
	for (;;) {
		char *to = buf_room(out, 4096);
		EXPECT(readable_within(fd, SURELY_MS));
		ssize_t n = read(fd, to, 4096);
		EXPECT(n > 0);
		out->n += (size_t)n;
		if (strstr(buf_cstr(out), "</e:propertyset>"))
			break;
	}
	EXPECT(write(fd, answer, strlen(answer)) == (ssize_t)strlen(answer));
	close(fd);
}

static void body_of(struct buf *message, struct doc *out)
{
	char *body = strstr(buf_cstr(message), "\r\n\r\n");
	EXPECT(body != NULL);
	doc_parse(span_str(body + 4), out);
	EXPECT(out->well_formed);
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static unsigned subscribe(struct subscriber *s, enum upnp_service service)
{
	return gena_subscribe(s->fx.dlna.gena, service, &s->request, s->sid);
}

static void notify(struct subscriber *s, uint64_t commit, const char *id)
{
	struct library_change ch = { .commit = commit, .containers_n = 1 };
	snprintf(ch.containers[0], sizeof ch.containers[0], "%s", id);
	gena_notify(s->fx.dlna.gena, &ch);
}

TEST(gena, the_initial_event_has_every_evented_variable)
{
	struct subscriber s;
	subscriber_init(&s);
	for (unsigned i = 0; i < SERVICES_N; i++) {
		struct buf m;
		struct doc d;
		char want[128];
		size_t evented_n = 0;
		EXPECT_U64(200, subscribe(&s, (enum upnp_service)i));
		receive(&s, OK_ANSWER, &m);
		EXPECT(span_starts(buf_span(&m), SPAN("NOTIFY /evt HTTP/1.1\r\n")));
		snprintf(want, sizeof want, "\r\nSID: %s\r\nSEQ: 0\r\n", s.sid);
		EXPECT(strstr(buf_cstr(&m), want) != NULL);
		EXPECT(strstr(buf_cstr(&m), "\r\nNT: upnp:event\r\nNTS: upnp:propchange\r\n"));
		body_of(&m, &d);
		for (const struct state_variable *v = services[i].variables; v->name; v++) {
			if (!v->evented)
				continue;
			evented_n++;
			EXPECT_U64(1, doc_count(&d, v->name));
			EXPECT_U64(2, doc_find(&d, v->name, 0)->depth);
		}
		EXPECT_U64(evented_n, doc_count(&d, "e:property"));
		doc_fini(&d);
		buf_fini(&m);
	}
	subscriber_fini(&s);
}

TEST(gena, changes_are_moderated_and_the_last_one_arrives)
{
	struct subscriber s;
	struct buf m;
	struct doc d;
	subscriber_init(&s);
	uint64_t began = clock_now_ms(); /* pauses are counted from here: it is before each event */
	EXPECT_U64(200, subscribe(&s, SERVICE_CONTENT_DIRECTORY));
	receive(&s, OK_ANSWER, &m);
	body_of(&m, &d);
	EXPECT_SPAN(SPAN(""), doc_text(&d, "ContainerUpdateIDs", 0));
	doc_fini(&d);
	buf_fini(&m);

	for (uint64_t i = 1; i <= 50; i++)
		notify(&s, i, i % 2 ? "AT" : "d1");
	receive(&s, OK_ANSWER, &m);
	EXPECT(clock_now_ms() - began >= GENA_PAUSE_MS - 100);
	EXPECT(strstr(buf_cstr(&m), "\r\nSEQ: 1\r\n") != NULL);
	body_of(&m, &d);
	EXPECT_SPAN(SPAN("AT,49,d1,50"), doc_text(&d, "ContainerUpdateIDs", 0));
	doc_fini(&d);
	buf_fini(&m);

	notify(&s, 51, "AL");
	receive(&s, OK_ANSWER, &m);
	EXPECT(clock_now_ms() - began >= 2 * GENA_PAUSE_MS - 100);
	body_of(&m, &d);
	EXPECT_SPAN(SPAN("AL,51"), doc_text(&d, "ContainerUpdateIDs", 0));
	doc_fini(&d);
	buf_fini(&m);
	EXPECT(!readable_within(s.listener, 2500)); /* nothing changed, nothing said */
	subscriber_fini(&s);
}

TEST(gena, a_412_ends_the_subscription_and_500_does_not)
{
	struct subscriber s;
	struct buf m;
	struct gena_stats stats;
	subscriber_init(&s);
	EXPECT_U64(200, subscribe(&s, SERVICE_CONNECTION_MANAGER));
	receive(&s, "HTTP/1.1 500 Oops\r\n\r\n", &m);
	buf_fini(&m);
	usleep(100000);
	gena_stats_get(s.fx.dlna.gena, &stats);
	EXPECT_U64(1, stats.subscriptions_n);
	receive(&s, "HTTP/1.1 412 Precondition Failed\r\n\r\n", &m); /* after 5 s, SEQ 0 still */
	EXPECT(strstr(buf_cstr(&m), "\r\nSEQ: 0\r\n") != NULL);
	buf_fini(&m);
	do { /* until the time limit of the case */
		usleep(20000);
		gena_stats_get(s.fx.dlna.gena, &stats);
	} while (stats.subscriptions_n > 0);
	subscriber_fini(&s);
}

TEST(gena, a_subscriber_that_hangs_keeps_nobody_waiting)
{
	struct subscriber s;
	struct buf m;
	char sid[GENA_SID_MAX];
	subscriber_init(&s);
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof in;
	int deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(bind(deaf, (struct sockaddr *)&in, sizeof in) == 0 && listen(deaf, 1) == 0);
	EXPECT(getsockname(deaf, (struct sockaddr *)&in, &n) == 0);
	char callback[64];
	snprintf(callback, sizeof callback, "<http://127.0.0.1:%u/>", ntohs(in.sin_port));
	struct gena_request request = s.request;
	request.callback = span_str(callback);
	EXPECT_U64(200, gena_subscribe(s.fx.dlna.gena, SERVICE_CONTENT_DIRECTORY, &request, sid));
	EXPECT_U64(200, subscribe(&s, SERVICE_CONTENT_DIRECTORY));
	uint64_t began = clock_now_ms();
	receive(&s, OK_ANSWER, &m);
	EXPECT(clock_now_ms() - began < GENA_SEND_LIMIT_MS); /* when the deaf one is given up */
	buf_fini(&m);
	close(deaf);
	subscriber_fini(&s);
}

TEST(gena, the_second_callback_is_tried_when_the_first_refuses)
{
	struct subscriber s;
	struct buf m;
	char both[256];
	subscriber_init(&s);
	snprintf(both, sizeof both, "<http://127.0.0.1:1/>%s", s.callback);
	s.request.callback = span_str(both);
	EXPECT_U64(200, subscribe(&s, SERVICE_REGISTRAR));
	receive(&s, OK_ANSWER, &m);
	buf_fini(&m);
	subscriber_fini(&s);
}

TEST(gena, requests_are_judged_as_uda_says)
{
	struct subscriber s;
	subscriber_init(&s);
	struct gena *g = s.fx.dlna.gena;
	struct gena_request r = s.request;
	char sid[GENA_SID_MAX];
	const enum upnp_service cds = SERVICE_CONTENT_DIRECTORY;

	r.nt = SPAN("upnp:other");
	EXPECT_U64(412, gena_subscribe(g, cds, &r, sid));
	r.nt = (struct span){ NULL, 0 };
	EXPECT_U64(412, gena_subscribe(g, cds, &r, sid));
	r = s.request;
	r.callback = (struct span){ NULL, 0 };
	EXPECT_U64(412, gena_subscribe(g, cds, &r, sid));
	r.callback = SPAN("<http://192.0.2.1/x>"); /* CallStranger */
	EXPECT_U64(412, gena_subscribe(g, cds, &r, sid));

	EXPECT_U64(200, subscribe(&s, cds));
	EXPECT(strncmp(s.sid, "uuid:", 5) == 0 && strlen(s.sid) == 41);
	r = s.request;
	r.sid = span_str(s.sid);
	EXPECT_U64(400, gena_subscribe(g, cds, &r, sid));
	EXPECT_U64(400, gena_unsubscribe(g, cds, &r));
	struct gena_request by_sid = { .sid = span_str(s.sid), .local = r.local, .peer = r.peer };
	EXPECT_U64(200, gena_subscribe(g, cds, &by_sid, sid));
	EXPECT_STR(s.sid, sid);
	EXPECT_U64(412, gena_subscribe(g, SERVICE_CONNECTION_MANAGER, &by_sid, sid));
	EXPECT_U64(200, gena_unsubscribe(g, cds, &by_sid));
	EXPECT_U64(412, gena_unsubscribe(g, cds, &by_sid));
	EXPECT_U64(412, gena_subscribe(g, cds, &by_sid, sid));
	struct gena_request none = { .local = r.local, .peer = r.peer };
	EXPECT_U64(412, gena_unsubscribe(g, cds, &none));
	subscriber_fini(&s);
}

TEST(gena, limits_per_address_and_in_all)
{
	struct subscriber s;
	subscriber_init(&s);
	struct gena *g = s.fx.dlna.gena;
	unsigned n = 0;
	char callback[64], peer[32], sid[GENA_SID_MAX];
	struct gena_request r = s.request;
	for (unsigned i = 0; i < GENA_SUBSCRIPTIONS_PER_ADDRESS_MAX + 3; i++) {
		snprintf(callback, sizeof callback, "<http://127.0.0.1:1/%u>", i);
		r.callback = span_str(callback);
		unsigned status = gena_subscribe(g, SERVICE_CONTENT_DIRECTORY, &r, sid);
		EXPECT_U64(i < GENA_SUBSCRIPTIONS_PER_ADDRESS_MAX ? 200 : 503, status);
	}
	r.callback = SPAN("<http://127.0.0.1:1/3>"); /* it was there before: takes its place */
	EXPECT_U64(200, gena_subscribe(g, SERVICE_CONTENT_DIRECTORY, &r, sid));
	for (unsigned i = 0; i < 100; i++) {
		snprintf(peer, sizeof peer, "127.0.1.%u", i + 1);
		snprintf(callback, sizeof callback, "<http://127.0.0.1:1/p%u>", i);
		r.peer = ipv4(peer);
		r.callback = span_str(callback);
		n += gena_subscribe(g, SERVICE_CONTENT_DIRECTORY, &r, sid) == 200;
	}
	EXPECT_U64(GENA_SUBSCRIPTIONS_MAX - GENA_SUBSCRIPTIONS_PER_ADDRESS_MAX, n);
	subscriber_fini(&s);
}
