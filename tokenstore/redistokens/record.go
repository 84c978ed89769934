package redistokens

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"time"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/token"
)

// record is what Redis holds of a token. How long the token still lives is not
// in it: that is the key's time to live.
type record struct {
	token routeauth.Secret
	total time.Duration // from its fetch to its end
}

// The first byte of a record tells how it is written.
const (
	plainRecord  = 'p'
	sealedRecord = 's'
)

// sealer turns records into bytes and back. A nil sealer writes them in the
// clear.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (*sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("redistokens: encryption: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("redistokens: encryption: %w", err)
	}
	return &sealer{aead}, nil
}

// seal returns a record as it is stored under name, to which it is bound: moved
// to another name, it cannot be opened.
func (s *sealer) seal(r record, name string) []byte {
	plain := binary.BigEndian.AppendUint64(nil, uint64(r.total.Milliseconds()))
	plain = append(plain, r.token...)
	if s == nil {
		return append([]byte{plainRecord}, plain...)
	}
	return append([]byte{sealedRecord}, s.aead.Seal(nil, nil, plain, boundTo(name))...)
}

// boundTo is the associated data of what is sealed for a name.
func boundTo(name string) []byte { return []byte(name) }

// open returns the record that is stored under name. Whatever it cannot read, or
// is not a token, is garbage.
func (s *sealer) open(stored, name string) (record, bool) {
	if stored == "" {
		return record{}, false
	}
	plain := []byte(stored[1:])
	switch {
	case s == nil && stored[0] == plainRecord:
	case s != nil && stored[0] == sealedRecord:
		var err error
		if plain, err = s.aead.Open(nil, nil, plain, boundTo(name)); err != nil {
			return record{}, false
		}
	default:
		return record{}, false
	}
	if len(plain) < 8 {
		return record{}, false
	}
	r := record{
		token: routeauth.Secret(plain[8:]),
		total: time.Duration(binary.BigEndian.Uint64(plain)) * time.Millisecond,
	}
	return r, r.total > 0 && token.IsWellFormed(r.token)
}
