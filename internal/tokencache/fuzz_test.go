package tokencache

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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

// FuzzLifetime checks rule 19 for any text as a token: it makes no panic, and
// what is kept is a JWT that says when it ends and is not kept for longer.
func FuzzLifetime(f *testing.F) {
	// The clock stands at 1000000000.
	for _, claims := range []string{
		`{"iat":999999990,"exp":1000000060}`, `{"exp":1000000060}`, `{"iat":1000000000,"exp":1000000060}`,
		`{"iat":2000000000,"exp":2000000060}`, `{"iat":0,"exp":60}`, `{"iat":1,"exp":253402300799}`, `{"exp":1e9}`,
		`{"iat":1000000000.25,"exp":1000000000.75}`, `{"iat":60,"exp":60}`, `{"iat":60,"exp":0}`, `{"iat":-60,"exp":60}`,
		`{"exp":"1000000060"}`, `{"exp":null}`, `{"exp":[1000000060]}`, `{"iat":null,"exp":1000000060}`, `{"exp":1e309}`,
		`{"exp":999999999999999999999}`, `{"exp":1,"exp":1000000060}`, `{}`, `[]`, `null`, ``, `{"iat":999999999.9999999,"exp":1000000060}`,
	} {
		f.Add(`{"alg":"HS256","typ":"JWT"}`, claims, "c2ln", false)
		f.Add(`{"alg":"XX999"}`, claims, "", false)
		f.Add(`{}`, claims, "!", false)
	}
	f.Add("eyJhbGciOiJIUzI1NiJ9", "eyJleHAiOjQwMDAwMDAwMDB9", "c2ln", true)
	f.Add("a", "b", "c.d", true)
	f.Fuzz(func(t *testing.T, header, claims, signature string, asItIs bool) {
		if !asItIs {
			header = base64.RawURLEncoding.EncodeToString([]byte(header))
			claims = base64.RawURLEncoding.EncodeToString([]byte(claims))
		}
		token := Token{Value: header + "." + claims + "." + signature}
		now := time.Unix(1_000_000_000, 0)
		began := now.Add(-2 * time.Second)
		e := newEntry(Config{Prefix: "Bearer ", RefreshBefore: 10 * time.Second, MinRemaining: time.Second}, token, began, now)
		if e.end.IsZero() {
			return
		}
		end := endOf(t, claims, began, now)
		const rounding = time.Microsecond // of claims to floats
		require.False(t, e.alive(end.Add(rounding)), "end %v", end)
		life := end.Sub(now)
		if iat, exp, _ := claimsOf(token.Value); !iat.IsZero() {
			life = exp.Sub(iat)
		}
		require.LessOrEqual(t, e.window, max(0, life/3+rounding), "it is replaced in the last third")
		require.LessOrEqual(t, e.minRemaining, max(0, life/10+rounding), "it is returned in the first nine tenths")
		require.Equal(t, "Bearer "+token.Value, *e.Authorization())
		require.Equal(t, token.Value, e.Value())
	})
}

// endOf returns when a token with these claims has to end, by rule 19.
func endOf(t *testing.T, segment string, began, now time.Time) time.Time {
	text, err := base64.RawURLEncoding.DecodeString(segment)
	require.NoError(t, err)
	var claims map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&claims))
	exp := instant(t, claims["exp"])
	if claims["iat"] == nil {
		return exp
	}
	iat := instant(t, claims["iat"])
	require.True(t, exp.After(iat))
	if now.Before(iat) || !now.Before(exp) {
		return began.Add(exp.Sub(iat))
	}
	return exp
}

// instant returns the time that a claim is, computed without floats.
func instant(t *testing.T, claim any) time.Time {
	number, ok := claim.(json.Number)
	require.True(t, ok, "%v is no number", claim)
	if approximately, err := number.Float64(); err == nil && approximately == 0 {
		return time.Unix(0, 0) // and a power of ten that is too large for exact numbers
	}
	seconds, ok := new(big.Rat).SetString(number.String())
	require.True(t, ok)
	nanoseconds := new(big.Int).Quo(new(big.Int).Mul(seconds.Num(), big.NewInt(1e9)), seconds.Denom())
	whole, rest := new(big.Int).DivMod(nanoseconds, big.NewInt(1e9), new(big.Int))
	require.True(t, whole.IsInt64(), fmt.Sprint(claim))
	return time.Unix(whole.Int64(), rest.Int64())
}
