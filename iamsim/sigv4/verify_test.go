package sigv4

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// signedPut is a PUT that the SDK signed, as the server reads it.
func signedPut(t testing.TB) *http.Request {
	r := newRequest(t, "PUT", "/bucket/key?tagging&x=1", []byte("hello"))
	r.Header.Set("X-Amz-Meta-A", "b")
	r.Header.Set("Content-Type", "text/plain")
	sdkSign(t, r, "s3", "token", hexSHA256([]byte("hello")))
	return overTheWire(t, r)
}

func presignedPut(t testing.TB) *http.Request {
	r := newRequest(t, "PUT", "/bucket/key?tagging&x=1", []byte("hello"))
	r.Header.Set("X-Amz-Meta-A", "b")
	return overTheWire(t, sdkPresign(t, r, "s3", "token", "300", unsignedPayload))
}

// Whatever is changed after signing, verification must fail.
func TestTampering(t *testing.T) {
	inAuth := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, strings.ReplaceAll(old, "/", "%2F"), strings.ReplaceAll(new, "/", "%2F"), 1)
		}
	}
	setHeader := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	setQuery := func(f func(string) string) func(*http.Request) {
		return func(r *http.Request) { r.URL.RawQuery = f(r.URL.RawQuery) }
	}
	tests := map[string]struct {
		change func(*http.Request)
		only   Form // FormNone: both
		kind   Kind // None: BadSignature
	}{
		"method":            {change: func(r *http.Request) { r.Method = "GET" }},
		"path":              {change: func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "key", "kex", 1) }},
		"path slash":        {change: func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "/key", "//key", 1) }},
		"path encoding":     {change: func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "t/key", "t%2Fkey", 1) }},
		"query added":       {change: setQuery(func(q string) string { return q + "&y=1" })},
		"query dropped":     {change: setQuery(func(q string) string { return strings.Replace(q, "x=1", "", 1) })},
		"query changed":     {change: setQuery(func(q string) string { return strings.Replace(q, "x=1", "x=2", 1) })},
		"query renamed":     {change: setQuery(func(q string) string { return strings.Replace(q, "tagging", "acl", 1) })},
		"host":              {change: func(r *http.Request) { r.Host = "evil" }},
		"header":            {change: setHeader("X-Amz-Meta-A", "c")},
		"header dropped":    {change: func(r *http.Request) { r.Header.Del("X-Amz-Meta-A") }},
		"header repeated":   {change: func(r *http.Request) { r.Header.Add("X-Amz-Meta-A", "c") }},
		"content type":      {change: setHeader("Content-Type", "text/html"), only: FormHeader},
		"content length":    {change: func(r *http.Request) { r.ContentLength++; r.Header.Del("Content-Length") }},
		"payload hash":      {change: setHeader("X-Amz-Content-Sha256", unsignedPayload), only: FormHeader},
		"payload query":     {change: setQuery(func(q string) string { return q + "&X-Amz-Content-Sha256=" + emptyHash }), only: FormQuery},
		"token":             {change: setHeader("X-Amz-Security-Token", "tokem"), only: FormHeader},
		"token in query":    {change: setQuery(func(q string) string { return strings.Replace(q, "=token", "=tokem", 1) }), only: FormQuery},
		"expires":           {change: setQuery(func(q string) string { return strings.Replace(q, "Expires=300", "Expires=301", 1) }), only: FormQuery},
		"time":              {change: setHeader("X-Amz-Date", "20260304T050608Z"), only: FormHeader},
		"time in query":     {change: setQuery(func(q string) string { return strings.Replace(q, "T050607Z", "T050608Z", 1) }), only: FormQuery},
		"access key":        {change: inAuth(testKey+"/", "AKIDEXAMPLF/"), only: FormQuery},
		"scope date":        {change: inAuth("/20260304/", "/20260305/"), kind: ScopeDateMismatch},
		"scope region":      {change: inAuth("/us-east-1/", "/us-east-2/"), kind: WrongRegion},
		"scope service":     {change: inAuth("/s3/", "/s4/"), kind: WrongService},
		"signed headers":    {change: inAuth("host;", "host;range;"), only: FormHeader},
		"host not signed":   {change: inAuth("host;", ""), only: FormHeader, kind: HostNotSigned},
		"header not signed": {change: inAuth("x-amz-meta-a;", ""), only: FormHeader, kind: HeadersNotSigned},
		"extra header":      {change: setHeader("X-Amz-Acl", "public-read"), kind: HeadersNotSigned},
		"signature": {change: func(r *http.Request) {
			swap := strings.NewReplacer("Signature=0", "Signature=1", "Signature=1", "Signature=2", "Signature=2", "Signature=3",
				"Signature=3", "Signature=4", "Signature=4", "Signature=5", "Signature=5", "Signature=6", "Signature=6", "Signature=7",
				"Signature=7", "Signature=8", "Signature=8", "Signature=9", "Signature=9", "Signature=a", "Signature=a", "Signature=b",
				"Signature=b", "Signature=c", "Signature=c", "Signature=d", "Signature=d", "Signature=e", "Signature=e", "Signature=f",
				"Signature=f", "Signature=0")
			r.Header.Set("Authorization", swap.Replace(r.Header.Get("Authorization")))
			r.URL.RawQuery = swap.Replace(r.URL.RawQuery)
		}},
		"signature cut": {change: func(r *http.Request) {
			if a := r.Header.Get("Authorization"); a != "" {
				r.Header.Set("Authorization", a[:len(a)-1])
			} else {
				r.URL.RawQuery = r.URL.RawQuery[:len(r.URL.RawQuery)-1]
			}
		}},
	}
	forms := map[Form]func(testing.TB) *http.Request{FormHeader: signedPut, FormQuery: presignedPut}
	for name, tt := range tests {
		for form, request := range forms {
			if tt.only != FormNone && tt.only != form {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", name, form), func(t *testing.T) {
				r := request(t)
				if form == FormQuery {
					r.Header.Del("Authorization")
				}
				if err := mustParse(t, r).Verify(testTime, testSecret, s3Opts); err != nil {
					t.Fatalf("before the change: %v", err)
				}
				hadAuth := len(r.Header["Authorization"]) > 0
				tt.change(r)
				if !hadAuth {
					r.Header.Del("Authorization")
				}
				s, err := Parse(r)
				if err == nil {
					err = s.Verify(testTime, testSecret, s3Opts)
				}
				want := tt.kind
				if want == None {
					want = BadSignature
				}
				asError(t, err, want)
			})
		}
	}
}

