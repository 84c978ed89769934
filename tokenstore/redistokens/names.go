package redistokens

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// names are the keys in Redis that belong to one token. The hash in braces is
// their hash tag, so that a cluster keeps them in one slot and a script may use
// all of them.
type names struct {
	token, lock string
	none        string // never written
}

// namer returns the names for a key of package token.
type namer func(key []byte) names

func newNamer(secret []byte) namer {
	return func(key []byte) names {
		mac := hmac.New(sha256.New, secret)
		mac.Write(key)
		prefix := "routeauth:{" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) + "}:"
		return names{prefix + "token", prefix + "lock", prefix + "none"}
	}
}

// deriveKey makes one of the keys that a Source needs. Without an encryption key
// what it makes is no secret, but still differs from namespace to namespace.
func deriveKey(c settings, purpose string) ([]byte, error) {
	secret := []byte(c.key)
	if c.unencrypted {
		secret = make([]byte, minKeySize)
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "routeauth redistokens 1 "+purpose+" "+c.namespace, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("redistokens: deriving a key: %w", err)
	}
	return key, nil
}
