package checksum

import (
	"crypto/md5"
	"hash"
	"slices"
)

// Multi computes several digests of one content in one pass. Only what was asked for is
// computed. Write never fails.
type Multi struct {
	md5        hash.Hash // nil: not asked for
	algorithms []Algorithm
	hashes     []hash.Hash
}

// NewMulti computes the given algorithms, each once, and MD5 if wanted.
func NewMulti(wantMD5 bool, algorithms ...Algorithm) *Multi {
	m := &Multi{}
	if wantMD5 {
		m.md5 = md5.New()
	}
	for _, a := range algorithms {
		if !slices.Contains(m.algorithms, a) {
			m.algorithms = append(m.algorithms, a)
			m.hashes = append(m.hashes, New(a))
		}
	}
	return m
}

// blockSize keeps a block in the first-level cache while every hash goes over it.
const blockSize = 16 << 10

func (m *Multi) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		block := p[:min(len(p), blockSize)]
		p = p[len(block):]
		if m.md5 != nil {
			m.md5.Write(block)
		}
		for _, h := range m.hashes {
			h.Write(block)
		}
	}
	return n, nil
}

// MD5 is the MD5 of what was written so far, nil if it was not asked for.
func (m *Multi) MD5() []byte {
	if m.md5 == nil {
		return nil
	}
	return m.md5.Sum(nil)
}

// Digest is the digest of what was written so far, nil if a was not asked for.
func (m *Multi) Digest(a Algorithm) []byte {
	if i := slices.Index(m.algorithms, a); i >= 0 {
		return m.hashes[i].Sum(nil)
	}
	return nil
}
