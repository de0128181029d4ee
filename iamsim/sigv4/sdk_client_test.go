package sigv4

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"twinbucket/internal/checksum"
)

// capture is an HTTP client that answers 200 and keeps the request as a server would read it.
type capture struct {
	t       testing.TB
	request *http.Request
}

func (c *capture) Do(r *http.Request) (*http.Response, error) {
	c.request = overTheWire(c.t, r)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func newClient(c *capture, endpoint string) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), UsePathStyle: true, HTTPClient: c, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret}, nil
		}),
	})
}

// The S3 client of the SDK with default settings: the body arrives as it was given, with the
// checksum that was promised.
func TestSDKClientPut(t *testing.T) {
	content := pattern(100_000)
	sum := checksum.New(checksum.CRC32)
	sum.Write(content)
	want := checksum.Encode(sum.Sum(nil))
	tests := map[string]struct {
		endpoint string
		body     io.Reader
		payload  Payload
	}{
		"http":                {"http://" + testHost, bytes.NewReader(content), PayloadHash},
		"https":               {"https://" + testHost, bytes.NewReader(content), PayloadUnsignedTrailer},
		"https, not seekable": {"https://" + testHost, io.MultiReader(bytes.NewReader(content)), PayloadUnsignedTrailer},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := &capture{t: t}
			_, err := newClient(c, tt.endpoint).PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String("bucket"), Key: aws.String("a//b/../c d+e%2F€"), Body: tt.body,
				ContentLength: aws.Int64(int64(len(content))), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
				Metadata: map[string]string{"k": "v  w"}, Tagging: aws.String("a=b"),
			})
			if err != nil {
				t.Fatal(err)
			}
			s := mustParse(t, c.request)
			if s.Payload() != tt.payload {
				t.Errorf("payload %v (%s), want %v", s.Payload(), s.ContentSHA256, tt.payload)
			}
			if err := s.Verify(s.Time, testSecret, s3Opts); err != nil {
				t.Fatal(err)
			}
			got, b, err := decode(t, s, c.request.Body)
			if err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			value := c.request.Header.Get(checksum.CRC32.Header())
			if tt.payload.trailer() {
				value = b.Trailer()[checksum.CRC32.Header()]
			}
			if value != want {
				t.Errorf("checksum %q, want %q", value, want)
			}
			if b.DecodedLength() != int64(len(content)) {
				t.Errorf("length %d", b.DecodedLength())
			}
		})
	}
}

func TestSDKClientPresign(t *testing.T) {
	client := s3.NewPresignClient(newClient(&capture{t: t}, "http://"+testHost), s3.WithPresignExpires(time.Hour))
	signed, err := client.PresignPutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("bucket"), Key: aws.String("a b"), Metadata: map[string]string{"k": "v"},
		ExpectedBucketOwner: aws.String("000000000000"), Body: strings.NewReader("hello"),
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range signed.SignedHeader {
		if name != "Host" && name != "Content-Length" {
			r.Header[name] = values
		}
	}
	r = overTheWire(t, r)
	s := mustParse(t, r)
	if err := s.Verify(s.Time.Add(time.Hour), testSecret, s3Opts); err != nil {
		t.Fatal(err)
	}
	if got, _, err := decode(t, s, r.Body); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}
