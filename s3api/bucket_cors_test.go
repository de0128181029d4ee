package s3api

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const corsDocument = `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<CORSRule><ID>first</ID><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader><ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-version-id</ExposeHeader><MaxAgeSeconds>300</MaxAgeSeconds></CORSRule>
<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>`

// corsHeaders are the CORS headers of an answer.
func (a answer) corsHeaders() map[string]string {
	out := map[string]string{}
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Expose-Headers", "Access-Control-Max-Age", "Access-Control-Allow-Credentials", "Vary"} {
		if v := a.header.Get(name); v != "" {
			out[name] = v
		}
	}
	return out
}

// TestCORS is S165: preflights, and the headers on actual requests.
func TestCORS(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "cors", "us-east-1", false)
	f.put(accountA, "/cors/key", "content")
	f.put(accountA, "/cors?cors", corsDocument)
	golden(t, "cors.xml", f.do(call{method: "GET", target: "/cors?cors"}).body)
	const vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
	first := map[string]string{
		"Access-Control-Allow-Origin": "https://www.example.com", "Access-Control-Allow-Methods": "GET, PUT", "Access-Control-Allow-Credentials": "true",
		"Access-Control-Expose-Headers": "ETag, x-amz-version-id", "Access-Control-Max-Age": "300", "Vary": vary,
	}
	withHeaders := map[string]string{"Access-Control-Allow-Headers": "x-amz-date, content-type"}
	for k, v := range first {
		withHeaders[k] = v
	}
	any := map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET", "Vary": vary}
	for _, tc := range []struct {
		name   string
		call   call
		status int
		want   map[string]string
	}{
		{"preflight", call{method: "OPTIONS", unsigned: true, header: headers("Origin", "https://www.example.com", "Access-Control-Request-Method", "PUT")}, 200, first},
		{"preflight with headers", call{method: "OPTIONS", unsigned: true, header: headers("Origin", "https://www.example.com", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-amz-date, Content-Type")}, 200, withHeaders},
		{"preflight, header not allowed", call{method: "OPTIONS", unsigned: true, header: headers("Origin", "https://www.example.com", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-other")}, 403, map[string]string{}},
		{"preflight, any origin", call{method: "OPTIONS", unsigned: true, header: headers("Origin", "https://elsewhere.org", "Access-Control-Request-Method", "GET")}, 200, any},
		{"preflight, method not allowed", call{method: "OPTIONS", unsigned: true, header: headers("Origin", "https://elsewhere.org", "Access-Control-Request-Method", "PUT")}, 403, map[string]string{}},
		{"preflight, part of an origin", call{method: "OPTIONS", unsigned: true, header: headers("Origin", "https://www.example.com.evil.org", "Access-Control-Request-Method", "PUT")}, 403, map[string]string{}},
		{"request", call{method: "GET", header: headers("Origin", "https://www.example.com")}, 200, first},
		{"request from anywhere", call{method: "GET", header: headers("Origin", "https://elsewhere.org")}, 200, any},
		{"request with another method", call{method: "HEAD", header: headers("Origin", "https://elsewhere.org")}, 200, map[string]string{}},
		{"request without origin", call{method: "GET"}, 200, map[string]string{}},
		{"refused request", call{method: "GET", unsigned: true, header: headers("Origin", "https://www.example.com")}, 403, first},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.call.target = "/cors/key"
			a := f.do(tc.call)
			if diff := cmp.Diff(tc.want, a.corsHeaders()); a.status != tc.status || diff != "" {
				t.Errorf("%d %s (-want +got):\n%s", a.status, a.body, diff)
			}
		})
	}
	refused := f.do(call{method: "OPTIONS", target: "/cors/key", unsigned: true, header: headers("Origin", "https://elsewhere.org", "Access-Control-Request-Method", "PUT")})
	e := f.wantError(refused, 403, "AccessForbidden", "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
	if e.field("Method") != "PUT" || e.field("ResourceType") != "OBJECT" {
		t.Errorf("fields %+v", e.Fields)
	}
	f.wantError(f.do(call{method: "OPTIONS", target: "/cors/key", unsigned: true}), 400, "BadRequest", "Insufficient information. Origin request header needed.")
	if a := f.do(call{method: "DELETE", target: "/cors?cors"}); a.status != http.StatusNoContent {
		t.Errorf("delete: %d", a.status)
	}
	f.wantError(f.do(call{method: "OPTIONS", target: "/cors/key", unsigned: true, header: headers("Origin", "o")}), 403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
}

func TestCORSRefusals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "cors", "us-east-1", false)
	rule := func(inner string) string {
		return "<CORSConfiguration><CORSRule>" + inner + "</CORSRule></CORSConfiguration>"
	}
	many := ""
	for range maxCORSRules + 1 {
		many += "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
	}
	f.wantRefusals(t, "/cors?cors", []refusal{ // S164
		{"method", rule("<AllowedMethod>MYMETHOD</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"), 400, "InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is MYMETHOD", nil},
		{"no rules", "<CORSConfiguration/>", 400, "MalformedXML", malformedXML, nil},
		{"no method", rule("<AllowedOrigin>*</AllowedOrigin>"), 400, "MalformedXML", "", nil},
		{"no origin", rule("<AllowedMethod>GET</AllowedMethod>"), 400, "MalformedXML", "", nil},
		{"two wildcards", rule("<AllowedMethod>GET</AllowedMethod><AllowedOrigin>http://*.*</AllowedOrigin>"), 400, "InvalidRequest", `AllowedOrigin "http://*.*" can not have more than one wildcard.`, nil},
		{"exposed wildcard", rule("<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><ExposeHeader>x-*</ExposeHeader>"), 400, "InvalidRequest", "", nil},
		{"too many", "<CORSConfiguration>" + many + "</CORSConfiguration>", 400, "MalformedXML", "", nil},
		{"two ages", rule("<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>2</MaxAgeSeconds>"), 400, "MalformedXML", "", nil},
	})
}

func FuzzCORS(f *testing.F) {
	f.Add([]byte(corsDocument), "https://www.example.com", "GET")
	f.Fuzz(func(t *testing.T, body []byte, origin, method string) {
		rules, err := parseCORS(body)
		if err != nil {
			return
		}
		if rule, allowed := corsRule(rules, origin, method, nil); rule != nil && allowed != "*" && allowed != origin {
			t.Errorf("origin %q is answered %q", origin, allowed)
		}
	})
}
