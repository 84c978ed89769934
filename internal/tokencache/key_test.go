package tokencache

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rule 19: however long params are, a cache holds little of them, and tells them
// apart.
func TestALongKeyIsHeldAsItsHash(t *testing.T) {
	keys := make(map[string]string)
	for _, length := range []int{0, 100, 1000, 1100, 100_000} {
		for name, params := range map[string]Params{
			"one value":     {"a": strings.Repeat("x", length)},
			"another":       {"a": strings.Repeat("x", length) + "y"},
			"another name":  {"b": strings.Repeat("x", length)},
			"a long name":   {strings.Repeat("x", length): "a"},
			"two that long": {"a": strings.Repeat("x", length), "b": strings.Repeat("x", length)},
		} {
			for _, identity := range []string{"", "alice", strings.Repeat("i", length+1)} {
				key := AppendKey(nil, identity, params)
				assert.LessOrEqual(t, len(key), 1024)
				assert.Empty(t, keys[string(key)], "%s of %d", name, length)
				keys[string(key)] = name
			}
		}
	}
}

// A hash cannot be taken for a key: the length of an identity that begins so
// would be that of a longer key.
func TestNoShortKeyLooksLikeAHash(t *testing.T) {
	hash := string(AppendKey(nil, strings.Repeat("x", 2000), nil))
	for length := range 200 {
		key := AppendKey(nil, (hash[1:] + strings.Repeat("x", 200))[:length], nil)
		require.NotEqual(t, hash, string(key))
	}
}

// FuzzKey checks rule 19: params have their key in common only if they are
// equal.
func FuzzKey(f *testing.F) {
	f.Add("a=b", "a=b")
	f.Add("a=b;c=d", "c=d;a=b")
	f.Add("a=b;c=d", "a=b\x01c\x01d")
	f.Add("a=", "=a")
	f.Add("", "=")
	f.Add("ab=c", "a=bc")
	f.Add("\x01=a\x01", "=\x01a\x01")
	f.Add("n="+strings.Repeat("x", 127), "n="+strings.Repeat("x", 128))
	f.Add("n=\x00", "n=")
	f.Add("a=x;b="+strings.Repeat("y", 253), "a=x\x01b\xfd"+strings.Repeat("y", 253))
	f.Add("a=1;b=2;c=3;d=4;e=5;f=6;g=7;h=8;i=9", "i=9;h=8;g=7;f=6;e=5;d=4;c=3;b=2;a=1")
	f.Fuzz(func(t *testing.T, one, other string) {
		a, b := paramsIn(one), paramsIn(other)
		same := bytes.Equal(AppendKey(nil, "", a), AppendKey(nil, "", b))
		require.Equal(t, maps.Equal(a, b), same, "%q and %q", a, b)
		same = bytes.Equal(AppendKey(nil, one, b), AppendKey(nil, other, b))
		require.Equal(t, one == other, same, "identities %q and %q", one, other)
		require.Equal(t, one == "", bytes.Equal(AppendKey(nil, one, b), AppendKey(nil, "", b)), "no identity is one like any other")
		require.Equal(t, AppendKey(nil, "", a), AppendKey(nil, "", maps.Clone(a)), "one key for one value")
	})
}

// paramsIn returns the params that a text of the form a=b;c=d stands for.
func paramsIn(text string) Params {
	params := Params{}
	for pair := range strings.SplitSeq(text, ";") {
		if name, value, found := strings.Cut(pair, "="); found {
			params[name] = value
		}
	}
	return params
}
