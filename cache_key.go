package routeauth

import (
	"encoding/binary"
	"slices"
)

// keySize is how large a key may be before it is allocated. Keys and names of a
// few params fit.
const keySize = 256

// appendKey appends a key that two Params have in common only if they are
// equal: names in order, each name and value after its length, so that nothing
// in a value can look like another param.
func appendKey(key []byte, params Params) []byte {
	var buffer [8]string
	names := buffer[:0]
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		key = appendText(appendText(key, name), params[name])
	}
	return key
}

func appendText(key []byte, text string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(text))), text...)
}
