/* SPDX-License-Identifier: MIT */
/* SOAP: what is read, what is refused, and with which code. */
#include <stdlib.h>

#include "fixture.h"

#define ENVELOPE(body)                                                                             \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>" body          \
	"</s:Body></s:Envelope>"
#define CDS "urn:schemas-upnp-org:service:ContentDirectory:1"
#define CM "urn:schemas-upnp-org:service:ConnectionManager:1"

static enum err parse(struct span body)
{
	struct soap_request r;
	enum err e = soap_request_parse(body, &r);

	soap_request_fini(&r);
	return e;
}

TEST(soap_parse, reads_any_prefix_and_keeps_entities_resolved)
{
	struct soap_request r;
	EXPECT_OK(soap_request_parse(SPAN(ENVELOPE("<u:Do xmlns:u=\"urn:x\"><u:A>1 &lt; 2</u:A>"
						   "<B xmlns=\"y\"/></u:Do>")),
				     &r));
	EXPECT_SPAN(SPAN("urn:x"), r.name_space);
	EXPECT_SPAN(SPAN("Do"), r.action);
	EXPECT_U64(2, r.arguments_n);
	EXPECT_SPAN(SPAN("A"), r.arguments[0].name);
	EXPECT_SPAN(SPAN("1 < 2"), r.arguments[0].value);
	EXPECT_SPAN(SPAN("B"), r.arguments[1].name);
	EXPECT_SPAN(SPAN(""), r.arguments[1].value);
	EXPECT(!r.surplus);
	soap_request_fini(&r);
}

TEST(soap_parse, a_header_and_slack_around_the_document_do_no_harm)
{
	EXPECT_OK(parse(span_of(
		"\r\n <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
		"<s:Header><a><b><c>x</c></b></a></s:Header><s:Body><u:X xmlns:u=\"u\"/></s:Body>"
		"</s:Envelope>\n\0",
		sizeof "\r\n <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
		       "<s:Header><a><b><c>x</c></b></a></s:Header><s:Body><u:X "
		       "xmlns:u=\"u\"/></s:Body>"
		       "</s:Envelope>\n\0")));
}

TEST(soap_parse, what_is_no_envelope_is_invalid)
{
	EXPECT_ERR(ERR_INVALID, parse(SPAN("")));
	EXPECT_ERR(ERR_INVALID, parse(SPAN("hello")));
	EXPECT_ERR(ERR_INVALID, parse(SPAN("<Envelope>")));
	EXPECT_ERR(ERR_INVALID, parse(SPAN("<a><b><c/></b></a>")));
	EXPECT_ERR(ERR_INVALID, parse(SPAN("<Envelope><Body></Body></Envelope>")));
	EXPECT_ERR(ERR_INVALID, parse(SPAN("<Envelope><Head><A/></Head></Envelope>")));
	EXPECT_ERR(ERR_INVALID, parse(SPAN(ENVELOPE("<A/><B/>"))));
	EXPECT_ERR(ERR_INVALID, parse(SPAN(ENVELOPE("<x:A/>")))); /* undeclared prefix */
	EXPECT_ERR(ERR_INVALID, parse(SPAN(ENVELOPE("<A>\x01</A>"))));
	EXPECT_ERR(ERR_INVALID, parse(SPAN(ENVELOPE("<A>\xff</A>"))));
	EXPECT_ERR(ERR_INVALID, parse(SPAN(ENVELOPE("<A>&nbsp;</A>"))));
}

