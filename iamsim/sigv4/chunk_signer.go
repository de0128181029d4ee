package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

const (
	chunkAlgorithm   = "AWS4-HMAC-SHA256-PAYLOAD"
	trailerAlgorithm = "AWS4-HMAC-SHA256-TRAILER"
)

// chunkSigner holds the chain of signatures: each chunk's covers the one before, beginning
// with the request's own, so that chunks can't be left out, repeated or reordered (A23).
type chunkSigner struct {
	mac      hash.Hash
	scope    []byte // "\n<date>\n<scope>\n", the same in every string to sign
	previous string
	toSign   []byte
}

func newChunkSigner(s *Signed) *chunkSigner {
	scope := append([]byte{'\n'}, s.dateText...)
	scope = append(scope, '\n')
	scope = append(s.Scope.appendTo(scope), '\n')
	return &chunkSigner{mac: hmac.New(sha256.New, s.key[:]), scope: scope, previous: s.Signature}
}

// next checks one link of the chain; toSign is given when it does not hold.
func (c *chunkSigner) next(algorithm string, sum []byte, signature string) (ok bool, toSign string) {
	b := append(c.toSign[:0], algorithm...)
	b = append(b, c.scope...)
	b = append(b, c.previous...)
	b = append(b, '\n')
	if algorithm == chunkAlgorithm {
		empty := sha256.Sum256(nil) // a field for headers of the chunk, which has none
		b = append(hex.AppendEncode(b, empty[:]), '\n')
	}
	b = hex.AppendEncode(b, sum)
	c.toSign = b

	c.mac.Reset()
	c.mac.Write(b)
	var room [sha256.Size]byte
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], c.mac.Sum(room[:0]))
	if !hmac.Equal(text[:], []byte(signature)) {
		return false, string(b)
	}
	c.previous = signature
	return true, ""
}

func (c *chunkReader) verifyChunk(sum []byte) error {
	ok, toSign := c.signer.next(chunkAlgorithm, sum, c.signature)
	if ok {
		return nil
	}
	e := c.fail(BadChunkSignature)
	e.Chunk, e.StringToSign, e.SignatureProvided = c.number, toSign, c.signature
	return e
}
