package s3api

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"net/http"
	"slices"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// The headers of SSE-C begin with one of these: the key of the object itself, and on copies
// that of the source.
const (
	customerPrefix       = sseCustomerPrefix
	sourceCustomerPrefix = "X-Amz-Copy-Source-Server-Side-Encryption-Customer-"
)

// customerKey is the key that a request brings along for SSE-C. It is used and forgotten:
// only data keys wrapped under it are stored.
type customerKey struct{ key [32]byte }

// readCustomerKey reads the three headers of a customer's key, nil without any (S300).
// reading tells GET and HEAD, where a missing digest is a wrong key.
func readCustomerKey(h http.Header, prefix string, reading bool) (*customerKey, error) {
	algorithm, text, sum := h.Get(prefix+"Algorithm"), h.Get(prefix+"Key"), h.Get(prefix+"Key-Md5")
	bad := func(message string) error {
		return failure.New("InvalidArgument", message, "ArgumentName", "x-amz-server-side-encryption")
	}
	switch {
	case algorithm == "" && text == "" && sum == "":
		return nil, nil
	case algorithm != "" && algorithm != algorithmS3:
		return nil, failure.New("InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported value: AES256.",
			"ArgumentName", "x-amz-server-side-encryption", "ArgumentValue", algorithm)
	case algorithm == "":
		return nil, bad("Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.")
	case text == "":
		return nil, bad("Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	switch {
	case reading && sum == "":
		return nil, errWrongCustomerKey()
	case err != nil || len(raw) != 32 || sum == "":
		return nil, bad("The secret key was invalid for the specified algorithm.")
	}
	if digest := md5.Sum(raw); subtle.ConstantTimeCompare([]byte(base64.StdEncoding.EncodeToString(digest[:])), []byte(sum)) == 0 {
		return nil, bad("The calculated MD5 hash of the key did not match the hash that was provided.")
	}
	return &customerKey{key: [32]byte(raw)}, nil
}

func errWrongCustomerKey() error {
	return failure.New("AccessDenied", "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.")
}

// customerFormat is the first byte of a data key under a customer's key: it, a salt of 16
// bytes, and the data key under AES-256-GCM with a key derived by HKDF from both. Neither
// bucket nor object is bound to it, so that a replica takes it along as it is (S303).
const (
	customerFormat = 1
	customerSalt   = 16
)

// wrap puts a data key under the customer's key.
func (k *customerKey) wrap(random io.Reader, plain store.DataKey) ([]byte, error) {
	out := make([]byte, 1+customerSalt, 1+customerSalt+len(plain)+16)
	out[0] = customerFormat
	if _, err := io.ReadFull(random, out[1:]); err != nil {
		return nil, err
	}
	aead, err := k.aead(out[1:])
	if err != nil {
		return nil, err
	}
	// The salt makes the key unique, so the nonce may be zero.
	return aead.Seal(out, make([]byte, aead.NonceSize()), plain[:], out[:1]), nil
}

// unwrap undoes wrap; ok is false for another key.
func (k *customerKey) unwrap(wrapped []byte) (key store.DataKey, ok bool, err error) {
	if len(wrapped) <= 1+customerSalt || wrapped[0] != customerFormat {
		return key, false, failure.New("InternalError", "The object's wrapped data key has an unknown form.")
	}
	aead, err := k.aead(wrapped[1 : 1+customerSalt])
	if err != nil {
		return key, false, err
	}
	plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), wrapped[1+customerSalt:], wrapped[:1])
	if err != nil {
		return key, false, nil
	}
	key, err = asDataKey(plain)
	return key, err == nil, err
}

func (k *customerKey) aead(salt []byte) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, k.key[:], salt, "twinbucket SSE-C 1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// openForRead gives the data key of what the request reads: an SSE-C object's with the key
// in the headers that begin with prefix, any other's as openDataKey does. Headers and object
// must agree (S301).
func (a *API) openForRead(req *request, b *store.Bucket, v *store.Version, prefix string) (store.DataKey, error) {
	if !v.Encryption.Customer() {
		return a.openDataKey(req.ctx, req.caller, b, v.Key, &v.Encryption)
	}
	return openCustomerKey(req.r.Header, prefix, &v.Encryption)
}

// checkCustomerKey refuses a read whose SSE-C headers do not fit e, before anything is told
// about the object.
func checkCustomerKey(h http.Header, prefix string, e *store.Encryption) error {
	if e.Customer() {
		_, err := openCustomerKey(h, prefix, e)
		return err
	}
	customer, err := readCustomerKey(h, prefix, true)
	if err == nil && customer != nil {
		err = failure.New("InvalidRequest", "The encryption parameters are not applicable to this object.")
	}
	return err
}

func openCustomerKey(h http.Header, prefix string, e *store.Encryption) (store.DataKey, error) {
	customer, err := readCustomerKey(h, prefix, true)
	if err != nil {
		return store.DataKey{}, err
	}
	if customer == nil {
		return store.DataKey{}, failure.New("InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	}
	key, ok, err := customer.unwrap(e.WrappedKey)
	if err == nil && !ok {
		err = errWrongCustomerKey()
	}
	return key, err
}

// openForPart gives the data key of an upload to one of its parts, which must come with the
// key the upload began with (S302).
func (a *API) openForPart(req *request, u *store.Upload) (store.DataKey, error) {
	e := &u.Version.Encryption
	customer, err := readCustomerKey(req.r.Header, customerPrefix, false)
	switch {
	case err != nil:
		return store.DataKey{}, err
	case (customer != nil) != e.Customer():
		return store.DataKey{}, failure.New("InvalidRequest", "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.")
	case customer == nil:
		return a.openDataKey(req.ctx, req.caller, req.bucket, req.key, e)
	}
	key, ok, err := customer.unwrap(e.WrappedKey)
	if err == nil && !ok {
		err = failure.New("InvalidRequest", "The provided encryption parameters did not match the ones used originally.")
	}
	return key, err
}

// customerBlocked: a bucket's default encryption can forbid SSE-C (S304).
func customerBlocked(bucket *store.Bucket) error {
	if !slices.Contains(bucket.Encryption.Blocked, store.SSEC) {
		return nil
	}
	return failure.New("AccessDenied", "The bucket's default encryption configuration blocks server-side encryption with customer-provided keys (SSE-C).")
}

// setCustomerHeaders echoes the algorithm and the digest of the customer's key.
func setCustomerHeaders(req *request, e *store.Encryption) {
	if e.Customer() {
		h := req.w.Header()
		h.Set(customerPrefix+"Algorithm", algorithmS3)
		h.Set(customerPrefix+"Key-Md5", req.r.Header.Get(customerPrefix+"Key-Md5"))
	}
}
