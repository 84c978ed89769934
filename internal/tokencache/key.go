package tokencache

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

const (
	// KeySize is how large a key may be before it is allocated. Keys of a few
	// params fit.
	KeySize = 256
	// maxKey is up to which size a key is held unchanged. A longer one is held as
	// its SHA-256, which nobody can find a second key for. It cannot be mistaken
	// for a short key either: one that began with an s would be longer.
	maxKey = 1 << 10
)

// AppendKey appends the key of an identity and params. Two have it in common
// only if they are equal: each text stands after its length and the params in
// order of their names, so that nothing in a text can look like another param.
func AppendKey(key []byte, identity string, params map[string]string) []byte {
	key = appendText(key, identity)
	if len(params) > 0 {
		key = appendParams(key, params)
	}
	if len(key) > maxKey {
		sum := sha256.Sum256(key)
		return append(append(key[:0], "sha256:"...), sum[:]...)
	}
	return key
}

func appendParams(key []byte, params map[string]string) []byte {
	var buffer [8]string
	names := buffer[:0]
	for name := range params {
		names = append(names, name)
	}
	if len(names) > 1 {
		slices.Sort(names)
	}
	for _, name := range names {
		key = appendText(appendText(key, name), params[name])
	}
	return key
}

func appendText(key []byte, text string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(text))), text...)
}
