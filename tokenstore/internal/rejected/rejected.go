// Package rejected remembers which tokens servers rejected.
package rejected

import (
	"crypto/sha256"
	"slices"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/recent"
)

// maxPerKey is more than a key sees of rejected tokens that still live.
const maxPerKey = 8

// Memory is what one process saw rejected, by the key that a token was for. It
// holds hashes and no tokens, the last 8 of a key. It is safe for concurrent use.
// The zero Memory is empty.
type Memory struct{ sums recent.Map[[]sum] }

type sum = [sha256.Size]byte

// Add remembers that a token was rejected.
func (m *Memory) Add(key string, token routeauth.Secret) {
	s := sha256.Sum256([]byte(token))
	m.sums.Update(key, func(sums []sum) []sum {
		if slices.Contains(sums, s) {
			return sums
		}
		if len(sums) == maxPerKey {
			sums = sums[1:]
		}
		return append(slices.Clone(sums), s)
	})
}

// Has reports whether a token was rejected.
func (m *Memory) Has(key string, token routeauth.Secret) bool {
	sums, _ := m.sums.Get(key)
	return len(sums) > 0 && slices.Contains(sums, sha256.Sum256([]byte(token)))
}
