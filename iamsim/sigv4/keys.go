package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"sync"
)

type signingKey [sha256.Size]byte

// deriveKey is the chain of four HMACs from a secret to the key of one day, region and service (A1).
func deriveKey(secret string, s Scope) signingKey {
	k := mac([]byte("AWS4"+secret), s.Date)
	k = mac(k[:], s.Region)
	k = mac(k[:], s.Service)
	return mac(k[:], terminator)
}

func mac(key []byte, text string) (sum signingKey) {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	h.Sum(sum[:0])
	return sum
}

// keyCacheSize bounds one generation of a keyCache.
const keyCacheSize = 512

// keyCache remembers derived keys in two generations: when the young one is full it becomes
// the old one, and what was old is forgotten. Keys in use move back to the young
// generation. That is bounded, needs no list, and drops yesterday's keys by itself.
type keyCache struct {
	mu         sync.RWMutex
	young, old map[keyID]signingKey
}

// keyID has the secret's hash, not the secret: the cache would otherwise keep secrets of
// deleted users in memory.
type keyID struct {
	secret [sha256.Size]byte
	scope  Scope
}

func (c *keyCache) get(secret string, s Scope) signingKey {
	id := keyID{sha256.Sum256([]byte(secret)), s}
	c.mu.RLock()
	k, ok := c.young[id]
	c.mu.RUnlock()
	if ok {
		return k
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, ok = c.old[id]; !ok {
		k = deriveKey(secret, s)
	}
	if len(c.young) >= keyCacheSize {
		c.old, c.young = c.young, nil
	}
	if c.young == nil {
		c.young = make(map[keyID]signingKey)
	}
	// The scope's strings are pieces of a request's header, which must not be kept alive.
	id.scope = Scope{strings.Clone(s.Date), strings.Clone(s.Region), strings.Clone(s.Service)}
	c.young[id] = k
	return k
}
