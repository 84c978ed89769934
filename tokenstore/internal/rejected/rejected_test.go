package rejected_test

import (
	"fmt"
	"testing"

	"example.com/routeauth"
	"example.com/routeauth/tokenstore/internal/rejected"
	"github.com/stretchr/testify/assert"
)

func TestARejectedTokenIsKnownUnderItsKeyAlone(t *testing.T) {
	var m rejected.Memory
	assert.False(t, m.Has("key", "token"))
	m.Add("key", "token")
	assert.True(t, m.Has("key", "token"))
	assert.False(t, m.Has("key", "another"))
	assert.False(t, m.Has("another", "token"))
}

func TestTheLastEightRejectedTokensOfAKeyAreKnown(t *testing.T) {
	var m rejected.Memory
	for i := range 9 {
		m.Add("key", routeauth.Secret(fmt.Sprint(i)))
		m.Add("key", "8") // the same one again takes no room
	}
	assert.False(t, m.Has("key", "0"))
	assert.True(t, m.Has("key", "2"))
	assert.True(t, m.Has("key", "8"))
}

func TestNoTokenIsShown(t *testing.T) {
	var m rejected.Memory
	m.Add("key", "secret-token")
	assert.NotContains(t, fmt.Sprintf("%+v", &m), "secret-token")
}
