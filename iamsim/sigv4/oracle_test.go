package sigv4

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"testing"
	"time"
)

// targets are paths and queries that are easily broken on the way to a canonical request.
var targets = map[string]string{
	"root":              "/",
	"plain":             "/bucket/key",
	"double slash":      "/bucket//a//b",
	"leading slashes":   "//bucket/key",
	"dot segments":      "/bucket/a/../b/./c",
	"trailing dots":     "/bucket/..",
	"encoded slash":     "/bucket/a%2Fb",
	"space":             "/bucket/a%20b",
	"plus":              "/bucket/a%2Bb",
	"bare plus":         "/bucket/a+b",
	"percent":           "/bucket/100%25",
	"unicode":           "/bucket/%E2%82%AC/%F0%9F%98%80",
	"newline":           "/bucket/a%0Ab",
	"reserved":          "/bucket/!*'();:@&=$,[]",
	"lower hex":         "/bucket/%e2%82%ac",
	"encoded tilde":     "/bucket/%7Euser",
	"empty value":       "/bucket?versioning",
	"empty value =":     "/bucket?versioning=",
	"order":             "/bucket?prefix-x=1&prefix=b&list-type=2&PREFIX=c",
	"repeated":          "/bucket?k=b&k=a%2Fc&k=a-c&k=",
	"query space":       "/bucket?prefix=a%20b&delimiter=c+d",
	"query plus":        "/bucket?prefix=a%2Bb",
	"query unicode":     "/bucket?prefix=%E2%82%AC&%C3%A9=1",
	"query slash tilde": "/bucket?prefix=a/b~c",
}

func TestSDKHeader(t *testing.T) {
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			for _, token := range []string{"", "IQoJb3JpZ2luX2VjE+/=="} {
				body := []byte("hello")
				r := newRequest(t, "PUT", target, body)
				r.Header.Set("X-Amz-Meta-Spaces", "  one   two  ")
				r.Header["X-Amz-Meta-Twice"] = []string{"b", "a"}
				sdkSign(t, r, "s3", token, hexSHA256(body))
				got := overTheWire(t, r)
				s := mustParse(t, got)
				if s.Form != FormHeader || s.AccessKeyID != testKey || s.SessionToken != token || !s.Time.Equal(testTime) {
					t.Errorf("parsed %+v", s)
				}
				if err := s.Verify(testTime, testSecret, s3Opts); err != nil {
					t.Fatalf("Verify: %v\n%s", err, asError(t, err, BadSignature).CanonicalRequest)
				}
				b, err := s.Body(got.Body)
				if err != nil {
					t.Fatal(err)
				}
				if content, err := io.ReadAll(b); err != nil || string(content) != "hello" {
					t.Errorf("content %q, %v", content, err)
				}
			}
		})
	}
}

func TestSDKPresigned(t *testing.T) {
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			for _, token := range []string{"", "IQoJb3JpZ2luX2VjE+/=="} {
				r := newRequest(t, "PUT", target, []byte("hello"))
				r.Header.Set("X-Amz-Meta-A", "b")
				r.Header.Set("X-Amz-Expected-Bucket-Owner", "000000000000") // moves into the query
				s := mustParse(t, overTheWire(t, sdkPresign(t, r, "s3", token, "300", unsignedPayload)))
				if s.Form != FormQuery || s.SessionToken != token || s.Expires != 5*time.Minute || s.ContentSHA256 != unsignedPayload {
					t.Errorf("parsed %+v", s)
				}
				if err := s.Verify(testTime.Add(s.Expires), testSecret, s3Opts); err != nil {
					t.Fatalf("Verify: %v\n%s", err, asError(t, err, BadSignature).CanonicalRequest)
				}
			}
		})
	}
}

func TestSDKStandardServices(t *testing.T) {
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			body := []byte(`{"KeyId":"alias/a"}`)
			r := newRequest(t, "POST", target, body)
			r.Header.Set("X-Amz-Target", "TrentService.DescribeKey")
			sdkSign(t, r, "kms", "", hexSHA256(body))
			s := mustParse(t, overTheWire(t, r))
			o := Options{Service: "kms", Region: "us-east-1", Body: body}
			if err := s.Verify(testTime, testSecret, o); err != nil {
				t.Fatalf("Verify: %v\n%s", err, asError(t, err, BadSignature).CanonicalRequest)
			}
			o.Body = []byte(`{"KeyId":"alias/b"}`)
			asError(t, s.Verify(testTime, testSecret, o), BadSignature)
		})
	}
}

// An STS URL, as EKS uses it, has no X-Amz-Expires.
func TestSDKPresignedSTS(t *testing.T) {
	r := newRequest(t, "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", nil)
	s := mustParse(t, overTheWire(t, sdkPresign(t, r, "sts", "", "", emptyHash)))
	o := Options{Service: "sts"}
	if err := s.Verify(testTime.Add(MaxSkew), testSecret, o); err != nil {
		t.Error(err)
	}
	asError(t, s.Verify(testTime.Add(MaxSkew+time.Second), testSecret, o), Skewed)
}

func TestBotocoreVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/botocore.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		AccessKey, Secret, Time string
		Vectors                 []struct {
			Name, Service, Region, Token, Request string
			S3                                    bool
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	now, err := time.Parse(timeFormat, file.Time)
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 20 {
		t.Fatalf("only %d vectors", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			raw, err := base64.StdEncoding.DecodeString(v.Request)
			if err != nil {
				t.Fatal(err)
			}
			r := readRequest(t, raw)
			s := mustParse(t, r)
			if s.AccessKeyID != file.AccessKey || s.SessionToken != v.Token {
				t.Errorf("parsed %+v", s)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			o := Options{S3: v.S3, Service: v.Service, Region: v.Region, Body: body}
			if err := s.Verify(now, file.Secret, o); err != nil {
				t.Errorf("Verify: %v\n%s", err, asError(t, err, BadSignature).CanonicalRequest)
			}
			asError(t, s.Verify(now, file.Secret+"x", o), BadSignature)
		})
	}
}

// The examples of the S3 API reference, "Authenticating Requests (AWS Signature Version 4)".
func TestPublishedExamples(t *testing.T) {
	const credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
	header := func(method, target, extra, signed, hash, signature string) string {
		return method + " " + target + " HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\n" + extra +
			"x-amz-content-sha256: " + hash + "\r\nx-amz-date: 20130524T000000Z\r\n" +
			"Authorization: AWS4-HMAC-SHA256 Credential=" + credential + ",SignedHeaders=" + signed + ",Signature=" + signature + "\r\n\r\n"
	}
	tests := map[string]string{
		"get object": header("GET", "/test.txt", "Range: bytes=0-9\r\n", "host;range;x-amz-content-sha256;x-amz-date", emptyHash,
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
		"put object": header("PUT", "/test$file.text", "Date: Fri, 24 May 2013 00:00:00 GMT\r\nx-amz-storage-class: REDUCED_REDUNDANCY\r\n",
			"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
			"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
		"get lifecycle": header("GET", "/?lifecycle", "", "host;x-amz-content-sha256;x-amz-date", emptyHash,
			"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
		"list": header("GET", "/?max-keys=2&prefix=J", "", "host;x-amz-content-sha256;x-amz-date", emptyHash,
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
		"presigned": "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
			"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
			"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404 HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com\r\n\r\n",
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			s := mustParse(t, readRequest(t, []byte(raw)))
			now := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
			if err := s.Verify(now, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", s3Opts); err != nil {
				t.Errorf("Verify: %v\n%s", err, asError(t, err, BadSignature).CanonicalRequest)
			}
		})
	}
}