func TestBadSignatureShowsWork(t *testing.T) {
	r := signedPut(t)
	s := mustParse(t, r)
	if err := s.Verify(testTime, testSecret, s3Opts); err != nil { // a later failure must take this back
		t.Fatal(err)
	}
	e := asError(t, s.Verify(testTime, "wrong", s3Opts), BadSignature)
	wantRequest := strings.Join([]string{
		"PUT", "/bucket/key", "tagging=&x=1", "content-length:5", "content-type:text/plain", "host:" + testHost,
		"x-amz-content-sha256:" + hexSHA256([]byte("hello")), "x-amz-date:20260304T050607Z", "x-amz-meta-a:b",
		"x-amz-security-token:token", "",
		"content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token",
		hexSHA256([]byte("hello")),
	}, "\n")
	want := &Error{
		Kind: BadSignature, Form: FormHeader, AccessKeyID: testKey, Scope: testScope, CanonicalRequest: wantRequest,
		StringToSign:      "AWS4-HMAC-SHA256\n20260304T050607Z\n20260304/us-east-1/s3/aws4_request\n" + hexSHA256([]byte(wantRequest)),
		SignatureProvided: s.Signature,
	}
	if d := cmp.Diff(e, want, cmpopts.IgnoreUnexported(Error{})); d != "" {
		t.Error(d)
	}
	defer func() {
		if recover() == nil {
			t.Error("Body of an unverified request must panic")
		}
	}()
	_, _ = s.Body(r.Body)
}

