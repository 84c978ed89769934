package redistokens

import (
	"fmt"
	"time"

	"example.com/routeauth"
)

// Option changes what a [Source] does.
type Option func(*settings) error

type settings struct {
	namespace     string
	key           routeauth.Secret
	keyGiven      bool
	unencrypted   bool
	refreshBefore time.Duration
	fetchTimeout  time.Duration
}

// minKeySize is the least size of an encryption key, in bytes.
const minKeySize = 16

// WithNamespace sets which fleet this process belongs to. Only processes of one
// namespace share tokens, and whatever decides which token the source returns,
// but is neither in the identity nor in the params, such as the issuer or the
// environment, must be in it. It is part of what is hashed and cannot be seen in
// Redis. The default is a namespace like any other, without a name; an empty
// name is an error of the constructor.
func WithNamespace(name string) Option {
	return func(c *settings) error {
		c.namespace = name
		if name == "" {
			return &ConfigError{"namespace", "is empty: leave the option out to share with everybody who has no namespace"}
		}
		return nil
	}
}

// WithEncryptionKey sets the key from which the keys that seal tokens and hash
// names are derived (HKDF with SHA-256, RFC 5869). It is any secret of 16 bytes
// or more, with as much randomness as 16 bytes can have: 32 random bytes, for
// one. All processes of a fleet need the same one. Processes with another key
// neither see nor disturb these, so a key is replaced by rolling out a new one:
// for as long as both are in use, each half of the fleet fetches for itself.
//
// Either this option or [AllowUnencrypted] is required. Both together, a key
// that is shorter and the literal REDACTED are errors of the constructor.
func WithEncryptionKey(key routeauth.Secret) Option {
	return func(c *settings) error {
		c.key, c.keyGiven = key, true
		switch {
		case key == "":
			return &ConfigError{"encryption key", "is empty"}
		case string(key) == key.String():
			return &ConfigError{"encryption key", "is the placeholder REDACTED, not the value that it stood for: " +
				"a configuration was marshalled and read back"}
		case len(key) < minKeySize:
			return &ConfigError{"encryption key", fmt.Sprintf("has %d bytes: it must have %d or more", len(key), minKeySize)}
		}
		return nil
	}
}

// AllowUnencrypted stores tokens in the clear: whoever can read that Redis, its
// backups or its traffic can use them. Names are still hashes, but whoever
// guesses an identity can tell whether it has a token.
func AllowUnencrypted() Option {
	return func(c *settings) error {
		c.unencrypted = true
		return nil
	}
}

// WithRefreshBefore sets how long before its end a shared token is due for
// renewal, but never more than half of its life. One process then fetches the
// next one in the background, and everybody gets the old one meanwhile. It must
// not be less than that of the [routeauth.TokenCache] above, which would
// otherwise ask for a renewal that is not due and get the same token again. The
// default is 30 seconds, against the cache's 10. 0 means never; less is an error
// of the constructor.
func WithRefreshBefore(d time.Duration) Option {
	return func(c *settings) error {
		c.refreshBefore = d
		if d < 0 {
			return &ConfigError{"refresh before", fmt.Sprintf("is %v: it must be 0 or more", d)}
		}
		return nil
	}
}

// WithFetchTimeout sets for how long a fetch keeps others waiting. A process that
// waits for another's fetch longer than that fetches for itself, and a token
// that took longer is not shared. A fetch is not cut off while somebody waits for
// it, which is the business of the caller's context or of
// [routeauth.WithFetchTimeout]; one that nobody waits for ends after this time.
// It should be well under that of the [routeauth.TokenCache] above, which has to
// last for waiting and fetching. The default is 10 seconds, against the cache's
// 30; 0 or less is an error of the constructor.
func WithFetchTimeout(d time.Duration) Option {
	return func(c *settings) error {
		c.fetchTimeout = d
		if d <= 0 {
			return &ConfigError{"fetch timeout", fmt.Sprintf("is %v: it must be more than 0", d)}
		}
		return nil
	}
}

func (c *settings) checkSecrecy() error {
	switch {
	case c.keyGiven && c.unencrypted:
		return &ConfigError{"encryption key", "is given, and so is AllowUnencrypted: choose one of the two"}
	case !c.keyGiven && !c.unencrypted:
		return &ConfigError{"encryption key", "is missing: give one with WithEncryptionKey, or AllowUnencrypted"}
	}
	return nil
}
