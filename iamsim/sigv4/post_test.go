package sigv4

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

var postDay = time.Date(2015, 12, 30, 12, 0, 0, 0, time.UTC)

// form signs policy as of postDay, both ways.
func form(policy, secret string) (v4, v2 map[string]string) {
	scope := Scope{Date: "20151229", Region: "us-east-1", Service: "s3"}
	key := deriveKey(secret, scope)
	sum := mac(key[:], policy)
	v4 = map[string]string{"policy": policy, "x-amz-algorithm": algorithm, "x-amz-credential": "AKIAIOSFODNN7EXAMPLE/" + scope.String(),
		"x-amz-date": "20151229T000000Z", "x-amz-signature": hex.EncodeToString(sum[:])}
	h := hmac.New(sha1.New, []byte(secret))
	h.Write([]byte(policy))
	v2 = map[string]string{"policy": policy, "awsaccesskeyid": "AKIAIOSFODNN7EXAMPLE", "signature": base64.StdEncoding.EncodeToString(h.Sum(nil))}
	return v4, v2
}

func fieldsOf(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := m[strings.ToLower(name)]
		return v, ok
	}
}

// The policy, key and signature of the example in AWS's documentation of browser uploads.
func TestPostExample(t *testing.T) {
	const policy = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9"
	fields, _ := form(policy, "irrelevant")
	fields["x-amz-signature"] = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
	s, err := ParsePost(&http.Request{}, fieldsOf(fields), postDay)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(postDay, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Options{S3: true, Service: "s3", Region: "us-east-1"}); err != nil {
		t.Error(err)
	}
}

func TestPost(t *testing.T) {
	tests := []struct {
		name   string
		change func(map[string]string)
		secret string
		at     time.Time
		o      Options
		v4, v2 Kind
	}{
		{name: "right"},
		{name: "at the last moment", at: postDay},
		{name: "expired", at: postDay.Add(time.Second), v4: Expired, v2: Expired},
		{name: "other secret", secret: "x", v4: BadSignature, v2: BadSignature},
		{name: "other policy", change: func(m map[string]string) { m["policy"] += "A" }, v4: BadSignature, v2: BadSignature},
		{name: "other region", o: Options{Region: "eu-west-1"}, v4: WrongRegion},
		{name: "other service", o: Options{Service: "sts"}, v4: WrongService, v2: WrongService},
		{name: "no policy", change: func(m map[string]string) { delete(m, "policy") }, v4: MissingFormField, v2: MissingFormField},
		{name: "no signature", change: func(m map[string]string) { delete(m, "x-amz-signature"); delete(m, "signature") }, v4: MissingFormField, v2: MissingFormField},
		{name: "no key", change: func(m map[string]string) { delete(m, "x-amz-credential"); delete(m, "awsaccesskeyid") }, v4: MissingFormField, v2: MissingFormField},
		{name: "no fields", change: func(m map[string]string) { clear(m) }, v4: MissingToken, v2: MissingToken},
		{name: "algorithm", change: func(m map[string]string) { m["x-amz-algorithm"] = "AWS5" }, v4: UnsupportedAlgorithm},
		{name: "asymmetric", change: func(m map[string]string) { m["x-amz-algorithm"] = algorithmA }, v4: SigV4A},
		{name: "date", change: func(m map[string]string) { m["x-amz-date"] = "today" }, v4: MalformedDate},
		{name: "date of another day", change: func(m map[string]string) { m["x-amz-date"] = "20151230T000000Z" }, v4: ScopeDateMismatch},
		{name: "credential", change: func(m map[string]string) { m["x-amz-credential"] = "a/b" }, v4: MalformedCredential},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v4, v2 := form("cG9saWN5", "secret")
			for i, fields := range []map[string]string{v4, v2} {
				if i == 1 && tt.v4 != None && tt.v2 == None && tt.o.Region == "" {
					continue // the old form has no such field
				}
				if tt.change != nil {
					tt.change(fields)
				}
				secret, at := tt.secret, tt.at
				if secret == "" {
					secret = "secret"
				}
				if at.IsZero() {
					at = postDay.Add(-time.Hour)
				}
				s, err := ParsePost(&http.Request{}, fieldsOf(fields), postDay)
				if err == nil {
					err = s.Verify(at, secret, tt.o)
				}
				want := [...]Kind{tt.v4, tt.v2}[i]
				if got := KindOf(err); got != want {
					t.Errorf("form %d: got %v, want %v", i, err, want)
				}
				if want == MissingToken && !errors.Is(err, ErrAnonymous) {
					t.Errorf("form %d: %v is not anonymous", i, err)
				}
			}
		})
	}
}

// A policy whose end can't be read never ends as far as the signature goes.
func TestPostWithoutExpiration(t *testing.T) {
	v4, _ := form("cG9saWN5", "secret")
	s, err := ParsePost(&http.Request{}, fieldsOf(v4), time.Time{})
	if err == nil {
		err = s.Verify(postDay.AddDate(10, 0, 0), "secret", Options{})
	}
	if err != nil {
		t.Error(err)
	}
}

// FuzzPost: whatever the fields are, there is one typed error or a form that is whole, and a
// made-up signature is refused.
func FuzzPost(f *testing.F) {
	f.Add("p", algorithm, "k/20151229/us-east-1/s3/aws4_request", "20151229T000000Z", "00", "", "")
	f.Add("p", "", "", "", "", "key", "sig")
	f.Add("", "", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, policy, with, credential, date, signature, v2Key, v2Signature string) {
		fields := map[string]string{}
		for name, v := range map[string]string{"policy": policy, "x-amz-algorithm": with, "x-amz-credential": credential, "x-amz-date": date,
			"x-amz-signature": signature, "awsaccesskeyid": v2Key, "signature": v2Signature} {
			if v != "" {
				fields[name] = v
			}
		}
		s, err := ParsePost(&http.Request{}, fieldsOf(fields), time.Time{})
		if err == nil {
			if s.AccessKeyID == "" || s.Scope.Service == "" || s.Form != FormPost && s.Form != FormPostV2 {
				t.Fatalf("incomplete: %+v", s)
			}
			err = s.Verify(postDay, "secret", Options{})
		}
		if KindOf(err) == None {
			t.Fatalf("passed, or failed without a kind: %v", err)
		}
	})
}