func TestTimes(t *testing.T) {
	header, query := mustParse(t, signedPut(t)), mustParse(t, presignedPut(t))
	tests := map[string]struct {
		signed *Signed
		after  time.Duration
		want   Kind
	}{
		"header oldest":      {header, MaxSkew, None},
		"header too old":     {header, MaxSkew + time.Second, Skewed},
		"header newest":      {header, -MaxSkew, None},
		"header too new":     {header, -MaxSkew - time.Second, Skewed},
		"presigned last":     {query, 5 * time.Minute, None},
		"presigned expired":  {query, 5*time.Minute + time.Second, Expired},
		"presigned ahead":    {query, -MaxSkew, None},
		"presigned too soon": {query, -MaxSkew - time.Second, NotYetValid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			now := testTime.Add(tt.after)
			err := tt.signed.Verify(now, testSecret, s3Opts)
			if tt.want == None {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := asError(t, err, tt.want)
			if !e.RequestTime.Equal(testTime) || !e.ServerTime.Equal(now) {
				t.Errorf("times %v, %v", e.RequestTime, e.ServerTime)
			}
			if tt.want == Expired && (e.Expires != 5*time.Minute || !e.ExpiresAt.Equal(testTime.Add(e.Expires))) {
				t.Errorf("expires %v at %v", e.Expires, e.ExpiresAt)
			}
		})
	}
}

// A15: exactly these headers are listed, sorted.
func TestHeadersNotSigned(t *testing.T) {
	r := presignedPut(t)
	r.Header.Set("X-Amz-Decoded-Content-Length", "5")
	r.Header.Set("X-Amz-Date", "20260304T050607Z")
	r.Header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
	r.Header.Set("X-Amzn-Trace-Id", "Root=1")
	r.Header.Set("Amz-Sdk-Request", "attempt=1")
	s := mustParse(t, r)
	e := asError(t, s.Verify(testTime, testSecret, s3Opts), HeadersNotSigned)
	if d := cmp.Diff(e.Headers, []string{"x-amz-date", "x-amz-decoded-content-length"}); d != "" {
		t.Error(d)
	}
	if err := s.Verify(testTime, testSecret, Options{}); KindOf(err) == HeadersNotSigned {
		t.Error("only S3 asks for all headers")
	}
}

// In the header form the exception for x-amz-content-sha256 does not hold.
func TestPayloadHeaderNotSigned(t *testing.T) {
	r := newRequest(t, "GET", "/bucket/key", nil)
	sdkSign(t, r, "s3", "", emptyHash)
	r = overTheWire(t, r)
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "x-amz-content-sha256;", "", 1))
	e := asError(t, mustParse(t, r).Verify(testTime, testSecret, s3Opts), HeadersNotSigned)
	if d := cmp.Diff(e.Headers, []string{"x-amz-content-sha256"}); d != "" {
		t.Error(d)
	}
}

// A14: a payload header that is not signed frames the body and leaves the signature alone.
func TestPresignedPayloadHeader(t *testing.T) {
	r := presignedPut(t)
	r.Header.Set("X-Amz-Content-Sha256", emptyHash)
	s := mustParse(t, r)
	if err := s.Verify(testTime, testSecret, s3Opts); err != nil {
		t.Fatal(err)
	}
	if s.Payload() != PayloadHash {
		t.Errorf("payload %v", s.Payload())
	}

	signed := newRequest(t, "PUT", "/bucket/key", []byte("hello"))
	signed.Header.Set("X-Amz-Content-Sha256", emptyHash)
	s = mustParse(t, overTheWire(t, sdkPresign(t, signed, "s3", "", "60", emptyHash)))
	if err := s.Verify(testTime, testSecret, s3Opts); err != nil {
		t.Fatal(err)
	}
}

