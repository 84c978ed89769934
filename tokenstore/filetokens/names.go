package filetokens

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// names are the files of one token.
type names struct {
	token string
	// temporary is what the next token is written to. It belongs to whoever holds
	// the lock, and so does one that a killed process left behind.
	temporary string
	// lock is shared with other tokens: there are 256, so that a program with
	// many tokens does not leave as many lock files.
	lock string
}

const (
	tokenSuffix     = ".token"
	temporarySuffix = ".tmp"
	lockSuffix      = ".lock"
)

// namesOf returns the names for a key of package token.
func namesOf(key []byte) names {
	sum := sha256.Sum256(append([]byte("routeauth filetokens 1\n"), key...))
	return namesOfHash(hex.EncodeToString(sum[:]))
}

func namesOfHash(hash string) names {
	return names{hash + tokenSuffix, hash + temporarySuffix, hash[:2] + lockSuffix}
}

// namesOfFile returns the names of the token that a token's file or temporary
// file belongs to.
func namesOfFile(name string) (n names, ok bool) {
	hash, isToken := strings.CutSuffix(name, tokenSuffix)
	if !isToken {
		var isTemporary bool
		if hash, isTemporary = strings.CutSuffix(name, temporarySuffix); !isTemporary {
			return names{}, false
		}
	}
	if sum, err := hex.DecodeString(hash); err != nil || len(sum) != sha256.Size {
		return names{}, false
	}
	return namesOfHash(hash), true
}
