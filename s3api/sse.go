package s3api

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	sseHeader          = "X-Amz-Server-Side-Encryption"
	sseKeyIDHeader     = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	sseContextHeader   = "X-Amz-Server-Side-Encryption-Context"
	sseBucketKeyHeader = "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"
	sseCustomerPrefix  = "X-Amz-Server-Side-Encryption-Customer-"

	algorithmS3   = "AES256"
	algorithmKMS  = "aws:kms"
	algorithmDSSE = "aws:kms:dsse"

	// managedKey is what "aws:kms" without a key id means (S211).
	managedKey = "alias/aws/s3"
	// contextARN is the encryption context pair that S3 itself adds (S217).
	contextARN = "aws:s3:arn"
)

// encryptionChoice is how a new object is to be encrypted: the request's headers over the
// bucket's default.
type encryptionChoice struct {
	algorithm string
	keyID     string // as it was written; empty for AES256
	bucketKey bool
	context   map[string]string // the client's own pairs
	explicit  bool              // the request named an algorithm
	customer  *customerKey      // SSE-C only
}

func (c encryptionChoice) kms() bool {
	return c.algorithm == algorithmKMS || c.algorithm == algorithmDSSE
}

// chooseEncryption reads the encryption headers of a write to object (an ARN). Without any
// the bucket's default holds with its key; a header that names aws:kms but no key means the
// AWS managed key even if the default names another (S210, S211).
func chooseEncryption(h http.Header, bucket *store.Bucket, key string) (encryptionChoice, error) {
	if c, err := chooseCustomerKey(h, bucket); c.customer != nil || err != nil {
		return c, err
	}
	def := bucket.Encryption
	c := encryptionChoice{algorithm: h.Get(sseHeader), keyID: h.Get(sseKeyIDHeader), bucketKey: def.BucketKey}
	c.explicit = c.algorithm != ""
	switch c.algorithm {
	case "", algorithmS3:
		if c.keyID != "" { // S212
			return c, invalidHeader(sseKeyIDHeader, c.keyID,
				"Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
		if c.algorithm == "" {
			c.algorithm, c.keyID = def.Algorithm, def.KeyID
		}
	case algorithmKMS, algorithmDSSE:
	default:
		return c, invalidHeader(sseHeader, c.algorithm, "The encryption method specified is not supported") // S213
	}
	if c.algorithm == "" {
		c.algorithm = algorithmS3
	}
	if !c.kms() {
		c.keyID, c.bucketKey = "", false
		return c, nil
	}
	if c.keyID == "" {
		c.keyID = managedKey
	}
	if err := c.readBucketKey(h); err != nil {
		return c, err
	}
	return c, c.readContext(h, bucket, key)
}

// readBucketKey applies the header over the bucket's setting; DSSE has no bucket keys (S216).
func (c *encryptionChoice) readBucketKey(h http.Header) error {
	switch v := h.Get(sseBucketKeyHeader); strings.ToLower(v) {
	case "":
	case "true":
		c.bucketKey = true
	case "false":
		c.bucketKey = false
	default:
		return invalidHeader(sseBucketKeyHeader, v, "The value of the bucket key header must be true or false")
	}
	if c.algorithm == algorithmDSSE {
		c.bucketKey = false
	}
	return nil
}

// readContext takes the client's encryption context (S215). A pair for aws:s3:arn is
// accepted only when it says what S3 would add anyway.
func (c *encryptionChoice) readContext(h http.Header, bucket *store.Bucket, key string) error {
	v := h.Get(sseContextHeader)
	if v == "" {
		return nil
	}
	const message = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map"
	text, err := base64.StdEncoding.DecodeString(v)
	if err != nil {
		return invalidHeader(sseContextHeader, v, message)
	}
	if err := json.Unmarshal(text, &c.context); err != nil || c.context == nil {
		return invalidHeader(sseContextHeader, v, message)
	}
	if own, ok := c.context[contextARN]; ok {
		if own != contextResource(bucket.Name, key, c.bucketKey) {
			return invalidHeader(sseContextHeader, v, "The encryption context pair aws:s3:arn must be the ARN of the object, or of its bucket with an S3 Bucket Key")
		}
		delete(c.context, contextARN)
	}
	return nil
}

// chooseCustomerKey is the choice of SSE-C, which stands alone (S214); without its headers
// the choice has no customer's key.
func chooseCustomerKey(h http.Header, bucket *store.Bucket) (encryptionChoice, error) {
	sent := h.Get(customerPrefix+"Algorithm") + h.Get(customerPrefix+"Key") + h.Get(customerPrefix+"Key-Md5")
	if sent == "" {
		return encryptionChoice{}, nil
	}
	if v := h.Get(sseHeader); v != "" {
		return encryptionChoice{}, invalidHeader(sseHeader, v,
			"Server Side Encryption with Customer provided key is incompatible with the encryption method specified")
	}
	customer, err := readCustomerKey(h, customerPrefix, false)
	if err != nil {
		return encryptionChoice{}, err
	}
	return encryptionChoice{algorithm: store.SSEC, explicit: true, customer: customer}, customerBlocked(bucket)
}

// refuseEncryptionHeaders is for reads: only SSE-C has request headers there (S219).
func refuseEncryptionHeaders(h http.Header) error {
	for _, name := range []string{sseHeader, sseKeyIDHeader, sseContextHeader, sseBucketKeyHeader} {
		if v := h.Get(name); v != "" {
			return invalidHeader(name, v, strings.ToLower(name)+" header is not supported for this operation.")
		}
	}
	return nil
}

// setEncryptionHeaders describes e in a response; the key is always shown by its ARN.
func setEncryptionHeaders(h http.Header, e *store.Encryption) {
	if e.Algorithm == "" || e.Customer() {
		return
	}
	h.Set(sseHeader, e.Algorithm)
	if e.KMS() {
		h.Set(sseKeyIDHeader, e.KeyARN)
	}
	if e.BucketKey { // sent only when true (S216)
		h.Set(sseBucketKeyHeader, "true")
	}
}

// setContextHeader echoes the client's encryption context; only writes answer it (S215).
func setContextHeader(h http.Header, e *store.Encryption) {
	if len(e.Context) == 0 {
		return
	}
	text, err := json.Marshal(e.Context)
	if err != nil {
		panic("s3api: a string map can't be marshalled: " + err.Error())
	}
	h.Set(sseContextHeader, base64.StdEncoding.EncodeToString(text))
}

// sameEncryption reports whether c would leave an object encrypted as e is.
func (c encryptionChoice) same(e *store.Encryption) bool {
	if c.algorithm != e.Algorithm {
		return false
	}
	return !c.kms() || slices.Contains([]string{e.KeyARN, keyIDOf(e.KeyARN)}, c.keyID) && maps.Equal(c.context, e.Context)
}

// keyIDOf is the bare id in a key's ARN.
func keyIDOf(keyARN string) string { return keyARN[strings.LastIndexByte(keyARN, '/')+1:] }

// invalidHeader is InvalidArgument about a request header.
func invalidHeader(name, value, message string) error {
	return failure.New("InvalidArgument", message, "ArgumentName", strings.ToLower(name), "ArgumentValue", value)
}
