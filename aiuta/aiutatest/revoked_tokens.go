package aiutatest

import (
	"crypto/sha256"
	"sync"
)

// revokedTokens are tokens that were good. They are kept as hashes, so that nobody
// who formats a server sees one.
type revokedTokens struct {
	mu       sync.Mutex
	accepted map[[sha256.Size]byte]bool // whether each was revoked since
}

// accept reports whether a good token is accepted, and remembers that it was.
func (r *revokedTokens) accept(token string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.accepted == nil {
		r.accepted = make(map[[sha256.Size]byte]bool)
	}
	sum := sha256.Sum256([]byte(token))
	if revoked, known := r.accepted[sum]; known {
		return !revoked
	}
	r.accepted[sum] = false
	return true
}

func (r *revokedTokens) revoke() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for sum := range r.accepted {
		r.accepted[sum] = true
	}
}
