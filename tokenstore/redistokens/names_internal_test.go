package redistokens

import (
	"testing"

	"example.com/routeauth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachPurposeNamespaceAndSecretHasAKeyOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, secret := range []routeauth.Secret{"a secret of the tests", "another secret of theirs"} {
		for _, namespace := range []string{"", "a", "b"} {
			for _, purpose := range []string{"names", "tokens"} {
				key, err := deriveKey(settings{key: secret, namespace: namespace}, purpose)
				require.NoError(t, err)
				assert.Len(t, key, 32)
				seen[string(key)] = true
			}
		}
	}
	assert.Len(t, seen, 12)
}

func TestNamesAreHashedWithTheKey(t *testing.T) {
	one, another := newNamer([]byte("a key")), newNamer([]byte("another key"))
	assert.Equal(t, one([]byte("user")), one([]byte("user")))
	assert.NotEqual(t, one([]byte("user")), one([]byte("another user")))
	assert.NotEqual(t, one([]byte("user")), another([]byte("user")))
}