TEST(soap_parse, no_dtd_so_no_entity_bomb)
{
	EXPECT_ERR(ERR_INVALID,
		   parse(SPAN("<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY a \"lol\">"
			      "<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"
			      "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">"
			      "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]>" ENVELOPE(
				      "<u:Browse xmlns:u=\"" CDS
				      "\"><ObjectID>&d;</ObjectID></u:Browse>"))));
	EXPECT_ERR(ERR_INVALID,
		   parse(SPAN("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">" ENVELOPE("<A/>"))));
}

TEST(soap_parse, depth_and_size_are_bounded)
{
	struct buf b;
	buf_init(&b, 4 << 20);
	for (int i = 0; i < 16000; i++)
		buf_add_str(&b, "<a>");
	EXPECT_ERR(ERR_INVALID, parse(buf_span(&b))); /* the first is no Envelope */
	buf_clear(&b);
	buf_add_str(&b, "<Envelope><Body>");
	for (int i = 0; i < 16000; i++)
		buf_add_str(&b, "<a>");
	EXPECT_ERR(ERR_LIMIT, parse(buf_span(&b)));
	for (int i = 0; i < 84000; i++)
		buf_add_str(&b, "<a>");
	EXPECT_ERR(ERR_LIMIT, parse(buf_span(&b)));
	buf_fini(&b);
}

TEST(soap_parse, one_of_64_kib_is_still_read)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	buf_add_str(&b, "<Envelope><Body><A><Filter>");
	while (b.n < SOAP_BODY_MAX_BYTES - 64)
		buf_add_str(&b, "upnp:artist,");
	buf_add_str(&b, "</Filter></A></Body></Envelope>");
	EXPECT_OK(parse(buf_span(&b)));
	buf_fini(&b);
}

/* ---- codes ----------------------------------------------------------------------------------- */

static uint64_t fault_of(enum upnp_service service, const char *soap_action, const char *body)
{
	struct fixture fx;
	struct doc answer;
	fixture_init(&fx);
	unsigned status = fixture_post(&fx, service, soap_action, span_str(body));
	doc_parse(buf_span(&fx.reply), &answer);
	uint64_t code = status;
	if (status == 500) {
		EXPECT(answer.well_formed);
		code = fixture_fault(&answer);
		EXPECT(doc_text(&answer, "errorDescription", 0).n > 0);
	}
	doc_fini(&answer);
	fixture_fini(&fx);
	return code;
}

#define BROWSE(args) ENVELOPE("<u:Browse xmlns:u=\"" CDS "\">" args "</u:Browse>")
#define REST                                                                                       \
	"<Filter/><StartingIndex>0</StartingIndex><RequestedCount>0</"                             \
	"RequestedCount><SortCriteria/>"

TEST(soap, codes_of_wrong_calls)
{
	const enum upnp_service cds = SERVICE_CONTENT_DIRECTORY;
	EXPECT_U64(401, fault_of(cds, NULL, ENVELOPE("<u:Fly xmlns:u=\"" CDS "\"/>")));
	EXPECT_U64(401, fault_of(cds, NULL, ENVELOPE("<u:GetProtocolInfo xmlns:u=\"" CM "\"/>")));
	EXPECT_U64(401, fault_of(cds, "\"" CDS "#Search\"",
				 ENVELOPE("<u:GetSystemUpdateID xmlns:u=\"" CDS "\"/>")));
	EXPECT_U64(402, fault_of(cds, NULL, BROWSE("")));
	EXPECT_U64(
		402,
		fault_of(cds, NULL,
			 BROWSE("<ObjectID>0</ObjectID><BrowseFlag>Sideways</BrowseFlag>" REST)));
	EXPECT_U64(402,
		   fault_of(cds, NULL,
			    BROWSE("<ObjectID>0</ObjectID><BrowseFlag>BrowseMetadata</BrowseFlag>"
				   "<Filter/><StartingIndex>x</StartingIndex>"
				   "<RequestedCount>0</RequestedCount><SortCriteria/>")));
	EXPECT_U64(402,
		   fault_of(cds, NULL,
			    BROWSE("<ObjectID>0</ObjectID><BrowseFlag>BrowseMetadata</BrowseFlag>"
				   "<Filter/><StartingIndex>0</StartingIndex>"
				   "<RequestedCount>-1</RequestedCount><SortCriteria/>")));
	EXPECT_U64(402, fault_of(cds, NULL,
				 BROWSE("<ObjectID>0</ObjectID><ObjectID>0</ObjectID>"
					"<BrowseFlag>BrowseMetadata</BrowseFlag>" REST)));
	EXPECT_U64(402, fault_of(cds, NULL,
				 BROWSE("<ObjectID>0</ObjectID><Extra/>"
					"<BrowseFlag>BrowseMetadata</BrowseFlag>" REST)));
	EXPECT_U64(701, fault_of(cds, NULL,
				 BROWSE("<ObjectID></ObjectID>"
					"<BrowseFlag>BrowseMetadata</BrowseFlag>" REST)));
	EXPECT_U64(701, fault_of(cds, NULL,
				 BROWSE("<ObjectID>d0cs</ObjectID>"
					"<BrowseFlag>BrowseDirectChildren</BrowseFlag>" REST)));
	EXPECT_U64(400, fault_of(cds, NULL, "GET / HTTP/1.1"));
}

TEST(soap, soapaction_may_be_missing_or_bare)
{
	const char *body = ENVELOPE("<u:GetSystemUpdateID xmlns:u=\"" CDS "\"/>");
	EXPECT_U64(200, fault_of(SERVICE_CONTENT_DIRECTORY, NULL, body));
	EXPECT_U64(200, fault_of(SERVICE_CONTENT_DIRECTORY, "", body));
	EXPECT_U64(200, fault_of(SERVICE_CONTENT_DIRECTORY, CDS "#GetSystemUpdateID", body));
	EXPECT_U64(200,
		   fault_of(SERVICE_CONTENT_DIRECTORY, " \"" CDS "#GetSystemUpdateID\" ", body));
	EXPECT_U64(200,
		   fault_of(SERVICE_CONTENT_DIRECTORY, NULL, ENVELOPE("<GetSystemUpdateID/>")));
}

TEST(soap, the_answer_has_the_namespace_of_the_question)
{
	struct fixture fx;
	struct doc answer;
	fixture_init(&fx);
	EXPECT_U64(
		200,
		fixture_post(&fx, SERVICE_CONTENT_DIRECTORY, NULL,
			     SPAN(ENVELOPE("<m:GetSortCapabilities xmlns:m=\"urn:schemas-upnp-org:"
					   "service:ContentDirectory:2\"/>"))));
	doc_parse(buf_span(&fx.reply), &answer);
	EXPECT(answer.well_formed);
	EXPECT_STR("urn:schemas-upnp-org:service:ContentDirectory:2",
		   doc_attribute(doc_find(&answer, "u:GetSortCapabilitiesResponse", 0), "xmlns:u"));
	EXPECT_SPAN(SPAN(""), doc_text(&answer, "SortCaps", 0));
	doc_fini(&answer);
	fixture_fini(&fx);
}

TEST(soap, query_state_variable_answers_values_and_404)
{
	struct fixture fx;
	struct doc answer;
	fixture_init(&fx);
#define QUERY(name)                                                                                \
	SPAN(ENVELOPE("<u:QueryStateVariable xmlns:u=\"urn:schemas-upnp-org:control-1-0\">"        \
		      "<u:varName>" name "</u:varName></u:QueryStateVariable>"))
	EXPECT_U64(200, fixture_post(&fx, SERVICE_CONNECTION_MANAGER, NULL,
				     QUERY("CurrentConnectionIDs")));
	doc_parse(buf_span(&fx.reply), &answer);
	EXPECT_SPAN(SPAN("0"), doc_text(&answer, "return", 0));
	doc_fini(&answer);
	EXPECT_U64(500, fixture_post(&fx, SERVICE_CONNECTION_MANAGER, NULL, QUERY("Nonsense")));
	doc_parse(buf_span(&fx.reply), &answer);
	EXPECT_U64(404, fixture_fault(&answer));
	doc_fini(&answer);
	fixture_fini(&fx);
}

/* ---- the other services ---------------------------------------------------------------------- */

TEST(connection_manager, answers_its_one_connection)
{
	struct fixture fx;
	struct doc a;
	fixture_init(&fx);
#define INFO(id)                                                                                   \
	SPAN(ENVELOPE("<u:GetCurrentConnectionInfo xmlns:u=\"" CM "\"><ConnectionID>" id           \
		      "</ConnectionID></u:GetCurrentConnectionInfo>"))
	EXPECT_U64(200, fixture_post(&fx, SERVICE_CONNECTION_MANAGER, NULL, INFO("0")));
	doc_parse(buf_span(&fx.reply), &a);
	static const char *const want[][2] = {
		{ "RcsID", "-1" },
		{ "AVTransportID", "-1" },
		{ "ProtocolInfo", "" },
		{ "PeerConnectionManager", "" },
		{ "PeerConnectionID", "-1" },
		{ "Direction", "Output" },
		{ "Status", "OK" },
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		EXPECT_SPAN(span_str(want[i][1]), doc_text(&a, want[i][0], 0));
	doc_fini(&a);

	EXPECT_U64(500, fixture_post(&fx, SERVICE_CONNECTION_MANAGER, NULL, INFO("1")));
	doc_parse(buf_span(&fx.reply), &a);
	EXPECT_U64(706, fixture_fault(&a));
	doc_fini(&a);
	EXPECT_U64(500, fixture_post(&fx, SERVICE_CONNECTION_MANAGER, NULL, INFO("x")));
	doc_parse(buf_span(&fx.reply), &a);
	EXPECT_U64(402, fixture_fault(&a));
	doc_fini(&a);

	EXPECT_U64(200,
		   fixture_post(&fx, SERVICE_CONNECTION_MANAGER, NULL,
				SPAN(ENVELOPE("<u:GetCurrentConnectionIDs xmlns:u=\"" CM "\"/>"))));
	doc_parse(buf_span(&fx.reply), &a);
	EXPECT_SPAN(SPAN("0"), doc_text(&a, "ConnectionIDs", 0));
	doc_fini(&a);
	EXPECT_U64(200, fixture_post(&fx, SERVICE_CONNECTION_MANAGER, NULL,
				     SPAN(ENVELOPE("<u:GetProtocolInfo xmlns:u=\"" CM "\"/>"))));
	doc_parse(buf_span(&fx.reply), &a);
	EXPECT(span_contains(doc_text(&a, "Source", 0),
			     SPAN("http-get:*:audio/mpeg:DLNA.ORG_PN=MP3,")));
	EXPECT_SPAN(SPAN(""), doc_text(&a, "Sink", 0));
	doc_fini(&a);
	fixture_fini(&fx);
}

TEST(registrar, lets_everyone_in)
{
	struct fixture fx;
	struct doc a;
	fixture_init(&fx);
#define MRR(action, args)                                                                          \
	SPAN(ENVELOPE("<u:" action                                                                 \
		      " xmlns:u=\"urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1\">" args \
		      "</u:" action ">"))
	EXPECT_U64(200,
		   fixture_post(&fx, SERVICE_REGISTRAR, NULL, MRR("IsValidated", "<DeviceID/>")));
	doc_parse(buf_span(&fx.reply), &a);
	EXPECT_SPAN(SPAN("1"), doc_text(&a, "Result", 0));
	doc_fini(&a);
	EXPECT_U64(200, fixture_post(&fx, SERVICE_REGISTRAR, NULL,
				     MRR("RegisterDevice",
					 "<RegistrationReqMsg>AAAA</RegistrationReqMsg>")));
	doc_parse(buf_span(&fx.reply), &a);
	EXPECT_SPAN(SPAN(""), doc_text(&a, "RegistrationRespMsg", 0));
	doc_fini(&a);
	fixture_fini(&fx);
}
