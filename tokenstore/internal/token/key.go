package token

import (
	"encoding/binary"
	"maps"
	"slices"

	"example.com/routeauth"
)

// Key returns the key of an identity and params, which are what a token is kept
// by. Two pairs have the same key only if they are equal: each text stands after
// its length, and the params in the order of their names, so that nothing in a
// text can look like another param. The key holds the identity and the params in
// the clear: hash it before it leaves the process.
func Key(identity string, params routeauth.Params) []byte {
	key := appendText(nil, identity)
	for _, name := range slices.Sorted(maps.Keys(params)) {
		key = appendText(appendText(key, name), params[name])
	}
	return key
}

func appendText(key []byte, text string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(text))), text...)
}