func TestPayloadDeclaration(t *testing.T) {
	const a = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
	for value, want := range map[string]Kind{
		"": MissingContentSHA256, "abc": InvalidContentSHA256, "unsigned-payload": InvalidContentSHA256,
		strings.Repeat("g", 64): InvalidContentSHA256, a: SigV4A, a + "-TRAILER": SigV4A,
		unsignedPayload: None, emptyHash: None, "STREAMING-UNSIGNED-PAYLOAD-TRAILER": None,
	} {
		t.Run(value, func(t *testing.T) {
			r := newRequest(t, "PUT", "/bucket/key", nil)
			sdkSign(t, r, "s3", "", value)
			r = overTheWire(t, r)
			if value == "" {
				r.Header.Del("X-Amz-Content-Sha256")
			}
			err := mustParse(t, r).Verify(testTime, testSecret, s3Opts)
			if want == None {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e := asError(t, err, want); e.Value != value {
				t.Errorf("value %q", e.Value)
			}
		})
	}
}

func TestScopeExpectations(t *testing.T) {
	s := mustParse(t, signedPut(t))
	e := asError(t, s.Verify(testTime, testSecret, Options{S3: true, Service: "iam"}), WrongService)
	if e.Value != "s3" || e.Expected != "iam" {
		t.Errorf("%+v", e)
	}
	e = asError(t, s.Verify(testTime, testSecret, Options{S3: true, Region: "eu-west-1"}), WrongRegion)
	if e.Value != "us-east-1" || e.Expected != "eu-west-1" {
		t.Errorf("%+v", e)
	}
	var v Verifier
	for range 2 { // with the key derived, then remembered
		if err := v.Verify(s, testTime, testSecret, Options{S3: true}); err != nil {
			t.Errorf("any service and region: %v", err)
		}
	}
	asError(t, v.Verify(s, testTime, "other secret", Options{S3: true}), BadSignature)
	asError(t, v.Verify(s, testTime, testSecret, Options{Service: "iam"}), WrongService)
	if got, want := s.Scope.String(), "20260304/us-east-1/s3/aws4_request"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A proxy may hand the target on in absolute form; the signature covers the path only.
func TestAbsoluteTarget(t *testing.T) {
	r := signedPut(t)
	r.RequestURI = "http://" + testHost + r.RequestURI
	if err := mustParse(t, r).Verify(testTime, testSecret, s3Opts); err != nil {
		t.Error(err)
	}
}

func TestAuthenticate(t *testing.T) {
	var v Verifier
	lookups := 0
	lookup := func(key, token string) (string, error) {
		lookups++
		if key != testKey || token != "token" {
			return "", &Error{Kind: UnknownKey, AccessKeyID: key}
		}
		return testSecret, nil
	}
	got, err := v.Authenticate(mustParse(t, signedPut(t)), testTime, lookup, s3Opts)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Credentials{testKey, testSecret, "token"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	_, err = v.Authenticate(mustParse(t, signedPut(t)), testTime.Add(time.Hour), lookup, s3Opts)
	asError(t, err, Skewed)
	if lookups != 1 {
		t.Errorf("%d lookups; a skewed request needs none", lookups)
	}
	_, err = v.Authenticate(mustParse(t, signedPut(t)), testTime, func(string, string) (string, error) {
		return "", &Error{Kind: ExpiredToken}
	}, s3Opts)
	asError(t, err, ExpiredToken)
	broken := errors.New("store is down")
	_, err = v.Authenticate(mustParse(t, signedPut(t)), testTime, func(string, string) (string, error) { return "", broken }, s3Opts)
	if !errors.Is(err, broken) || KindOf(err) != None {
		t.Errorf("got %v", err)
	}
	_, err = v.Authenticate(mustParse(t, signedPut(t)), testTime, func(string, string) (string, error) { return "x", nil }, s3Opts)
	asError(t, err, BadSignature)
}

func TestKeyCache(t *testing.T) {
	var c keyCache
	scope := func(i int) Scope { return Scope{"20260304", fmt.Sprintf("r-%d", i), "s3"} }
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 3 * keyCacheSize {
				for _, secret := range []string{"a", "b"} {
					if got, want := c.get(secret, scope(i)), deriveKey(secret, scope(i)); got != want {
						t.Errorf("key of %s, %v is wrong", secret, scope(i))
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if n := len(c.young) + len(c.old); n > 2*keyCacheSize {
		t.Errorf("%d keys kept", n)
	}
	used := keyID{sha256.Sum256([]byte("keep")), scope(0)}
	for i := range 10 * keyCacheSize { // a key in use survives any number of others
		c.get("keep", scope(0))
		c.get("other", scope(i))
	}
	if _, ok := c.young[used]; !ok {
		if _, ok = c.old[used]; !ok {
			t.Error("a key in use was forgotten")
		}
	}
}
