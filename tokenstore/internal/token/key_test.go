package token_test

import (
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/token"
	"github.com/stretchr/testify/assert"
)

func TestOnlyEqualIdentitiesAndParamsHaveTheSameKey(t *testing.T) {
	type asked struct {
		identity string
		params   routeauth.Params
	}
	all := []asked{
		{"", nil},
		{"a", nil},
		{"", routeauth.Params{"a": ""}},
		{"", routeauth.Params{"": "a"}},
		{"a", routeauth.Params{"b": "c"}},
		{"a", routeauth.Params{"b": "", "c": ""}},
		{"a\x01b", routeauth.Params{"c": ""}},
		{"ab", routeauth.Params{"c": ""}},
		{"a", routeauth.Params{"bc": ""}},
		{"a", routeauth.Params{"b": "c", "d": "e"}},
		{"a", routeauth.Params{"b": "c\x01d\x01e"}},
	}
	seen := map[string]asked{}
	for _, a := range all {
		key := string(token.Key(a.identity, a.params))
		if other, found := seen[key]; found {
			assert.Fail(t, "the same key", "%v and %v", a, other)
		}
		seen[key] = a
	}
}

func TestTheOrderOfParamsDoesNotMatter(t *testing.T) {
	params := routeauth.Params{"a": "1", "b": "2", "c": "3", "d": "4"}
	first := token.Key("user", params)
	for range 100 { // maps are walked in random order
		assert.Equal(t, first, token.Key("user", params))
	}
}

func TestNoParamsAndEmptyParamsHaveTheSameKey(t *testing.T) {
	assert.Equal(t, token.Key("user", nil), token.Key("user", routeauth.Params{}))
}
